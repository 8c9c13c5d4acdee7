package triggers

import (
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// triggerFilter is the filter bar as it is filled in, empty for any.
type triggerFilter struct {
	Search   string `form:"q"`
	Location string `form:"location"`
	Type     string `form:"type" binding:"omitempty,event_spelling"`
	Tag      string `form:"tag"`
	Webhook  string `form:"webhook" binding:"omitempty,number"`
	// Matched is whether a webhook matched, or the one of the filter, or that the
	// event waits for dispatch; any asks why that webhook did not fire.
	Matched string `form:"matched" binding:"omitempty,oneof=some none waiting any"`
	Before  string `form:"before" binding:"omitempty,number"` // where the page begins
	web.TimeFilter
}

// Filtered tells whether anything was chosen.
func (f triggerFilter) Filtered() bool {
	f.Before = ""
	return f != triggerFilter{}
}

// parseTriggerQuery reads the filter from a URL. Long texts are cut. An event type,
// a number or a time that means nothing does not filter; faults say so, each in a
// sentence.
func parseTriggerQuery(v url.Values, now time.Time) (q models.EventQuery, f triggerFilter, faults []string) {
	faults = rules.BindFilters(v, &f)
	f.Search, f.Location = wording.Cut(f.Search, 300), wording.Cut(f.Location, 64)
	f.Tag = wording.Cut(f.Tag, 64)
	q = models.EventQuery{Search: f.Search, Location: f.Location, Tag: f.Tag, Limit: eventsShown}
	q.Types, _ = web.EventTypesTyped(f.Type)
	if f.Matched != matchedAny {
		q.Webhook, _ = web.Positive(f.Webhook)
		q.Matched = f.Matched
	}
	q.Before, _ = web.Positive(f.Before)
	q.From, q.To = f.Range(now)
	return q, f, faults
}

// matchedAny lists all events of a webhook's location and says of each whether it
// matched.
const matchedAny = "any"

// matchedChoices are the choices of outcomes; with a webhook, of its own.
func matchedChoices(f triggerFilter) []web.Choice {
	waiting := web.Choice{Value: models.MatchedWaiting, Label: "Waiting for dispatch", Chosen: f.Matched == models.MatchedWaiting}
	if f.Webhook == "" {
		return []web.Choice{
			{Value: models.MatchedSome, Label: "Matched a webhook", Chosen: f.Matched == models.MatchedSome},
			{Value: models.MatchedNone, Label: "Matched nobody", Chosen: f.Matched == models.MatchedNone},
			waiting,
		}
	}
	return []web.Choice{
		{Value: models.MatchedSome, Label: "Matched this webhook", Chosen: f.Matched == models.MatchedSome || f.Matched == ""},
		{Value: models.MatchedNone, Label: "Did not match it", Chosen: f.Matched == models.MatchedNone},
		waiting,
		{Value: matchedAny, Label: "Either", Chosen: f.Matched == matchedAny},
	}
}

// triggerChoices fills in the choices of the filter bar.
func (s *Pages) triggerChoices(c *gin.Context, p *triggerHistoryPage) error {
	var err error
	if p.Location, err = s.LocationPicker(c, "location", p.Filter.Location); err != nil {
		return err
	}
	p.Location.Any, p.Location.Small = s.AnyLocation(c), true
	if p.Webhook, _, err = s.WebhookPicker(c, "webhook", p.Filter.Webhook); err != nil {
		return err
	}
	p.Webhook.Any, p.Matched = "Any webhook", matchedChoices(p.Filter)
	p.Types, p.Spans = web.EventTypeChoices(), web.SpanChoices(p.Filter.TimeFilter)
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
	if p.Question == nil {
		add("webhook", "Webhook", p.Webhook.Chosen())
	}
	for _, one := range p.Matched {
		if one.Chosen && p.Filter.Matched != "" && p.Question == nil {
			add("matched", "Outcome", one.Label)
		}
	}
	_, types := web.EventTypesTyped(p.Filter.Type)
	add("type", "Event type", types)
	add("tag", "Tag", p.Filter.Tag)
	return append(chips, web.TimeChips(web.TriggersPath, p.Filter.TimeFilter, v)...)
}
