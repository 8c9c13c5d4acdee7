package wire

import (
	"bytes"
	"slices"
	"strings"
	"time"
)

// Policy says, as data, how a type interprets responses. The zero Policy takes
// any 2xx for success, never tries again and never breaks.
type Policy struct {
	Timeout time.Duration // of the whole exchange

	Success     []int  // the codes that mean success; empty: any 2xx
	SuccessBody string // required body, spaces around it aside; empty: any
	// SuccessHelp is advice, as sentences, about a 2xx that is not a success;
	// empty: none.
	SuccessHelp string

	// Pauses are the waits after each failed attempt; there is one attempt
	// more than pauses. Jitter moves a pause by up to that share of it,
	// either way. A time-out or 429 waits at least Floor. Retry-After counts
	// where HonourRetryAfter says so, between one and two pauses.
	Pauses           []time.Duration
	Jitter           float64
	Floor            time.Duration
	HonourRetryAfter bool

	// Fatal are codes that fail the delivery at once, Breaks those that break
	// the webhook at once, each with its meaning as a sentence, or empty when
	// the code says enough.
	Fatal  map[int]string
	Breaks map[int]string
	Stops  []StopHeader
	Broken BrokenRule
	// Words explain bodies that name a failure's cause, each as a sentence.
	Words map[string]string

	// Limits on the rate of deliveries to one webhook. The sender applies them.
	MaxInFlight int           // at once; 0: no limit of the type's own
	MinGap      time.Duration // between the starts of two requests
	HoldOthers  bool          // while the newest attempt failed, no other delivery starts
}

// StopHeader is a response header by which a receiver asks for an end: of the
// delivery's retries when it failed, or, if BreaksWebhook, of the webhook,
// whether or not it failed. Values compare without regard to case.
type StopHeader struct {
	Name, Value   string
	BreaksWebhook bool
}

// BrokenRule says when failures break a webhook: after nothing but failures
// for at least After, and at least Count of them in a row. Zero asks nothing;
// both zero: never.
//
// With Apart, the clock of After only starts at a failure that follows another
// by at least Apart and at most Within.
type BrokenRule struct {
	After         time.Duration
	Count         int
	Apart, Within time.Duration
}

// Succeeded says whether the response means that the notification arrived.
func (p Policy) Succeeded(r Response) bool {
	if r.ErrorClass != "" {
		return false
	}
	if p.SuccessBody != "" && string(bytes.TrimSpace(r.Body)) != p.SuccessBody {
		return false
	}
	if len(p.Success) > 0 {
		return slices.Contains(p.Success, r.Code)
	}
	return r.Code >= 200 && r.Code <= 299
}

// Explain describes the meaning of the response in a sentence for people; empty
// for a success.
func (p Policy) Explain(r Response) string {
	if p.Succeeded(r) {
		return ""
	}
	if r.ErrorClass == "" {
		text := string(bytes.TrimSpace(r.Body))
		if words, ok := p.Words[text]; ok {
			return "The receiver answered " + codeWords(r.Code) + " (" + text + "): " + words
		}
		for _, meaning := range []map[int]string{p.Breaks, p.Fatal} {
			if words := meaning[r.Code]; words != "" {
				return "The receiver answered " + codeWords(r.Code) + ": " + words
			}
		}
		if p.SuccessBody != "" && slices.Contains(p.Success, r.Code) {
			return "The receiver answered " + codeWords(r.Code) + ", but the body is not “" + p.SuccessBody + "”."
		}
	}
	return r.words(p.Timeout)
}

// stop finds the stop header that the response has.
func (p Policy) stop(r Response) (s StopHeader, found bool) {
	for _, s := range p.Stops {
		for _, v := range r.Header.Values(s.Name) {
			if strings.EqualFold(strings.TrimSpace(v), s.Value) {
				return s, true
			}
		}
	}
	return StopHeader{}, false
}

// eightAttempts is the schedule that several types share: eight attempts over
// a little more than a day.
func eightAttempts() Policy {
	return Policy{
		Timeout: 15 * time.Second,
		Pauses: []time.Duration{
			5 * time.Second, 5 * time.Minute, 30 * time.Minute,
			2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
		},
		Jitter:           0.2,
		Floor:            time.Minute,
		HonourRetryAfter: true,
		Breaks:           map[int]string{410: ""},
	}
}
