package sources

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// Limits of what a preview names.
const (
	previewEvents   = 20
	previewWebhooks = 10 // of an event
)

// preview is what the form would make of the source's last request.
type preview struct {
	At      *time.Time // of that request; nil: there is none
	Fault   string
	Ignored string
	Lookups []string
	Total   int
	Events  []previewEvent
}

type previewEvent struct {
	ID, Type, Title string
	Webhooks        []previewWebhook
	More            int // webhooks that are not named
}

type previewWebhook struct{ Name, Path string }

// previewOf reads the last request as the form says. It stores nothing.
func (s *Pages) previewOf(ctx context.Context, e *editing, checked models.SourceInput) (*preview, error) {
	p := &preview{}
	if e.old == nil || e.kind == nil {
		return p, nil
	}
	r, err := s.Store.Sources.NewestRequest(ctx, e.old.Name)
	if errors.Is(err, models.ErrNotFound) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.At = &r.At
	if p.Fault = e.faults["program"]; p.Fault != "" || s.Inbound == nil {
		return p, nil
	}
	src := *e.old
	src.Location, src.Program, src.Fields = checked.Location, checked.Program, checked.Fields
	reading, err := s.Inbound.Attempt(ctx, src, &r)
	if err != nil {
		p.Fault = wording.Sentence(err)
		return p, ctx.Err()
	}
	p.Ignored, p.Lookups, p.Total = reading.Ignored, reading.Lookups, len(reading.Events)
	return p, s.matches(ctx, p, src.Location, reading.Events)
}

// matches names the webhooks that would get the events.
func (s *Pages) matches(ctx context.Context, p *preview, location string, events []models.NewEvent) error {
	versions, err := s.Store.Webhooks.VersionsAt(ctx, location, 0)
	if err != nil {
		return err
	}
	for _, e := range events[:min(len(events), previewEvents)] {
		shown := previewEvent{ID: e.EventID, Type: e.Type, Title: e.Title}
		subject := models.Event{Type: e.Type, Family: e.Family, Location: e.Location, Community: e.Community, Tags: e.Tags, Subject: e.Subject}.MatchSubject()
		for _, v := range versions {
			f, known := wire.Lookup(v.Type)
			if !known || !models.Match(v.Filter(f.EventKinds(v.Events), models.Webhook{}), subject).OK() {
				continue
			}
			if len(shown.Webhooks) == previewWebhooks {
				shown.More++
				continue
			}
			shown.Webhooks = append(shown.Webhooks, previewWebhook{v.Name, "/admin/webhooks/" + web.FormatID(v.WebhookID)})
		}
		p.Events = append(p.Events, shown)
	}
	return nil
}

// Left is how many events are not listed.
func (p *preview) Left() int { return p.Total - len(p.Events) }

// Nothing tells that no webhook would get any of the events.
func (p *preview) Nothing() bool {
	return len(p.Events) > 0 && !slices.ContainsFunc(p.Events, func(e previewEvent) bool { return len(e.Webhooks) > 0 })
}
