package wire

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// journey travels through the attempts of one delivery at the pace that the
// policy asks for, until it ends or its webhook breaks. Nothing waits.
func journey(p Policy, health Health, random float64, answer func(number int) Response) (at []time.Duration, last Verdict) {
	now := start
	for number := 1; ; number++ {
		at = append(at, now.Sub(start))
		last = p.Judge(Attempt{Number: number, At: now, Response: answer(number), Health: health, Rand: random})
		health = last.Health
		if last.Delivered || last.Failed || last.Broken != "" {
			return at, last
		}
		now = now.Add(last.RetryAfter)
	}
}

func always(r Response) func(int) Response { return func(int) Response { return r } }

// clock writes times as minutes:seconds.
func clock(at []time.Duration) string {
	texts := make([]string, len(at))
	for i, d := range at {
		d = d.Round(time.Second)
		texts[i] = fmt.Sprintf("%d:%02d", d/time.Minute, d%time.Minute/time.Second)
	}
	return strings.Join(texts, " ")
}

func said(code int, body string) Response {
	r := answered(code)
	r.Body = []byte(body)
	return r
}

const leastJitter = "0:00 0:04 4:04 28:04 124:04 364:04 844:04 1324:04"

func TestSchedules(t *testing.T) {
	for name, c := range map[string]struct {
		format string
		random float64
		answer Response
		want   string
		reason string
	}{
		"generic in the middle":   {"generic", 0.5, answered(500), "0:00 0:05 5:05 35:05 155:05 455:05 1055:05 1655:05", "That was the last of 8 attempts."},
		"slack in the middle":     {"slack", 0.5, said(500, "rollup_error"), "0:00 0:05 5:05 35:05 155:05 455:05 1055:05 1655:05", "That was the last of 8 attempts."},
		"stackauth in the middle": {"stackauth", 0.5, answered(500), "0:00 0:05 5:05 35:05 155:05 455:05 1055:05 1655:05", "That was the last of 8 attempts."},
		"stackauth at its least":  {"stackauth", 0, answered(500), leastJitter, "That was the last of 8 attempts."},
		"stackauth at its most":   {"stackauth", 1, answered(500), "0:00 0:06 6:06 42:06 186:06 546:06 1266:06 1986:06", "That was the last of 8 attempts."},
		"stackauth, no answer":    {"stackauth", 0, Response{ErrorClass: ClassTimeout}, "0:00 1:00 5:00 29:00 125:00 365:00 845:00 1325:00", "That was the last of 8 attempts."},
		"userecho":                {"userecho", 1, answered(204), "0:00 5:00 10:00 15:00 20:00 25:00 30:00 35:00 40:00 45:00 50:00 55:00 60:00", "That was the last of 13 attempts."},
		"userecho, 410 is no end": {"userecho", 0, answered(410), "0:00 5:00 10:00 15:00 20:00 25:00 30:00 35:00 40:00 45:00 50:00 55:00 60:00", "That was the last of 13 attempts."},
		"userecho, 429 asks":      {"userecho", 0, answered(429, "Retry-After", "400"), "0:00 5:00 10:00 15:00 20:00 25:00 30:00 35:00 40:00 45:00 50:00 55:00 60:00", "last of 13"},
	} {
		f := known(t, c.format)
		p := f.Policy
		p.Broken = BrokenRule{} // the effect of a single delivery on the webhook is another test
		at, last := journey(p, Health{}, c.random, always(c.answer))
		if got := clock(at); got != c.want || !last.Failed || !strings.Contains(last.Reason, c.reason) {
			t.Errorf("%s: attempts at %s, want %s; %+v", name, got, c.want, last)
		}
	}
}

// TestSuperOfficeRounds: three quick tries, to the back of the queue, three
// rounds; the seventh failure in a row breaks the webhook before the end.
func TestSuperOfficeRounds(t *testing.T) {
	p := known(t, "superoffice").Policy
	const rounds = "0:00 0:01 0:06 5:06 5:07 5:12 10:12 10:13 10:18"
	at, last := journey(p, Health{}, 0.9, always(answered(500)))
	if got := clock(at); got != strings.TrimSuffix(rounds, " 10:13 10:18") || last.Failed || last.Health.FailuresInRow != 7 {
		t.Errorf("attempts at %s, %+v", got, last)
	}
	if want := "Too many errors: 7 attempts in a row failed. Last error: The receiver answered 500 Internal Server Error."; last.Broken != want {
		t.Errorf("broken: %q, want %q", last.Broken, want)
	}
	if last.RetryAfter == 0 {
		t.Error("the delivery that broke its webhook must wait for it to be mended")
	}
	// A success by hand in between sets the count to 0: the rounds go on.
	p.Broken = BrokenRule{}
	at, last = journey(p, Health{}, 0.1, always(answered(201)))
	if got := clock(at); got != rounds || !last.Failed || !strings.HasSuffix(last.Reason, "That was the last of 9 attempts.") {
		t.Errorf("attempts at %s, %+v", got, last)
	}
}

func TestSuperOfficeBreaks(t *testing.T) {
	f := known(t, "superoffice")
	six := Health{FailuresInRow: 6, FailingSince: start.Add(-time.Hour), LastFailureAt: start}
	at, last := journey(f.Policy, six, 0, always(Response{ErrorClass: ClassRefused}))
	if len(at) != 1 || !strings.HasPrefix(last.Broken, "Too many errors: 7 attempts") {
		t.Errorf("the seventh over several deliveries: %v, %+v", at, last)
	}
	_, last = journey(f.Policy, six, 0, always(answered(200)))
	if !last.Delivered || last.Health != (Health{}) || last.Broken != "" {
		t.Errorf("a success sets the count to 0: %+v", last)
	}
	at, last = journey(f.Policy, Health{}, 0, always(answered(410)))
	if len(at) != 1 || last.Broken == "" || last.Failed {
		t.Errorf("410: %v, %+v", at, last)
	}
	if p := f.Policy; !p.HoldOthers || p.MaxInFlight != 1 || !f.HTTPSOnly || !f.PingOnSave {
		t.Errorf("one at a time, https and the ping on save: %+v", f)
	}
}

// TestSlackAnswers: Slack's answers, their words, and their consequences.
func TestSlackAnswers(t *testing.T) {
	p := known(t, "slack").Policy
	if p.MinGap != time.Second {
		t.Errorf("a message every %v", p.MinGap)
	}
	const goes, fails, breaks = "goes on", "fails", "breaks"
	for _, c := range []struct {
		code       int
		body, then string
		words      string
	}{
		{200, "nope", goes, "the body is not “ok”"},
		{200, "", goes, "the body is not “ok”"},
		{201, "ok", goes, "The receiver answered 201 Created."},
		{302, "", goes, "The receiver answered 302 Found."},
		{400, "invalid_payload", fails, "The receiver answered 400 Bad Request (invalid_payload): Slack could not read the message."},
		{400, "", fails, "Slack could not use the message."},
		{403, "action_prohibited\n", breaks, "(action_prohibited): an administrator of the workspace does not allow it."},
		{403, "invalid_token", breaks, "(invalid_token): the URL is not"},
		{404, "channel_not_found", breaks, "(channel_not_found): the channel no longer exists."},
		{404, "no_service", breaks, "(no_service): the webhook was removed"},
		{404, "<html>", breaks, "The receiver answered 404 Not Found: Slack has no such webhook or channel."},
		{410, "channel_is_archived", breaks, "(channel_is_archived): the channel was archived."},
		{410, "", breaks, "The receiver answered 410 Gone: the channel no longer exists."},
		{429, "rate_limited", goes, "exceeded Slack's rate limit"},
		{500, "rollup_error", goes, "The receiver answered 500 Internal Server Error (rollup_error): Slack had an internal error."},
		{503, "", goes, "The receiver answered 503 Service Unavailable."},
	} {
		v := p.Judge(Attempt{Number: 1, At: start, Response: said(c.code, c.body), Rand: 0.5})
		then := goes
		switch {
		case v.Delivered:
			then = "is delivered"
		case v.Failed:
			then = fails
		case v.Broken != "":
			then = breaks
		}
		if then != c.then || !strings.Contains(v.Reason, c.words) {
			t.Errorf("%d %q %s: %q, want %s: %q", c.code, c.body, then, v.Reason, c.then, c.words)
		}
	}
	if v := p.Judge(Attempt{Number: 1, At: start, Response: said(200, "ok\n")}); !v.Delivered {
		t.Errorf("ok: %+v", v)
	}
	limited := said(429, "rate_limited")
	limited.Header.Set("Retry-After", "30")
	if v := p.Judge(Attempt{Number: 1, At: start, Response: limited}); v.RetryAfter != time.Minute {
		t.Errorf("429 waits %v", v.RetryAfter)
	}
	if v := p.Judge(Attempt{Number: 3, At: start, Response: answered(429, "Retry-After", "2400")}); v.RetryAfter != 40*time.Minute {
		t.Errorf("429 that asks waits %v", v.RetryAfter)
	}
}

func TestStackAuthStops(t *testing.T) {
	p := known(t, "stackauth").Policy
	stop := func(code int, value string) Verdict {
		return p.Judge(Attempt{Number: 1, At: start, Response: answered(code, "webhook-delivery", value)})
	}
	if v := stop(500, "abort-message"); !v.Failed || v.Broken != "" {
		t.Errorf("abort-message: %+v", v)
	}
	if v := stop(500, "disable"); v.Failed || v.Broken == "" {
		t.Errorf("disable: %+v", v)
	}
	if v := p.Judge(Attempt{Number: 1, At: start, Response: answered(410)}); v.Broken == "" {
		t.Errorf("410: %+v", v)
	}
	for _, other := range []string{"generic", "slack", "userecho", "superoffice"} {
		v := known(t, other).Policy.Judge(Attempt{Number: 1, At: start, Response: answered(500, "webhook-delivery", "disable")})
		if v.Failed || v.Broken != "" {
			t.Errorf("%s minds a header that is not its own: %+v", other, v)
		}
	}
}

// TestBrokenAfter travels for days: a delivery every hour with its retries.
func TestBrokenAfter(t *testing.T) {
	day := []float64{0, 24, 25}
	for name, c := range map[string]struct {
		format string
		hours  []float64
		want   float64
	}{
		"generic, all day":                 {"generic", every(0, 1, 200), 24},
		"slack, all day":                   {"slack", every(0, 1, 200), 24},
		"slack, few failures":              {"slack", day, -1},
		"stackauth, all day":               {"stackauth", every(0, 1, 200), 132},
		"stackauth, one delivery":          {"stackauth", []float64{0, 0.001, 0.08, 0.58, 2.58, 7.58, 17.58, 27.58}, -1},
		"stackauth, and one days after":    {"stackauth", []float64{0, 0.001, 0.08, 0.58, 2.58, 7.58, 17.58, 27.58, 137.5, 137.6}, 137.6},
		"stackauth, failures in a morning": {"stackauth", every(0, 0.1, 11), -1},
		"userecho, all day":                {"userecho", every(0, 1, 200), 24},
		"userecho, the next day":           {"userecho", day, 24},
		"userecho, one delivery":           {"userecho", every(0, 1.0/12, 1), -1},
		"superoffice":                      {"superoffice", every(0, 100, 2000), 600},
	} {
		if got := breaksAt(known(t, c.format).Policy.Broken, c.hours...); got != c.want {
			t.Errorf("%s: broke at hour %v, want %v", name, got, c.want)
		}
	}
}
