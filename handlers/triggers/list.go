// Package triggers explains the outcome of each event: the trigger history, one
// event, and why a webhook was or was not triggered.
package triggers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// eventsShown is how many events a page of the trigger history lists.
const eventsShown = 50

// Pages are the trigger history and its explanations.
type Pages struct{ *web.Site }

type triggerHistoryPage struct {
	web.Page
	OffSince *time.Time // since when trigger history is switched off; nil: it is on
	Setting  string     // the setting's name
	Filter   triggerFilter
	Faults   []string
	Location web.Picker
	Webhook  web.Picker
	Matched  []web.Choice
	Types    []string
	Spans    []web.Choice
	Chips    []web.FilterChip
	Lines    []triggerLine
	Older    string
	Newest   string
	Scanned  bool // Older goes on searching: so far only a part was looked at
	Now      time.Time
	// SendThese is the address that sends the events of the filter to a webhook.
	SendThese string
	Question  *webhookQuestion // the question why a webhook did not fire; nil: not asked
}

// List lists the events that the site reported, newest first.
func (s *Pages) List(c *gin.Context) error {
	if id := strings.TrimSpace(c.Query("id")); id != "" {
		return s.findTriggerEvent(c, id)
	}
	values := c.Request.URL.Query()
	typed := values.Get("webhook")
	if err := s.WebhookFromRequest(c, values); err != nil {
		return err
	}
	if values.Get("webhook") != typed { // by its name
		return s.Redirect(c, web.WithQuery(web.TriggersPath, values))
	}
	return s.showTriggerHistory(c, http.StatusOK, "")
}

// showTriggerHistory lists events; unknown is an id that was asked about and
// that no event has.
func (s *Pages) showTriggerHistory(c *gin.Context, status int, unknown string) error {
	ctx := c.Request.Context()
	settings, err := s.Store.Settings.Get(ctx)
	if err != nil {
		return err
	}
	p := &triggerHistoryPage{
		Page: web.Page{Title: "Trigger history", Nav: "triggers"}, Setting: models.EnableTriggerHistory,
	}
	if p.Now, err = s.Store.Now(ctx); err != nil {
		return err
	}
	values := c.Request.URL.Query()
	values.Del("id")
	var query models.EventQuery
	query, p.Filter, p.Faults = parseTriggerQuery(values, p.Now)
	about, err := s.webhookQuestion(c)
	if err != nil {
		return err
	}
	if about != nil && query.Location == "" && (p.Filter.Matched != matchedAny || !values.Has("location")) {
		p.Filter.Location, query.Location = about.Webhook.Location, about.Webhook.Location // no other event can be for it
	}
	if p.Filter.Matched == matchedAny || unknown != "" {
		p.Question = about
	}
	location, unknownLocation, err := s.FilterLocation(c, query.Location)
	if err != nil {
		return err
	}
	p.Filter.Location, query.Location = location, location
	if values.Get("location") != "" {
		values.Set("location", location)
	}
	if err = s.onlyLogged(ctx, p, &query); err != nil {
		return err
	}
	query.Within = s.Within(c)
	found, err := s.Store.Events.Search(ctx, query)
	if err != nil {
		return err
	}
	if unknownLocation != "" && len(found.Rows) == 0 {
		p.Faults = append(p.Faults, unknownLocation)
	}
	if err = s.triggerChoices(c, p); err != nil {
		return err
	}
	if p.Lines, err = s.triggerLines(c, found.Rows, settings.DispatchDelay, p.Now); err != nil {
		return err
	}
	if err = s.triggersMatched(ctx, query.Within, p); err != nil {
		return err
	}
	if found.Next > 0 {
		p.Older, p.Scanned = web.OlderURL(web.TriggersPath, values, found.Next), found.Scanned
	}
	if query.Before > 0 {
		p.Newest = web.OlderURL(web.TriggersPath, values, 0)
	}
	p.Chips = p.chips(values)
	p.SendThese = web.OlderURL(sendManyPath, values, 0)
	if p.Question != nil {
		names, err := s.LocationNames(c, p.Question.Webhook.Location)
		if err != nil {
			return err
		}
		p.Question.Location, p.Question.Unknown = names.Of(p.Question.Webhook.Location), unknown
	}
	return s.RenderFragment(c, status, "trigger_history", p, "events-list")
}

// onlyLogged leaves out events that were dispatched while trigger history was
// off. While it is off, these are all events received since.
func (s *Pages) onlyLogged(ctx context.Context, p *triggerHistoryPage, q *models.EventQuery) error {
	history, err := s.Store.Settings.History(ctx, models.EnableTriggerHistory)
	if err != nil {
		return err
	}
	q.NoUnlogged = slices.ContainsFunc(history, func(change models.SettingChange) bool { return change.NewValue == "False" })
	if len(history) == 0 || history[0].NewValue != "False" {
		return nil
	}
	p.OffSince = &history[0].At
	if q.To.IsZero() || q.To.After(*p.OffSince) {
		q.To = *p.OffSince
	}
	return nil
}

// triggersMatched fills in which webhooks each event matched, or whether it
// matched the one that is asked about.
func (s *Pages) triggersMatched(ctx context.Context, within models.LocationSet, p *triggerHistoryPage) error {
	ids, webhook := make([]int64, len(p.Lines)), int64(0)
	for i := range p.Lines {
		ids[i] = p.Lines[i].ID
	}
	if p.Question != nil {
		webhook = p.Question.Webhook.ID
	}
	matched, err := s.Store.Events.Matched(ctx, within, ids, webhook)
	for i := range p.Lines {
		p.Lines[i].match(matched[p.Lines[i].ID], webhook != 0)
	}
	return err
}

// triggerLines adds the outcome to each event.
func (s *Pages) triggerLines(c *gin.Context, rows []models.Event, delay time.Duration, now time.Time) ([]triggerLine, error) {
	ctx := c.Request.Context()
	locations, slugs := make([]string, len(rows)), make([]string, len(rows))
	for i, e := range rows {
		locations[i], slugs[i] = e.Location, e.Community
	}
	names, err := s.LocationNames(c, locations...)
	if err != nil {
		return nil, err
	}
	communities, err := s.CommunityNames(ctx, locations, slugs)
	if err != nil {
		return nil, err
	}
	lines := make([]triggerLine, 0, len(rows))
	for _, e := range rows {
		line := newTriggerLine(e, delay, now)
		line.Location = names.Of(e.Location)
		if e.Community != "" {
			line.Community = communities.Of(e.Location, e.Community)
		}
		if e.MergedInto != nil {
			into, err := s.Store.Events.ByID(ctx, s.Within(c), *e.MergedInto)
			if err != nil && !errors.Is(err, models.ErrNotFound) {
				return nil, err
			}
			if err == nil {
				line.Into = web.TriggerPath(into.ID)
			}
		}
		lines = append(lines, line)
	}
	return lines, nil
}

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any {
	return map[string]any{
		"trigger_event":   &triggerEventPage{},
		"trigger_history": &triggerHistoryPage{},
		"trigger_send":    &sendManyPage{},
		"trigger_sent":    &sentPage{},
	}
}
