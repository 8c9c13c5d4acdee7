package models

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Filter decides which events a webhook gets.
type Filter struct {
	WebhookID int64
	Location  string
	Kinds     []EventKind
	TagMode   string
	Tags      []string
	Community string
	CreatedAt time.Time
	// AfterEvent is the number of the newest event when the webhook was created.
	AfterEvent int64
}

// MatchSubject has the fields of an event that a filter uses.
type MatchSubject struct {
	Kind       EventKind
	Location   string
	Community  string
	Tags       []string
	ReceivedAt time.Time
	// Number is that of a stored event. Numbers say which events a webhook
	// existed for, since a clock may be set back. 0: its time does.
	Number int64
	// About is the webhook that the event is about; 0: none.
	About int64
}

// Codes of a Reason, in the order in which they are looked for.
const (
	ReasonMatch        = ""
	ReasonLocation     = "location"
	ReasonCreatedLater = "created_later"
	ReasonActivity     = "activity"
	ReasonTags         = "tags"
	ReasonCommunity    = "community"
	ReasonItself       = "itself"
)

// Reason says why a filter does not let an event through; the zero Reason
// says that it does.
type Reason struct {
	Code string
	// Has are the event's values, Wants the webhook's, both in the words of the
	// filter (tags, slugs, event types).
	Has, Wants []string
}

// OK tells a match.
func (r Reason) OK() bool { return r.Code == ReasonMatch }

// Sentence says both sides; empty for a match.
func (r Reason) Sentence() string {
	has, wants := list(r.Has, "and"), list(r.Wants, "or")
	switch r.Code {
	case ReasonLocation:
		return fmt.Sprintf("The event is from %s; this webhook is on %s.", has, wants)
	case ReasonCreatedLater:
		return fmt.Sprintf("The event was received at %[2]s; this webhook was created at %[1]s.", wants, has)
	case ReasonActivity:
		return fmt.Sprintf("The event is %s; this webhook reports %s.", has, list(r.Wants, "and"))
	case ReasonTags:
		return fmt.Sprintf("The event has %s; this webhook requires %s.", has, wants)
	case ReasonCommunity:
		return fmt.Sprintf("The event is in %s; this webhook requires %s.", has, wants)
	case ReasonItself:
		return "A webhook never reports its own failure."
	}
	return ""
}

// Match is the one rule by which dispatch, preview and history decide. State
// and feature are no part of it: a webhook that cannot send still gets its
// delivery, which is held.
func Match(f Filter, s MatchSubject) Reason {
	switch {
	case f.Location != s.Location:
		return Reason{ReasonLocation, []string{s.Location}, []string{f.Location}}
	case f.createdAfter(s):
		const clock = "15:04:05 on Jan 2"
		return Reason{ReasonCreatedLater, []string{s.ReceivedAt.Format(clock)}, []string{f.CreatedAt.Format(clock)}}
	case !slices.Contains(f.Kinds, s.Kind):
		return Reason{ReasonActivity, kindNames([]EventKind{s.Kind}), kindNames(f.Kinds)}
	case f.TagMode == TagsSpecific && !anyIn(s.Tags, f.Tags):
		return Reason{ReasonTags, s.Tags, f.Tags}
	case f.Community != "" && f.Community != s.Community:
		return Reason{ReasonCommunity, some(s.Community), []string{f.Community}}
	}
	if s.About != 0 && s.About == f.WebhookID {
		return Reason{Code: ReasonItself}
	}
	return Reason{}
}

// createdAfter tells whether the webhook did not exist yet when the event was
// received.
func (f Filter) createdAfter(s MatchSubject) bool {
	if s.Number != 0 {
		return s.Number <= f.AfterEvent
	}
	return f.CreatedAt.After(s.ReceivedAt)
}

// MatchSubject returns the fields of the event that filters use.
func (e Event) MatchSubject() MatchSubject {
	s := MatchSubject{Kind: e.Kind(), Location: e.Location, Community: e.Community, Tags: e.Tags, ReceivedAt: e.ReceivedAt, Number: e.ID}
	if e.Type == WebhookBrokenEvent {
		s.About, _ = strconv.ParseInt(e.Subject, 10, 64)
	}
	return s
}

// Filter returns the webhook's filter; kinds are those of the events that its
// options cover.
func (w Webhook) Filter(kinds []EventKind) Filter {
	return Filter{w.ID, w.Location, kinds, w.TagMode, w.Tags, w.Community, w.CreatedAt, w.AfterEvent}
}

// Filter returns the filter of a version of the webhook.
func (v WebhookVersion) Filter(kinds []EventKind, w Webhook) Filter {
	return Filter{v.WebhookID, v.Location, kinds, v.TagMode, v.Tags, v.Community, w.CreatedAt, w.AfterEvent}
}

// kindNames are the types, with the family where the type does not name it.
func kindNames(kinds []EventKind) []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		if names[i] = k.Type; !strings.HasPrefix(k.Type, k.Family+".") {
			names[i] += " (" + k.Family + ")"
		}
	}
	return names
}

func anyIn(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

func some(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func list(words []string, last string) string {
	switch n := len(words); n {
	case 0:
		return "none"
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " " + last + " " + words[n-1]
	}
}
