package triggers

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// triggerFilter is the filter bar as it is filled in, empty for any.
type triggerFilter struct {
	Search, Location, Type, Tag string
	web.TimeFilter
}

// Filtered tells whether anything was chosen.
func (f triggerFilter) Filtered() bool { return f != triggerFilter{} }

// parseTriggerQuery reads the filter from a URL. A value that means nothing
// does not filter; faults say so, each in a sentence.
func parseTriggerQuery(v url.Values, now time.Time) (q models.EventQuery, f triggerFilter, faults []string) {
	q.Limit = eventsShown
	text := func(name string, limit int) string {
		return web.Cut(strings.TrimSpace(v.Get(name)), limit)
	}
	f.Search, f.Location, f.Type, f.Tag = text("q", 300), text("location", 64), text("type", 128), text("tag", 64)
	q.Search, q.Location, q.Type, q.Tag = f.Search, f.Location, f.Type, f.Tag
	f.TimeFilter, q.From, q.To, faults = web.ParseTimes(v, now)
	if before := v.Get("before"); before != "" && !web.ReadNumber(before, &q.Before) {
		faults = append(faults, web.LeftOut(before, "place in the list"))
	}
	return q, f, faults
}

// triggerChoices fills in the choices of the filter bar.
func (s *Pages) triggerChoices(ctx context.Context, p *triggerHistoryPage) error {
	var err error
	if p.Location, err = s.LocationPicker(ctx, "location", p.Filter.Location); err != nil {
		return err
	}
	p.Location.Any, p.Location.Small = "All locations", true
	p.Types, p.Spans = deliveries.AllEventTypes(), web.SpanChoices(p.Filter.TimeFilter)
	return nil
}

func (p *triggerHistoryPage) chips(v url.Values) []web.FilterChip {
	var chips []web.FilterChip
	add := func(name, label, value string) {
		if value != "" {
			chips = append(chips, web.FilterChip{Name: label, Value: value, Without: web.Without(web.TriggersPath, v, name)})
		}
	}
	add("q", "Search", p.Filter.Search)
	if v.Get("location") != "" { // otherwise it is that of the webhook asked about, which cannot be taken away
		add("location", "Location", p.Location.Chosen())
	}
	for _, one := range p.Spans {
		if one.Chosen {
			add("time", "Time", one.Label)
		}
	}
	add("type", "Event type", p.Filter.Type)
	add("tag", "Tag", p.Filter.Tag)
	return append(chips, web.TimeChips(web.TriggersPath, p.Filter.TimeFilter, v)...)
}
