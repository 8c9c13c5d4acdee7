package triggers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// sentByHand is a delivery of the event that a member sent by hand.
type sentByHand struct {
	Delivery models.Delivery
	Badge    web.Badge
	Note     string
}

// byHand adds a delivery that was sent by hand to the result of its webhook.
func (r *triggerResult) byHand(row models.TriggerRow, enabled bool, now time.Time) {
	held := ""
	if deliveries.Pending(row.Delivery) {
		held = deliveries.HeldWhy(row.Webhook, enabled, now)
	}
	r.Hand = append(r.Hand, sentByHand{row.Delivery, deliveries.Badge(row.Delivery, held != ""), deliveries.Note(row.Delivery, held, now)})
}

// sendTo is the button that sends the event to a webhook.
type sendTo struct {
	Action, Once, Name string
	Webhook            int64
	HeldWhy, HeldUntil string // as those of its result
}

// SendTo is the button beside a webhook. Where the outcome says already why the
// webhook cannot send, the button does not say it again.
func (p *triggerEventPage) SendTo(r triggerResult) sendTo {
	to := sendTo{sendPath(p.Event.ID), p.Once, r.Name, r.ID, r.HeldWhy, r.HeldUntil}
	if r.Outcome == models.StateHeld {
		to.HeldWhy = ""
	}
	return to
}

// sendPath is the address that sends an event to one webhook by hand.
func sendPath(number int64) string { return web.TriggerPath(number) + "/send" }

// unsendable says in a sentence why an event cannot be sent by hand; empty: it
// can.
func unsendable(e models.Event) string {
	switch {
	case e.DispatchedAt == nil:
		return "This event has not been dispatched yet. The webhooks that match receive it then."
	case e.MergedInto != nil:
		return "This event was merged into a newer one about the same item. Send that one instead."
	case e.Erased():
		return "The content of this event was erased, so there is nothing to send."
	}
	return ""
}

// carries tells whether a webhook can be sent the event by hand.
func carries(f *wire.Format, w models.Webhook, e models.Event) bool {
	if f == nil || w.DeletedAt != nil || w.Location != e.Location {
		return false
	}
	_, covered := f.Covering(e.Kind())
	return covered
}

// sendForm names the webhook that an event is sent to, and the form itself: what
// is sent twice by one form is sent once.
type sendForm struct {
	Webhook web.Number `form:"webhook" binding:"gt=0"`
	Once    string     `form:"once" binding:"required,max=64"`
}

// SendPost sends an event to one webhook, whether or not it matched, and leads to
// the delivery.
func (s *Pages) SendPost(c *gin.Context) error {
	var form sendForm
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	ctx := c.Request.Context()
	e, err := s.eventByNumber(c)
	if err != nil {
		return err
	}
	w, err := s.Store.Webhooks.Get(ctx, s.Within(c), int64(form.Webhook))
	if err != nil {
		return err
	}
	if why := unsendable(e); why != "" {
		return web.Unusable(why)
	}
	d, err := deliveryByHand(e, w)
	if err != nil {
		return err
	}
	said, err := s.sentFlash(ctx, w) // an error after the sending would say that nothing was changed
	if err != nil {
		return err
	}
	key := fmt.Sprintf("%s %d %d", form.Once, e.ID, w.ID)
	id, again, err := s.Store.Sends.One(ctx, web.ActorOf(c), key, d, fmt.Sprintf("event %d (%s)", e.ID, e.EventID))
	switch {
	case errors.Is(err, models.ErrErased):
		return web.Unusable("The content of this event was erased, so there is nothing to send.")
	case errors.Is(err, models.ErrMoved):
		return web.Unusable(otherLocation)
	case err != nil:
		return err
	}
	s.OnChange()
	if again {
		said = web.Flash{Kind: "info", Text: "This was sent already. To send it once more, go back to the event."}
	}
	return s.Redirect(c, deliveries.Path(id)+"?sending=1", said)
}

// sentFlash says what becomes of a delivery that is made by hand now.
func (s *Pages) sentFlash(ctx context.Context, w models.Webhook) (web.Flash, error) {
	at, err := s.Store.Snapshot(ctx)
	if err != nil {
		return web.Flash{}, err
	}
	if why, until := deliveries.WillBeHeld(w, at.Settings.GenericEnabled, at.Now); why != "" {
		return web.Flash{Kind: "warning", Text: "Not sent to " + w.Name + " yet. " + why + " The delivery is held until " + until + "."}, nil
	}
	return web.Flash{Kind: "success", Text: "Sending to " + w.Name + "."}, nil
}

const otherLocation = "The webhook is at another location than the event, and events never cross locations."

// deliveryByHand builds the delivery of one event to a webhook. Errors are for
// Fail.
func deliveryByHand(e models.Event, w models.Webhook) (models.NewDelivery, error) {
	f, known := wire.Lookup(w.Type)
	if !known {
		return models.NewDelivery{}, fmt.Errorf("webhook %d has the unknown type %q", w.ID, w.Type)
	}
	if w.Location != e.Location {
		return models.NewDelivery{}, web.Unusable(otherLocation)
	}
	if !carries(f, w, e) {
		return models.NewDelivery{}, web.Unusable(notOfferedWords(e, f))
	}
	event, err := wire.Decode(e.Payload, e.OccurredAt)
	if err != nil {
		return models.NewDelivery{}, fmt.Errorf("decode event %d: %w", e.ID, err)
	}
	event.ID, event.Location, event.Subject = e.EventID, e.Location, e.Subject
	id := f.NewID()
	body, _, err := f.Build([]wire.Event{event}, wire.Draft{ID: id, WebhookName: w.Name, Options: w.Options})
	if err != nil {
		return models.NewDelivery{}, fmt.Errorf("build the body of event %d: %w", e.ID, err)
	}
	return models.NewDelivery{Events: []int64{e.ID}, Delivery: models.Delivery{
		PublicID: id, WebhookID: w.ID, Location: w.Location, EventTypes: "," + e.Type + ",", Items: 1, Body: body,
	}}, nil
}
