package handlers

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// eventsShown is how many events a page of the trigger history lists.
const eventsShown = 50

type triggerHistoryPage struct {
	page
	// Off says that trigger history is switched off; then nothing else is shown.
	Off       bool
	Setting   string // the setting's name
	Filter    triggerFilter
	Faults    []string
	Locations []choice
	Types     []string
	Spans     []choice
	Chips     []filterChip
	Lines     []triggerLine
	Older     string
	Newest    string
	Scanned   bool // Older goes on searching: so far only a part was looked at
	Now       time.Time
	Asked     *triggerAsked // the question why a webhook did not fire; nil: not asked
}

// triggerHistory lists the events that the site reported, newest first.
func (s *Site) triggerHistory(c *gin.Context) error {
	if id := strings.TrimSpace(c.Query("event")); id != "" {
		return s.showTriggerEvent(c, id)
	}
	return s.showTriggerHistory(c, http.StatusOK, "")
}

// showTriggerHistory lists events; unknown is an id that was asked about and
// that no event has.
func (s *Site) showTriggerHistory(c *gin.Context, status int, unknown string) error {
	ctx := c.Request.Context()
	settings, err := s.store.settings.Get(ctx)
	if err != nil {
		return err
	}
	p := &triggerHistoryPage{
		page: page{Title: "Trigger history", Nav: "triggers"},
		Off:  !settings.TriggerHistory, Setting: models.EnableTriggerHistory,
	}
	if p.Off {
		return s.render(c, http.StatusOK, "trigger_history", p)
	}
	if p.Now, err = s.Store.Now(ctx); err != nil {
		return err
	}
	values := c.Request.URL.Query()
	values.Del("event")
	var query models.EventQuery
	query, p.Filter, p.Faults = parseTriggerQuery(values, p.Now)
	found, err := s.store.events.Search(ctx, query)
	if err != nil {
		return err
	}
	names, err := s.triggerChoices(c, p)
	if err != nil {
		return err
	}
	if p.Lines, err = s.triggerLines(ctx, found.Rows, names, settings.DispatchDelay, p.Now); err != nil {
		return err
	}
	if found.Next > 0 {
		p.Older, p.Scanned = olderURL(triggerPath(""), values, found.Next), found.Scanned
	}
	if query.Before > 0 {
		p.Newest = olderURL(triggerPath(""), values, 0)
	}
	p.Chips = p.chips(values)
	if p.Asked, err = s.triggerAsked(c, names); err != nil {
		return err
	}
	if p.Asked != nil {
		p.Asked.Unknown = unknown
	}
	return s.renderPart(c, status, "trigger_history", p, "events-list")
}

// triggerLines tells what became of each event.
func (s *Site) triggerLines(ctx context.Context, rows []models.Event, names locationNames, delay time.Duration, now time.Time) ([]triggerLine, error) {
	lines := make([]triggerLine, 0, len(rows))
	for _, e := range rows {
		line := newTriggerLine(e, delay, now)
		line.Location = names.of(e.Location)
		if e.MergedInto != nil {
			into, err := s.store.events.ByID(ctx, *e.MergedInto)
			if err != nil && !errors.Is(err, models.ErrNotFound) {
				return nil, err
			}
			if err == nil {
				line.Into = triggerPath(into.EventID)
			}
		}
		lines = append(lines, line)
	}
	return lines, nil
}
