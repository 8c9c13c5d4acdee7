package webhooks

import (
	"context"
	"time"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/tally"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// How far a preview looks back, how many of the newest matches it names, and
// how many of these its body has.
const (
	previewFor    = 7 * 24 * time.Hour
	previewEvents = 10_000
	previewItems  = 3
)

// preview has the recent events that a form would match, and the request that
// it would send for the newest of them. It uses the code of dispatch and
// delivery.
type preview struct {
	Matched, Total int64
	Capped         bool // there are more events than were looked at
	Activities     []tally.Activity
	Tags           []tally.Tag
	Newest         []models.Event // matches, newest first
	Body           []deliveries.CodePart
	Raw            string // the body as it would be sent
	Items          int
	Sample         bool     // nothing matched: body and headers are those of a sample
	Request        []string // first line, host and headers; empty: the form's faults forbid it
	Signed         string
}

func (s *Pages) previewWebhook(ctx context.Context, w definition.Checked, wrong web.Faults, sample string) (*preview, error) {
	if wrong["location"] != "" {
		return nil, nil
	}
	f, now, in := w.Format, time.Now(), w.Input
	t := tally.New(models.Filter{
		Location: in.Location, Kinds: f.EventKinds(in.Events), TagMode: in.TagMode, Tags: in.Tags, Community: in.Community,
	})
	if err := s.Store.Events.Scan(ctx, in.Location, now.Add(-previewFor), previewEvents, t.Add); err != nil {
		return nil, err
	}
	p := &preview{
		Matched: t.Matches, Total: t.Events, Capped: t.Events == previewEvents,
		Activities: t.Activities(f, in.Events), Tags: t.TagLines(),
	}
	var err error
	if p.Newest, err = s.Store.Events.ByIDs(ctx, t.Newest); err != nil {
		return p, err
	}
	body, types, id, err := nextBody(w, p.Newest[:min(len(p.Newest), previewItems)])
	if err == nil && body == nil && wrong["events"] == "" {
		p.Sample = true
		events, err := sampleOf(f, sample, in.Events)
		if err != nil {
			return p, err
		}
		if body, types, id, err = fitBody(w, events); err != nil {
			return p, err
		}
	}
	if err != nil || body == nil {
		return p, err
	}
	p.Body, p.Raw, p.Items = deliveries.PrettyCode(body), string(body), len(types)
	if wrong["url"] == "" && wrong["headers"] == "" && wrong[definition.SecretField(0)] == "" && wrong[definition.SecretField(1)] == "" {
		p.Request = requestLines(w, wire.Request{ID: id, Body: body, At: now, EventTypes: web.Unique(types), Options: in.Options, Via: s.Store.PublicID()})
		p.Signed = signedWith(w)
	}
	return p, nil
}
