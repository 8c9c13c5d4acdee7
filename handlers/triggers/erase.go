package triggers

import (
	"errors"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// erasePath is the address of the question whether to erase an event's
// content.
func erasePath(number int64) string { return web.TriggerPath(number) + "/erase" }

func (s *Pages) eventToErase(c *gin.Context) (models.Event, error) {
	e, err := s.eventByNumber(c)
	if err == nil && e.Erased() {
		err = web.NotFound("The content of this event has already been erased.")
	}
	return e, err
}

// Erase asks before an event's content is erased, and names the parts that
// stay.
func (s *Pages) Erase(c *gin.Context) error {
	e, err := s.eventToErase(c)
	if err != nil {
		return err
	}
	p, err := s.eraseQuestion(c, e)
	if err != nil {
		return err
	}
	return s.Confirm(c, p)
}

func (s *Pages) eraseQuestion(c *gin.Context, e models.Event) (*web.ConfirmPage, error) {
	ctx := c.Request.Context()
	what, err := s.Store.Events.Erasure(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	p := &web.ConfirmPage{
		Page:  web.Page{Title: "Erase the content of this event?", Nav: "triggers"},
		Crumb: web.OrNone(wording.Cut(e.Title, 100), e.EventID), CrumbPath: web.TriggerPath(e.ID), Back: web.TriggerPath(e.ID),
		Action: erasePath(e.ID), Button: "Erase content", Danger: true,
	}
	gone := "Its title, its text and the names in it are removed permanently"
	if what.Earlier > 0 {
		gone += ", also from " + web.Plural(what.Earlier, "earlier event that was merged into it", "earlier events that were merged into it")
	}
	if what.Bodies > 0 {
		gone += ", together with the body and the recorded responses of " + web.Plural(what.Bodies, "delivery", "deliveries")
	}
	p.Lines = append(p.Lines, gone+".",
		"Its ID, type, location, tags and times stay, and so does the list of webhooks that received it. Copies at receivers and in backups are not removed.")
	if !e.Logged && e.MergedInto == nil {
		p.Lines = append(p.Lines, "Trigger history was off when the event was dispatched, so its deliveries are not known. Their bodies stay until the retention period ends.")
	}
	if e.MergedInto != nil {
		p.Lines = append(p.Lines, "A newer event about the same item was sent instead of this one. It has its own content; erase it as well.")
	}
	if len(what.Remaining) > 0 {
		p.Lines = append(p.Lines, "The bodies of these deliveries stay, because they have not been sent yet or contain other events with content. Erase again later.")
	}
	if what.More {
		p.Lines = append(p.Lines, "Only the newest are listed.")
	}
	now, err := s.Store.Now(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range what.Remaining {
		note := d.State
		if d.Items > 1 {
			note += ", " + web.Plural(int64(d.Items), "event", "events")
		}
		p.Rows = append(p.Rows, web.ConfirmRow{Path: deliveries.Path(d.PublicID), Name: "Delivery of " + web.Moment(d.CreatedAt, now), Note: note})
	}
	return p, nil
}

// ErasePost erases the content of an event that has been dispatched, and of those
// of its deliveries that the question did not except.
func (s *Pages) ErasePost(c *gin.Context) error {
	e, err := s.eventToErase(c)
	if err != nil {
		return err
	}
	_, err = s.Store.Events.Erase(c.Request.Context(), web.ActorOf(c), e.ID)
	if errors.Is(err, models.ErrNotDispatched) {
		p, err := s.eraseQuestion(c, e)
		if err != nil {
			return err
		}
		p.Fault = "Nothing was erased, because the event has not been dispatched yet. Try again later."
		return s.Confirm(c, p)
	}
	if err != nil {
		return err
	}
	return s.Redirect(c, web.TriggerPath(e.ID), web.Flash{Kind: "success", Text: "Its content was erased."})
}
