package handlers

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// triggerFilter is the filter bar as it is filled in, empty for any.
type triggerFilter struct {
	Search, Location, Type, Tag string
	timeFilter
}

// Filtered tells whether anything was chosen.
func (f triggerFilter) Filtered() bool { return f != triggerFilter{} }

// parseTriggerQuery reads the filter from a URL. A value that means nothing
// does not filter; faults say so, each in a sentence.
func parseTriggerQuery(v url.Values, now time.Time) (q models.EventQuery, f triggerFilter, faults []string) {
	q.Limit = eventsShown
	text := func(name string, limit int) string {
		return cut(strings.TrimSpace(v.Get(name)), limit)
	}
	f.Search, f.Location, f.Type, f.Tag = text("q", 300), text("location", 64), text("type", 128), text("tag", 64)
	q.Search, q.Location, q.Type, q.Tag = f.Search, f.Location, f.Type, f.Tag
	f.timeFilter, q.From, q.To, faults = parseTimes(v, now)
	if before := v.Get("before"); before != "" && !readNumber(before, &q.Before) {
		faults = append(faults, leftOut(before, "place in the list"))
	}
	return q, f, faults
}

// triggerChoices fills in what the filter bar offers and returns the names of
// all locations.
func (s *Site) triggerChoices(c *gin.Context, p *triggerHistoryPage) (locationNames, error) {
	locations, err := s.store.locations.List(c.Request.Context())
	if err != nil {
		return nil, err
	}
	names := make(locationNames, len(locations))
	for _, l := range locations {
		names[l.Slug] = l.Name
		p.Locations = append(p.Locations, choice{l.Slug, l.Name, l.Slug == p.Filter.Location})
	}
	if _, known := names[p.Filter.Location]; !known && p.Filter.Location != "" {
		p.Locations = append(p.Locations, choice{p.Filter.Location, p.Filter.Location, true})
	}
	p.Types, p.Spans = allEventTypes(), spanChoices(p.Filter.timeFilter)
	return names, nil
}

func (p *triggerHistoryPage) chips(v url.Values) []filterChip {
	var chips []filterChip
	add := func(name, label, value string) {
		if value != "" {
			chips = append(chips, filterChip{label, value, without(triggersPath, v, name)})
		}
	}
	add("q", "Search", p.Filter.Search)
	locations := p.Locations
	if v.Get("location") == "" { // that of the webhook asked about: it cannot be taken away
		locations = nil
	}
	for _, field := range []struct {
		name, label string
		choices     []choice
	}{{"location", "Location", locations}, {"time", "Time", p.Spans}} {
		for _, one := range field.choices {
			if one.Chosen {
				add(field.name, field.label, one.Label)
			}
		}
	}
	add("type", "Event type", p.Filter.Type)
	add("tag", "Tag", p.Filter.Tag)
	return append(chips, timeChips(triggersPath, p.Filter.timeFilter, v)...)
}

// leftOut says of a value that it was not understood.
func leftOut(value, what string) string {
	return fmt.Sprintf("“%s” is no %s, so it was left out.", cut(value, 60), what)
}
