package wire

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

func answered(code int, header ...string) Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Add(header[i], header[i+1])
	}
	return Response{Code: code, Header: h}
}

func TestJudgeSuccess(t *testing.T) {
	p := eightAttempts()
	for code, want := range map[int]bool{
		199: false, 200: true, 201: true, 204: true, 299: true, 300: false,
		301: false, 302: false, 308: false, 400: false, 404: false, 500: false, 101: false,
	} {
		v := p.Judge(Attempt{Number: 1, At: start, Response: answered(code), Health: Health{FailuresInRow: 3, FailingSince: start, LastFailureAt: start}})
		if v.Delivered != want || (v.Reason == "") != want || (v.Health == Health{}) != want {
			t.Errorf("%d: %+v", code, v)
		}
	}
	exact := Policy{Success: []int{200}, SuccessBody: "ok"}
	for body, want := range map[string]bool{"ok": true, "\tok\r\n": true, "": false, "okay": false, "<html>": false} {
		r := Response{Code: 200, Body: []byte(body)}
		if exact.Succeeded(r) != want || !want && !strings.Contains(exact.Explain(r), "“ok”") {
			t.Errorf("body %q: %v, %q", body, exact.Succeeded(r), exact.Explain(r))
		}
	}
	if exact.Succeeded(Response{Code: 202, Body: []byte("ok")}) {
		t.Error("202 passed where only 200 does")
	}
	if v := exact.Judge(Attempt{Number: 1, At: start, Response: answered(500)}); !v.Failed {
		t.Errorf("a policy without pauses tries again: %+v", v)
	}
}

// TestJudgeSchedule travels through all attempts of one delivery.
func TestJudgeSchedule(t *testing.T) {
	p, at, health := eightAttempts(), start, Health{}
	var pauses []string
	for number := 1; ; number++ {
		v := p.Judge(Attempt{Number: number, At: at, Response: answered(500), Health: health, Rand: 0.5})
		if health = v.Health; health.FailuresInRow != number || !health.FailingSince.Equal(start) || !health.LastFailureAt.Equal(at) {
			t.Fatalf("attempt %d: health %+v", number, health)
		}
		if v.Failed {
			if v.Reason != "The receiver answered 500 Internal Server Error. That was the last of 8 attempts." {
				t.Errorf("reason %q", v.Reason)
			}
			break
		}
		pauses = append(pauses, v.RetryAfter.String())
		at = at.Add(v.RetryAfter)
	}
	if got, want := strings.Join(pauses, " "), "5s 5m0s 30m0s 2h0m0s 5h0m0s 10h0m0s 10h0m0s"; got != want {
		t.Errorf("waits %s, want %s", got, want)
	}
}

func TestJudgeWaits(t *testing.T) {
	in := func(d time.Duration) string { return start.Add(d).Format(http.TimeFormat) }
	timeout := Response{ErrorClass: ClassTimeout}
	for name, c := range map[string]struct {
		number   int
		rand     float64
		response Response
		want     time.Duration
	}{
		"least jitter":                  {2, 0, answered(500), 4 * time.Minute},
		"most jitter":                   {2, 1, answered(500), 6 * time.Minute},
		"asked for less than the base":  {2, 0, answered(503, "Retry-After", "10"), 5 * time.Minute},
		"asked for more":                {2, 0, answered(503, "Retry-After", "400"), 400 * time.Second},
		"asked for ten years":           {2, 0, answered(503, "Retry-After", "315360000"), 10 * time.Minute},
		"asked for more than counts":    {2, 0, answered(503, "Retry-After", strings.Repeat("9", 400)), 10 * time.Minute},
		"asked for nothing":             {2, 0, answered(503, "Retry-After", "0"), 5 * time.Minute},
		"a negative number":             {2, 0, answered(503, "Retry-After", "-5"), 4 * time.Minute},
		"nonsense":                      {2, 0, answered(503, "Retry-After", "soon"), 4 * time.Minute},
		"not a number":                  {2, 0, answered(503, "Retry-After", "NaN"), 4 * time.Minute},
		"empty":                         {2, 0, answered(503, "Retry-After", ""), 4 * time.Minute},
		"decimals round up":             {1, 0, answered(503, "Retry-After", "6.2"), 7 * time.Second},
		"whole decimals stay":           {1, 0, answered(503, "Retry-After", "6.0"), 6 * time.Second},
		"a date":                        {2, 0, answered(503, "Retry-After", in(7*time.Minute)), 7 * time.Minute},
		"a date far off":                {2, 0, answered(503, "Retry-After", in(1000*time.Hour)), 10 * time.Minute},
		"a date past":                   {2, 0, answered(503, "Retry-After", in(-time.Hour)), 5 * time.Minute},
		"a time-out waits the floor":    {1, 0, timeout, time.Minute},
		"but no less than its pause":    {2, 0, timeout, 4 * time.Minute},
		"429 waits the floor":           {1, 0, answered(429), time.Minute},
		"429 that asks waits the floor": {1, 0, answered(429, "Retry-After", "8"), time.Minute},
		"500 does not":                  {1, 0, answered(500), 4 * time.Second},
		"refused does not":              {1, 0.5, Response{ErrorClass: ClassRefused}, 5 * time.Second},
	} {
		v := eightAttempts().Judge(Attempt{Number: c.number, At: start, Response: c.response, Rand: c.rand})
		if v.Delivered || v.Failed || v.RetryAfter != c.want {
			t.Errorf("%s: %v, want %v (%+v)", name, v.RetryAfter, c.want, v)
		}
	}
	plain := Policy{Pauses: []time.Duration{5 * time.Minute}}
	if v := plain.Judge(Attempt{Number: 1, At: start, Response: answered(429, "Retry-After", "500")}); v.RetryAfter != 5*time.Minute {
		t.Errorf("a policy that does not honour Retry-After waits %v", v.RetryAfter)
	}
}

func TestJudgeManual(t *testing.T) {
	v := eightAttempts().Judge(Attempt{Number: 1, Manual: true, At: start, Response: answered(500)})
	if !v.Failed || v.RetryAfter != 0 || v.Reason != "The receiver answered 500 Internal Server Error." || v.Health.FailuresInRow != 1 {
		t.Errorf("got %+v", v)
	}
	if v = eightAttempts().Judge(Attempt{Number: 1, Manual: true, At: start, Response: answered(200)}); !v.Delivered || v.Failed {
		t.Errorf("got %+v", v)
	}
}

func TestJudgeCanceledSaysNothing(t *testing.T) {
	health := Health{FailuresInRow: 7, FailingSince: start.Add(-240 * time.Hour), LastFailureAt: start}
	v := generic(t).Policy.Judge(Attempt{Number: 8, Manual: true, At: start, Response: Response{ErrorClass: ClassCanceled}, Health: health})
	if v.Delivered || v.Failed || v.RetryAfter != 0 || v.Broken != "" || v.Health != health || v.Reason == "" {
		t.Errorf("got %+v", v)
	}
}

func TestJudgeCodes(t *testing.T) {
	p := eightAttempts()
	p.Fatal = map[int]string{400: "it could not read the message."}
	v := p.Judge(Attempt{Number: 1, At: start, Response: answered(400)})
	if !v.Failed || v.Broken != "" || v.Reason != "The receiver answered 400 Bad Request: it could not read the message." {
		t.Errorf("fatal: %+v", v)
	}
	v = p.Judge(Attempt{Number: 1, At: start, Response: answered(410)})
	if v.Failed || v.RetryAfter == 0 || v.Broken != "The receiver answered 410 Gone." {
		t.Errorf("410 must break and hold the delivery: %+v", v)
	}
}

func TestJudgeStopHeaders(t *testing.T) {
	p := eightAttempts()
	p.Stops = []StopHeader{
		{Name: "webhook-delivery", Value: "abort-message"},
		{Name: "webhook-delivery", Value: "disable", BreaksWebhook: true},
	}
	judge := func(code int, value string) Verdict {
		return p.Judge(Attempt{Number: 1, At: start, Response: answered(code, "Webhook-Delivery", value)})
	}
	if v := judge(500, " Abort-Message "); !v.Failed || v.Broken != "" || !strings.HasSuffix(v.Reason, "no further attempts.") {
		t.Errorf("abort on failure: %+v", v)
	}
	if v := judge(200, "abort-message"); !v.Delivered || v.Failed || v.Reason != "" {
		t.Errorf("abort on success: %+v", v)
	}
	if v := judge(500, "disable"); v.Failed || v.RetryAfter == 0 || !strings.Contains(v.Broken, "disable") {
		t.Errorf("disable on failure: %+v", v)
	}
	if v := judge(204, "disable"); !v.Delivered || v.Broken == "" || v.Reason != "" {
		t.Errorf("disable on success: %+v", v)
	}
	if v := judge(500, "no such thing"); v.Failed || v.Broken != "" {
		t.Errorf("something else: %+v", v)
	}
}

func TestEveryClassHasWords(t *testing.T) {
	seen := map[string]string{}
	for _, class := range []string{
		ClassDNS, ClassRefused, ClassTimeout, ClassTLS, ClassBlocked, ClassReset, ClassProtocol, ClassTooLarge, ClassCanceled, ClassOther,
	} {
		words := eightAttempts().Explain(Response{ErrorClass: class})
		if other, taken := seen[words]; taken || !strings.HasSuffix(words, ".") {
			t.Errorf("%s: %q, the same as of %s", class, words, other)
		}
		seen[words] = class
	}
	for timeout, want := range map[time.Duration]string{
		500 * time.Millisecond: "500 milliseconds", time.Second: "1 second", 15 * time.Second: "15 seconds", time.Minute: "1 minute",
		90 * time.Second: "90 seconds", time.Hour: "1 hour", 24 * time.Hour: "24 hours", 48 * time.Hour: "2 days", 49 * time.Hour: "49 hours",
	} {
		p := eightAttempts()
		p.Timeout = timeout
		if got := p.Explain(Response{ErrorClass: ClassTimeout}); got != "The receiver did not answer within "+want+"." {
			t.Errorf("time-out %s: %q", timeout, got)
		}
	}
	if got := eightAttempts().Explain(Response{Code: 799}); got != "The receiver answered 799." {
		t.Errorf("unknown code: %q", got)
	}
}
