package wire

import (
	"fmt"
	"net/http"
	"time"
)

// Attempt is a finished attempt, with the state of its delivery and webhook at
// that time.
type Attempt struct {
	Number   int  // attempts in this round of the schedule, this one included
	Manual   bool // resent by hand: no attempt follows it
	At       time.Time
	Response Response
	Health   Health
	Rand     float64 // 0 to 1, for the jitter
}

// Verdict is the meaning of an attempt. When it is neither Delivered nor
// Failed, the next attempt is due RetryAfter from Try.At.
type Verdict struct {
	Delivered  bool
	Failed     bool // no further attempt
	RetryAfter time.Duration
	Reason     string // words for people; empty on success
	Broken     string // why the webhook is to be set broken, in words; empty: it is not
	Health     Health
}

// Judge decides the meaning of an attempt. A delivery whose response breaks the
// webhook does not fail: it is held until the webhook works again. A canceled
// attempt has no meaning: it is due again at once, changes no health and is not
// counted.
func (p Policy) Judge(t Attempt) Verdict {
	if t.Response.ErrorClass == ClassCanceled {
		return Verdict{Reason: p.Explain(t.Response), Health: t.Health}
	}
	stop, stopped := p.stop(t.Response)
	v := Verdict{Delivered: p.Succeeded(t.Response), Reason: p.Explain(t.Response)}
	if v.Delivered {
		if stopped && stop.BreaksWebhook {
			v.Broken = stopReason(stop)
		}
		return v
	}
	v.Health = p.Broken.failed(t.Health, t.At)
	_, fatal := p.Fatal[t.Response.Code]
	_, breaks := p.Breaks[t.Response.Code]
	switch {
	case stopped && stop.BreaksWebhook:
		v.Broken = stopReason(stop)
	case breaks:
		v.Broken = v.Reason
	case p.Broken.broken(v.Health, t.At):
		v.Broken = p.Broken.words(v, t.At)
	}
	switch number := max(t.Number, 1); {
	case t.Manual || fatal:
		v.Failed = true
	case stopped && !stop.BreaksWebhook:
		v.Failed, v.Reason = true, v.Reason+" The receiver asked for no further attempts."
	case number > len(p.Pauses):
		v.Failed, v.Reason = true, fmt.Sprintf("%s That was the last of %d attempts.", v.Reason, len(p.Pauses)+1)
	default:
		v.RetryAfter = p.wait(t, p.Pauses[number-1])
	}
	return v
}

// wait is the pause after a failed attempt, whose base is given.
func (p Policy) wait(t Attempt, base time.Duration) time.Duration {
	wait := base + time.Duration(p.Jitter*(2*t.Rand-1)*float64(base))
	if p.HonourRetryAfter {
		if requested, ok := retryAfter(t.Response.Header, t.At); ok {
			wait = min(max(requested, base), 2*base)
		}
	}
	if t.Response.ErrorClass == ClassTimeout || t.Response.Code == http.StatusTooManyRequests {
		wait = max(wait, p.Floor)
	}
	return wait
}

func stopReason(s StopHeader) string {
	return fmt.Sprintf("The receiver asked Sitehooks to stop with the header “%s: %s”.", s.Name, s.Value)
}

// words says that the rule broke the webhook, whose newest attempt is given.
func (b BrokenRule) words(v Verdict, at time.Time) string {
	if b.After == 0 {
		return fmt.Sprintf("Too many errors: %d attempts in a row failed. Last error: %s", v.Health.FailuresInRow, v.Reason)
	}
	since, unit := at.Sub(v.Health.FailingSince), time.Minute
	if since >= time.Hour {
		unit = time.Hour
	}
	return fmt.Sprintf("Every attempt in the last %s failed, %d in a row. Last error: %s",
		spanWords(since.Truncate(unit)), v.Health.FailuresInRow, v.Reason)
}
