package webhooks

import (
	"context"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// health says in words how a webhook fares, with a note to it. off: its type
// is switched off.
func health(row models.WebhookRow, off bool, now time.Time) (web.Badge, string) {
	lane := row.Lane
	switch {
	case row.State == models.WebhookBroken:
		return web.Badge{Class: "st-broken", Text: "Broken"}, heldNote(row.Held)
	case off && row.State == models.WebhookStopped:
		return web.Badge{Class: "st-off", Text: "Switched off"}, wording.Notes(heldNote(row.Held), "also "+strings.TrimSpace("paused "+byNote(row.StateBy)))
	case off:
		return web.Badge{Class: "st-off", Text: "Switched off"}, heldNote(row.Held)
	case row.State == models.WebhookStopped:
		return web.Badge{Class: "st-off", Text: "Paused"}, wording.Notes(heldNote(row.Held), byNote(row.StateBy))
	case row.Locked:
		return web.Badge{Class: "st-bad", Text: "Cannot send"}, models.LockedWhy
	case lane.FailuresInRow == 0 && lane.LastAt == nil:
		return web.Badge{Class: "st-none", Text: "No deliveries yet"}, ""
	case lane.FailuresInRow == 0:
		return web.Badge{Class: "st-ok", Text: "Healthy"}, ""
	case lane.Failing(now):
		return web.Badge{Class: "st-bad", Text: failingSince(lane, now)}, successNote(lane, now)
	case lane.NextDueAt != nil && !lane.NextDueAt.After(now):
		return web.Badge{Class: "st-wait", Text: "Retrying"}, "due now"
	case lane.NextDueAt != nil:
		return web.Badge{Class: "st-wait", Text: "Retrying"}, "next attempt " + deliveries.At(*lane.NextDueAt, now)
	default:
		return web.Badge{Class: "st-wait", Text: "Retrying"}, "the last attempt failed"
	}
}

func failingSince(lane models.Lane, now time.Time) string {
	if lane.FailingSince == nil {
		return "Failing"
	}
	return "Failing since " + deliveries.Clock(*lane.FailingSince, now)
}

// failing describes an active webhook whose receiver does not accept its
// deliveries, which are still retried.
type failing struct {
	Reason string     // of the newest attempt, in words
	Do     string     // advice
	InRow  string     // how many attempts failed, in words
	Next   *time.Time // when one waits for its next attempt; nil: none does, or now
}

// failingOf is nil unless the webhook is failing and sends. off: its type is
// switched off.
func failingOf(row models.WebhookRow, off bool, now time.Time) *failing {
	lane := row.Lane
	if row.State != models.WebhookActive || row.DeletedAt != nil || off || row.Locked || !lane.Failing(now) {
		return nil
	}
	f := &failing{InRow: web.Plural(int64(lane.FailuresInRow), "attempt", "attempts")}
	if lane.NextDueAt != nil && lane.NextDueAt.After(now) {
		f.Next = lane.NextDueAt
	}
	policy := wire.Policy{}
	if format, ok := wire.Lookup(row.Type); ok {
		policy = format.Policy
		f.Reason = policy.Explain(wire.Response{Code: lane.LastCode, ErrorClass: lane.LastError})
	}
	f.Do = deliveries.Advice(policy, lane.LastError, lane.LastCode)
	if f.Reason == "" {
		f.Reason = "The newest attempts failed."
	}
	return f
}

func heldNote(held int64) string {
	if held == 0 {
		return ""
	}
	return wording.Count(held) + " held"
}

func byNote(who string) string {
	if who == "" {
		return ""
	}
	return "by " + who
}

func successNote(lane models.Lane, now time.Time) string {
	if lane.LastSuccessAt == nil {
		return "no success yet"
	}
	return "no success for " + web.Span(now.Sub(*lane.LastSuccessAt))
}

// featureOff is the list's notice while a setting keeps types from sending.
type featureOff struct {
	Setting string
	Off, On []string // labels of the types that do not and that do send
	Stopped int64    // webhooks that do not send because of it
	Held    int64    // notifications that go out once it is on
}

func (s *Pages) featureOff(ctx context.Context, within models.LocationSet) (*featureOff, error) {
	off := &featureOff{Setting: models.EnableGenericWebhooks}
	var names []string
	for _, f := range wire.Formats() {
		if f.NeedsFeature {
			off.Off, names = append(off.Off, f.Label), append(names, f.Name)
		} else {
			off.On = append(off.On, f.Label)
		}
	}
	if len(off.Off) == 0 {
		return nil, nil
	}
	var err error
	off.Stopped, off.Held, err = s.Store.Webhooks.OfTypes(ctx, within, names)
	return off, err
}

// Trouble says in words how a webhook fares that needs attention, with a note to
// it and the reason; why may be empty.
func Trouble(row models.WebhookRow, at models.Snapshot) (badge web.Badge, note, why string) {
	off := !at.Settings.GenericEnabled && web.NeedsFeature(row.Type)
	badge, note = health(row, off, at.Now)
	if row.State == models.WebhookBroken {
		why = row.StateReason
	}
	if f := failingOf(row, off, at.Now); f != nil {
		why = f.Reason
	}
	return badge, note, why
}
