package deliveries

import (
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// attemptLine is one attempt in the timeline.
type attemptLine struct {
	Number int
	Badge  web.Badge
	At     time.Time
	Delay  string // after the attempt before, or since the delivery was made
	Took   time.Duration
	What   string // a sentence; empty for a plain success
	Do     string // advice about the failure; empty: none
	Shown  bool   // in full, beside the timeline
	// Reconnected: the request was sent a second time, on a new connection.
	Reconnected bool
}

// OK tells an attempt that arrived.
func (l attemptLine) OK() bool { return l.Badge.Class == "st-ok" }

// TookWords is how long the attempt took, in words.
func (l attemptLine) TookWords() string { return TookAbout(int(l.Took.Milliseconds())) }

// attemptLines tells the attempts of a delivery made at the time given, in the
// words of its type's policy.
func attemptLines(made time.Time, attempts []models.Attempt, policy wire.Policy) []attemptLine {
	lines := make([]attemptLine, 0, len(attempts))
	before := made
	for i, a := range attempts {
		response := wire.Response{Code: a.Code, Body: a.ResponseBody, ErrorClass: a.ErrorClass}
		line := attemptLine{
			Number: a.Number, At: a.StartedAt, Took: time.Duration(a.DurationUS) * time.Microsecond,
			Delay: attemptDelay(a, before, i == 0), Badge: web.Badge{Class: "st-bad", Text: attemptWords(a)}, Reconnected: a.Reconnected,
		}
		if policy.Succeeded(response) {
			line.Badge.Class = "st-ok"
		} else {
			line.What, line.Do = policy.Explain(response), Advice(policy, a.ErrorClass, a.Code)
		}
		before = a.StartedAt.Add(line.Took)
		lines = append(lines, line)
	}
	return lines
}

// attemptDelay says how long after the attempt before this one came, or that
// a person asked for it.
func attemptDelay(a models.Attempt, before time.Time, first bool) string {
	delay := a.StartedAt.Sub(before)
	switch {
	case a.Manual:
		return "manual"
	case first && delay < 2*time.Second:
		return "immediately"
	case delay < time.Second:
		return "immediately"
	default:
		return "after " + wording.PauseWords(delay)
	}
}

func attemptWords(a models.Attempt) string {
	if a.Code != 0 {
		return web.FormatID(int64(a.Code))
	}
	return web.Capitalized(FaultOf(a.ErrorClass).Word)
}

// Advice is the advice about a failed attempt, by the code of its response, or
// by its error class when there was none.
func Advice(policy wire.Policy, class string, code int) string {
	switch {
	case code == 0:
		return FaultOf(class).Do
	case code < 300 && policy.SuccessHelp != "":
		return policy.SuccessHelp
	}
	_, do := Answer(code)
	return do
}

// starred tells a header value that was sensitive and so was not kept.
func starred(value string) bool {
	return value != "" && strings.Trim(value, "*•") == ""
}

// timestampHeader tells a header whose number is a time.
func timestampHeader(name string) bool {
	return strings.HasSuffix(strings.ToLower(name), "-timestamp")
}

// deliverySchedule are the coming attempts of a waiting delivery.
type deliverySchedule struct {
	Next  *time.Time // of the next attempt; nil: there is none, or it is held
	Of    int        // attempts the type makes in a round; 0: unknown
	After int        // attempts after the next one, if all fail
	Last  time.Time  // about when the last of these would be
}

// newDeliverySchedule reads the type's schedule on from where the delivery is.
func newDeliverySchedule(d models.Delivery, policy wire.Policy, now time.Time) deliverySchedule {
	s := deliverySchedule{Of: len(policy.Pauses) + 1}
	if !Pending(d) || d.DueAt == nil {
		return s
	}
	next := *d.DueAt
	s.Next = &next
	s.Last = next
	if now.After(next) {
		s.Last = now
	}
	if d.Round >= 0 && d.Round < len(policy.Pauses) {
		s.After = len(policy.Pauses) - d.Round
		for _, pause := range policy.Pauses[d.Round:] {
			s.Last = s.Last.Add(pause)
		}
	}
	return s
}
