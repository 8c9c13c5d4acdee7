package handlers

import (
	"context"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// health says in words how a webhook fares, with a note to it. off: its type
// is switched off.
func health(row models.WebhookRow, off bool, now time.Time) (Badge, string) {
	lane := row.Lane
	switch {
	case row.State == models.WebhookBroken:
		return Badge{"st-broken", "Broken"}, heldNote(row.Held)
	case off && row.State == models.WebhookStopped:
		return Badge{"st-off", "Switched off"}, notes(heldNote(row.Held), "paused before")
	case off:
		return Badge{"st-off", "Switched off"}, heldNote(row.Held)
	case row.State == models.WebhookStopped:
		return Badge{"st-off", "Paused"}, notes(heldNote(row.Held), byNote(row.StateBy))
	case row.Locked:
		return Badge{"st-bad", "Cannot send"}, models.LockedWhy
	case lane.FailuresInRow == 0 && lane.LastAt == nil:
		return Badge{"st-none", "No deliveries yet"}, ""
	case lane.FailuresInRow == 0:
		return Badge{"st-ok", "Healthy"}, ""
	case lane.Failing(now):
		return Badge{"st-bad", failingSince(lane, now)}, successNote(lane, now)
	case lane.NextDueAt != nil && !lane.NextDueAt.After(now):
		return Badge{"st-wait", "Retrying"}, "due now"
	case lane.NextDueAt != nil:
		return Badge{"st-wait", "Retrying"}, "next try at " + deliveryClock(*lane.NextDueAt, now)
	default:
		return Badge{"st-wait", "Retrying"}, "the last attempt failed"
	}
}

func failingSince(lane models.Lane, now time.Time) string {
	if lane.FailingSince == nil {
		return "Failing"
	}
	return "Failing since " + deliveryClock(*lane.FailingSince, now)
}

// failing is what is said of an active webhook that is tried on although its
// receiver does not take what is sent.
type failing struct {
	Reason string     // of the newest attempt, in words
	Do     string     // what to do about it
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
	f := &failing{InRow: plural(int64(lane.FailuresInRow), "attempt", "attempts")}
	if lane.NextDueAt != nil && lane.NextDueAt.After(now) {
		f.Next = lane.NextDueAt
	}
	if lane.LastError != "" {
		f.Do = deliveryFaultOf(lane.LastError).Do
	} else {
		_, f.Do = deliveryAnswer(lane.LastCode)
	}
	if format, ok := wire.Lookup(row.Type); ok {
		f.Reason = format.Policy.Explain(wire.Response{Code: lane.LastCode, ErrorClass: lane.LastError})
	}
	if f.Reason == "" {
		f.Reason = "The newest attempts failed."
	}
	return f
}

func heldNote(held int64) string {
	if held == 0 {
		return ""
	}
	return count(held) + " held"
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
	return "no success for " + span(now.Sub(*lane.LastSuccessAt))
}

func notes(parts ...string) string {
	var list []string
	for _, p := range parts {
		if p != "" {
			list = append(list, p)
		}
	}
	return strings.Join(list, ", ")
}

// featureOff is what the list says while a setting keeps types from sending.
type featureOff struct {
	Setting string
	Off, On []string // labels of the types that do not and that do send
	Stopped int64    // webhooks that do not send because of it
	Held    int64    // notifications that wait for them
}

func (s *webhooksPages) featureOff(ctx context.Context) (*featureOff, error) {
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
	off.Stopped, off.Held, err = s.Store.Webhooks.OfTypes(ctx, names)
	return off, err
}
