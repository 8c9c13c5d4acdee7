package read

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	ceHTTP "github.com/cloudevents/sdk-go/v2/protocol/http"
)

// TestCloudEventsSDK: a message that the Go SDK makes gives the same event in
// structured and in binary mode.
func TestCloudEventsSDK(t *testing.T) {
	r, _ := ReaderOf("cloudevents")
	question := `{"type":"question.created","question":{"question_id":1,"title":"É co","link":"https://s/q/1","tags":["a"]}}`
	for name, c := range map[string]struct{ eventType, prefix, subject, data, want, ignored string }{
		"its own": {
			"lead.scored", "", "7", `{"points":12345678901234567890.10,"a":"é"}`,
			`{"id":"https://crm.example.org/leads e-1","type":"lead.scored","occurred_at":"2026-11-21T01:39:18.123Z","subject":"7","data":{"points":12345678901234567890.10,"a":"é"}}`, "",
		},
		"a prefix": {
			"com.example.user.updated", "com.example.", "user/ü 1", `{"id":"u"}`,
			`{"id":"https://crm.example.org/leads e-1","type":"user.updated","occurred_at":"2026-11-21T01:39:18.123Z","subject":"user/ü 1","data":{"id":"u"}}`, "",
		},
		"no data":          {"lead.scored", "", "", "", `{"id":"https://crm.example.org/leads e-1","type":"lead.scored","occurred_at":"2026-11-21T01:39:18.123Z"}`, ""},
		"an event in data": {"com.example.activity", "", "", question, `{"id":"https://crm.example.org/leads e-1",` + question[1:], ""},
		"no event name":    {"com.example.activity", "", "", `{"a":1}`, "", "“com.example.activity” is not an event name: it must have two parts joined by a dot, such as lead.scored."},
	} {
		e := event.New()
		e.SetID("e-1")
		e.SetSource("https://crm.example.org/leads")
		e.SetType(c.eventType)
		e.SetTime(time.Date(2026, 11, 21, 1, 39, 18, 123e6, time.UTC))
		e.SetSubject(c.subject)
		if c.data != "" {
			if err := e.SetData("application/json", json.RawMessage(c.data)); err != nil {
				t.Fatal(err)
			}
		}
		for mode, ctx := range map[string]context.Context{
			"structured": binding.WithForceStructured(t.Context()), "binary": binding.WithForceBinary(t.Context()),
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/in/leads", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if err := ceHTTP.WriteRequest(ctx, binding.ToMessage(&e), req); err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				t.Fatal(err)
			}
			result, err := r.Read(Received{Header: req.Header, Body: body, At: readAt, Fields: map[string]string{"prefix": c.prefix}})
			got := ""
			if len(result.Events) == 1 {
				got = string(result.Events[0])
			}
			if err != nil || got != c.want || result.Ignored != c.ignored {
				t.Errorf("%s, %s: %v, ignored %q, got\n%s\nwant\n%s", name, mode, err, result.Ignored, got, c.want)
			}
		}
	}
}
