package deliveries_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

var historyNow = time.Date(2026, 11, 21, 2, 14, 0, 0, time.UTC)

func after(d time.Duration) *time.Time {
	t := historyNow.Add(d)
	return &t
}

func TestDeliveryBadgeAndNote(t *testing.T) {
	tests := []struct {
		d    models.Delivery
		held string
		want string
	}{
		{models.Delivery{State: "pending", DueAt: after(20 * time.Second)}, "", "st-info Pending|due at 02:14:20"},
		{models.Delivery{State: "pending", DueAt: after(0)}, "", "st-info Pending|due now"},
		{models.Delivery{State: "retrying", LastCode: 503, DueAt: after(221 * time.Second)}, "", "st-wait Retrying 503|next attempt at 02:17:41"},
		{models.Delivery{State: "retrying", LastError: "timeout", DueAt: after(26 * time.Hour)}, "", "st-wait Retrying: timed out|next attempt on Nov 22 at 04:14:00"},
		{models.Delivery{State: "retrying", LastCode: 410}, "the webhook is broken", "st-held Held|the webhook is broken"},
		{models.Delivery{State: "delivered", LastCode: 204, FinishedAt: after(-30 * time.Second)}, "", "st-ok Delivered 204|at 02:13:30"},
		{models.Delivery{State: "failed", LastCode: 410, FinishedAt: after(0), Reason: "gone"}, "", "st-bad Failed 410|at 02:14:00: gone"},
		{models.Delivery{State: "failed", LastError: "dns", FinishedAt: after(0)}, "", "st-bad Failed: DNS|at 02:14:00"},
		{models.Delivery{State: "failed", LastError: "new one"}, "", "st-bad Failed: error|"},
		{models.Delivery{State: "dropped", FinishedAt: after(0), Reason: "dropped by Mary Wilkins"}, "", "st-none Dropped|at 02:14:00: dropped by Mary Wilkins"},
		{models.Delivery{State: "odd"}, "", "st-none odd|"},
	}
	for _, tt := range tests {
		b := deliveries.Badge(tt.d, tt.held != "")
		if got := b.Class + " " + b.Text + "|" + deliveries.Note(tt.d, tt.held, historyNow); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestEveryErrorClassHasWords(t *testing.T) {
	for _, class := range deliveries.DeliveryErrorClasses {
		if f := deliveries.FaultOf(class); f.Word == "" || !strings.HasSuffix(f.Do, ".") {
			t.Errorf("%s: %+v", class, f)
		}
	}
	for _, code := range []int{200, 302, 401, 403, 404, 405, 410, 413, 418, 429, 500, 599, 999} {
		if what, do := deliveries.Answer(code); !strings.HasPrefix(what, web.FormatID(int64(code))) || !strings.HasSuffix(do, ".") {
			t.Errorf("%d: %q, %q", code, what, do)
		}
	}
}

func TestDeliveryHeldWhy(t *testing.T) {
	tests := []struct {
		w       models.Webhook
		enabled bool
		want    string
	}{
		{models.Webhook{Type: "generic", State: "active"}, true, ""},
		{models.Webhook{Type: "generic", State: "active"}, false, "Webhooks.EnableGenericWebhooks is off"},
		{models.Webhook{Type: "generic", State: "stopped", StateBy: "Priya", StateAt: after(-48 * time.Hour)}, true, "paused since Nov 19 at 02:14:00 by Priya"},
		{models.Webhook{Type: "generic", State: "stopped", StateAt: after(-time.Minute)}, true, "paused since 02:13:00"},
		{models.Webhook{Type: "generic", State: "broken", StateReason: "The receiver answered 410 Gone."}, true, "the webhook is broken: The receiver answered 410 Gone."},
		{models.Webhook{Type: "generic", State: "broken"}, true, "the webhook is broken"},
		{models.Webhook{Type: "generic", State: "active", DeletedAt: after(0)}, true, "the webhook was deleted"},
	}
	for _, tt := range tests {
		if got := deliveries.HeldWhy(tt.w, tt.enabled, historyNow); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestAttemptLines(t *testing.T) {
	made := historyNow
	policy := webtest.Lookup(t, "generic").Policy
	at := made.Add
	lines := deliveries.AttemptLines(made, []models.Attempt{
		{Number: 1, StartedAt: at(0), DurationUS: 15_000_000, ErrorClass: "timeout"},
		{Number: 2, StartedAt: at(84 * time.Second), DurationUS: 3000, ErrorClass: "refused"},
		{Number: 3, StartedAt: at(84*time.Second + 315*time.Second), DurationUS: 212_000, Code: 503},
		{Number: 4, StartedAt: at(3 * time.Hour), Code: 204},
		{Number: 5, StartedAt: at(4 * time.Hour), Code: 410, Manual: true},
	}, policy)
	want := []string{
		"st-bad Timed out|immediately|The receiver did not answer within 15 seconds.", "st-bad Refused|after 69 s|The connection was refused.",
		"st-bad 503|after 5 min 15 s|The receiver answered 503 Service Unavailable.", "st-ok 204|after 2 h 53 min|",
		"st-bad 410|manual|The receiver answered 410 Gone.",
	}
	for i, l := range lines {
		if got := l.Badge.Class + " " + l.Badge.Text + "|" + l.Delay + "|" + l.What; got != want[i] {
			t.Errorf("attempt %d: %q, want %q", i+1, got, want[i])
		}
		if l.OK() != (l.Do == "") {
			t.Errorf("attempt %d: what to do: %q", i+1, l.Do)
		}
	}
}

func TestDeliverySchedule(t *testing.T) {
	policy := wire.Policy{Pauses: []time.Duration{time.Second, time.Minute, time.Hour}}
	tests := []struct {
		d     models.Delivery
		after int
		last  time.Duration // from now; -1: there is no next attempt
	}{
		{models.Delivery{State: "pending", DueAt: after(0)}, 3, time.Hour + time.Minute + time.Second},
		{models.Delivery{State: "pending", DueAt: after(-time.Minute)}, 3, time.Hour + time.Minute + time.Second},
		{models.Delivery{State: "retrying", Round: 2, DueAt: after(time.Minute)}, 1, time.Hour + time.Minute},
		{models.Delivery{State: "retrying", Round: 3, DueAt: after(time.Minute)}, 0, time.Minute},
		{models.Delivery{State: "retrying", Round: 9, DueAt: after(time.Minute)}, 0, time.Minute},
		{models.Delivery{State: "delivered", DueAt: after(time.Minute)}, 0, -1},
		{models.Delivery{State: "pending"}, 0, -1},
	}
	for i, tt := range tests {
		s := deliveries.NewDeliverySchedule(tt.d, policy, historyNow)
		if (s.Next == nil) != (tt.last < 0) || s.Of != 4 || s.After != tt.after || s.Next != nil && !s.Last.Equal(*after(tt.last)) {
			t.Errorf("%d: %+v", i, s)
		}
	}
}

func TestHeaderLines(t *testing.T) {
	lines := deliveries.HeaderLines([]byte(`[["webhook-timestamp","1795225466"],["X-Count","1795225466"],["Authorization","***"],["Set-Cookie","••••"],["X-Empty",""]]`))
	if len(lines) != 5 || lines[0].Aside != "(01:44:26 UTC)" || lines[1].Aside != "" || !lines[2].Starred || !lines[3].Starred || lines[4].Starred {
		t.Errorf("%+v", lines)
	}
	if deliveries.HeaderLines([]byte("nonsense")) != nil || deliveries.HeaderLines(nil) != nil {
		t.Error("nonsense has lines")
	}
}

func TestPrettyCode(t *testing.T) {
	show := func(parts []deliveries.CodePart) string {
		var b strings.Builder
		for _, p := range parts {
			if p.Class != "" {
				b.WriteString("[" + strings.TrimPrefix(p.Class, "hljs-") + ":" + p.Text + "]")
			} else {
				b.WriteString(p.Text)
			}
		}
		return b.String()
	}
	tests := map[string]string{
		`{"a":1,"b":[-1.5e3,"x:\"y"],"c":null,"d":true}`: "{\n  [attr:\"a\"]: [number:1],\n  [attr:\"b\"]: [\n    [number:-1.5e3],\n    [string:\"x:\\\"y\"]\n  ],\n  [attr:\"c\"]: [literal:null],\n  [attr:\"d\"]: [literal:true]\n}",
		`12345678901234567890.10`:                        "[number:12345678901234567890.10]", `"שלום"`: `[string:"שלום"]`,
		"not json {": "not json {", "": "", "\xff": "\uFFFD", `{"a":`: `{"a":`,
	}
	for body, want := range tests {
		if got := show(deliveries.PrettyCode([]byte(body))); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", body, got, want)
		}
	}
	large := `["` + strings.Repeat("x", deliveries.CodeColoured) + `"]`
	if parts := deliveries.PrettyCode([]byte(large)); len(parts) != 1 || parts[0].Class != "" {
		t.Errorf("a large body has %d parts", len(parts))
	}
}

func TestParseDeliveryQuery(t *testing.T) {
	v, err := url.ParseQuery("webhook=7&state=failed&code=5xx&error=dns&type=answer.accepted&time=24h&before=90")
	if err != nil {
		t.Fatal(err)
	}
	q, f, faults := deliveries.ParseDeliveryQuery(v, historyNow)
	want := models.DeliveryQuery{
		WebhookID: 7, State: "failed", CodeClass: 5, ErrorClass: "dns", EventTypes: []string{"answer.accepted"},
		From: *after(-24 * time.Hour), Before: 90, Limit: deliveries.DeliveriesShown,
	}
	if !reflect.DeepEqual(q, want) || len(faults) != 0 || !f.Filtered() {
		t.Errorf("%+v, %v\nwant %+v", q, faults, want)
	}
	if q, f, faults = deliveries.ParseDeliveryQuery(url.Values{}, historyNow); !reflect.DeepEqual(q, models.DeliveryQuery{Limit: deliveries.DeliveriesShown}) || f.Filtered() || faults != nil {
		t.Errorf("empty: %+v, %+v, %v", q, f, faults)
	}
	// A chosen moment counts for more than a span.
	times, from, to := parseTimesOf("time=7d&to=2026-11-20")
	if times.Span != "" || !from.IsZero() || !to.Equal(time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)) || times.To != "2026-11-20T00:00" {
		t.Errorf("%+v from %s to %s", times, from, to)
	}
	times, from, _ = parseTimesOf("from=2026-11-20T10:00:05%2B02:00")
	if times.From != "2026-11-20T08:00:05" || from.Hour() != 8 {
		t.Errorf("%+v from %s", times, from)
	}
}

func parseTimesOf(query string) (web.TimeFilter, time.Time, time.Time) {
	v, _ := url.ParseQuery(query)
	var f web.TimeFilter
	rules.BindFilters(v, &f)
	from, to := f.Range(historyNow)
	return f, from, to
}
