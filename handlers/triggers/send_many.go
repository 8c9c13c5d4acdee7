package triggers

import (
	"crypto/rand"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

const (
	sendManyPath = web.TriggersPath + "/send"
	sendsPath    = web.TriggersPath + "/sends"
	sendReload   = 2 // seconds between two looks at the progress
	// sendToField names the webhook that events are sent to; "to" is a time.
	sendToField = "send_to"
)

// sendManyPage asks for a webhook, and then before the events of a filter are
// sent to it, with their number.
type sendManyPage struct {
	web.Page
	To        web.Picker
	Filter    []web.ConfirmField // of the trigger history, but for the location
	Selection string
	Webhook   *models.Webhook // nil: none was chosen
	Location  string
	Type      string // of the webhook, in words
	Send      int64
	Other     int64  // events that this type cannot carry
	Held      string // why the webhook cannot send now, in a sentence; empty: it can
	Until     string // and until when
	Older     string // path of the same question about older events
	Fields    []web.ConfirmField
	Action    string
	Back      string
	Fault     string

	query   models.EventQuery
	counted models.Sendable
}

// About is how long the sending takes at least, in words.
func (p *sendManyPage) About() string { return wording.PacedWords(p.Send) }

// SendMany asks to which webhook the events of the filter are sent, and before
// they are.
func (s *Pages) SendMany(c *gin.Context) error {
	now, err := s.Store.Now(c.Request.Context())
	if err != nil {
		return err
	}
	p, err := s.sendQuestion(c, now, 0)
	if err != nil {
		return err
	}
	return s.Render(c, http.StatusOK, "trigger_send", p)
}

// sendQuestion reads filter and webhook from the address, and counts the events
// as of a time; through is the newest one to count, 0: any.
func (s *Pages) sendQuestion(c *gin.Context, now time.Time, through int64) (*sendManyPage, error) {
	values := c.Request.URL.Query()
	chosen := strings.TrimSpace(values.Get(sendToField))
	values.Del(sendToField)
	p := &sendManyPage{
		Page: web.Page{Title: "Send events to a webhook", Nav: "triggers"},
		Back: web.OlderURL(web.TriggersPath, values, 0),
	}
	if err := s.sendTarget(c, p, chosen); err != nil {
		return nil, err
	}
	if err := s.sendFilter(c, p, values, now); err != nil || p.Webhook == nil {
		return p, err
	}
	values.Set(sendToField, web.FormatID(p.Webhook.ID))
	p.Action = web.WithQuery(sendManyPath, values)
	p.Fields = []web.ConfirmField{{Name: "now", Value: web.FormatID(now.UnixMicro())}, {Name: "once", Value: rand.Text()}}
	if err := s.countSendable(c, p, now, through); err != nil {
		return nil, err
	}
	p.Fields = append(p.Fields, web.ConfirmField{Name: "through", Value: web.FormatID(p.counted.Through)})
	if p.counted.From > 0 {
		p.Older = web.OlderURL(sendManyPath, values, p.counted.From)
	}
	return p, nil
}

// sendTarget finds the webhook that was chosen by its number or name.
func (s *Pages) sendTarget(c *gin.Context, p *sendManyPage, chosen string) (err error) {
	ctx := c.Request.Context()
	if chosen != "" {
		var w models.Webhook
		id, err := s.FindWebhook(c, chosen)
		if err == nil {
			w, err = s.Store.Webhooks.Get(ctx, s.Within(c), id)
		}
		switch {
		case errors.Is(err, models.ErrNotFound):
			p.Fault, chosen = "There is no such webhook. Choose another.", ""
		case err != nil:
			return err
		default:
			p.Webhook, chosen = &w, web.FormatID(w.ID)
		}
	}
	p.To, _, err = s.WebhookPicker(c, sendToField, chosen)
	if err != nil {
		return err
	}
	p.To.Any, p.To.Small, p.To.Fault = "Choose a webhook", false, p.Fault
	settings, err := s.Store.Settings.Get(ctx)
	if err == nil && !settings.GenericEnabled {
		p.To.Help = models.EnableGenericWebhooks + " is off. Deliveries to a webhook that this switches off will be held until it is on."
	}
	return err
}

// sendFilter reads the filter, and puts it into words.
func (s *Pages) sendFilter(c *gin.Context, p *sendManyPage, values url.Values, now time.Time) error {
	query, filter, faults := parseTriggerQuery(values, now)
	if len(faults) > 0 {
		// A value that was left out would find more than was asked for.
		return web.Unusable(strings.ReplaceAll(strings.Join(faults, " "), ", so it was ignored", "") + " Nothing was sent.")
	}
	location, _, err := s.FilterLocation(c, query.Location)
	if err != nil {
		return err
	}
	if location != "" {
		values.Set("location", location)
	}
	filter.Location, query.Location = location, location
	list := &triggerHistoryPage{Filter: filter}
	if err := s.onlyLogged(c.Request.Context(), list, &query); err != nil {
		return err
	}
	if err := s.triggerChoices(c, list); err != nil {
		return err
	}
	var chosen []string
	for _, chip := range list.chips(values) {
		chosen = append(chosen, strings.ToLower(chip.Name)+" "+chip.Value)
	}
	p.query, p.Selection = query, web.OrNone(strings.Join(chosen, ", "), "all events")
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if value := values.Get(name); value != "" {
			p.Filter = append(p.Filter, web.ConfirmField{Name: name, Value: value})
		}
	}
	return nil
}

// countSendable counts the events that would be sent: those of the webhook's
// location, since nothing crosses between locations.
func (s *Pages) countSendable(c *gin.Context, p *sendManyPage, now time.Time, through int64) error {
	ctx := c.Request.Context()
	f, known := wire.Lookup(p.Webhook.Type)
	if !known {
		return models.ErrNotFound
	}
	names, err := s.LocationNames(c, p.Webhook.Location)
	if err != nil {
		return err
	}
	settings, err := s.Store.Settings.Get(ctx)
	if err != nil {
		return err
	}
	p.Location, p.Type = names.Of(p.Webhook.Location), f.Label
	p.Held, p.Until = deliveries.WillBeHeld(*p.Webhook, settings.GenericEnabled, now)
	if chosen := p.query.Location; chosen != "" && chosen != p.Webhook.Location {
		return nil
	}
	p.query.Location, p.query.Limit = p.Webhook.Location, 0
	if p.counted, err = s.Store.Sends.Count(ctx, p.query, through); err != nil {
		return err
	}
	for kind, n := range p.counted.Kinds {
		if _, carried := f.Covering(kind); carried {
			p.Send += n
		} else {
			p.Other += n
		}
	}
	return nil
}

// sendManyForm identifies the events of the question: Through leaves out newer
// ones, and Now is the time from which a span such as the last hour counts.
type sendManyForm struct {
	Through web.Number `form:"through" binding:"gte=0"`
	Now     web.Number `form:"now" binding:"gt=0"`
	Once    string     `form:"once" binding:"required,max=64"`
}

// SendManyPost has jobs send the events of the question, and leads to a page that
// shows how far they are.
func (s *Pages) SendManyPost(c *gin.Context) error {
	var form sendManyForm
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	p, err := s.sendQuestion(c, time.UnixMicro(int64(form.Now)).UTC(), int64(form.Through))
	if err != nil {
		return err
	}
	if p.Webhook == nil || p.Send == 0 {
		return s.Render(c, http.StatusUnprocessableEntity, "trigger_send", p)
	}
	m, err := s.Store.Sends.Start(c.Request.Context(), web.ActorOf(c), models.ManualSend{
		Key: form.Once, WebhookID: p.Webhook.ID, Query: p.query, Total: p.Send,
	}, p.counted, p.Selection)
	if errors.Is(err, models.ErrMoved) {
		return web.Unusable(otherLocation)
	}
	if err != nil {
		return err
	}
	s.OnChange()
	return s.Redirect(c, sendsPath+"/"+web.FormatID(m.ID))
}
