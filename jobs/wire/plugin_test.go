package wire_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// A sixth type, made only of the package's exported names, shows that one file
// and its golden are all that a type takes: TestFormats, TestGolden and the
// fuzz tests find it among the others and apply the same checks to it. A test
// of the pages or of the jobs can register one in the same way, in an init
// function of a test file.
func init() {
	wire.Register(wire.Format{
		Name: "pigeon", Label: "Carrier Pigeon", Order: 60, NeedsFeature: true, PingOnSave: true,
		Options: []wire.Option{
			{Value: "coo", Label: "Coos", Events: []wire.EventKind{wire.KindOf(wire.AnswerCreated), wire.KindOf(wire.QuestionCreated)}},
			{Value: "flown", Label: "Flights", Group: "Loft", Events: []wire.EventKind{wire.KindOf("pigeon.flown")}},
		},
		Custom: &wire.CustomOption{Label: "Other birds", Help: "Names of their own.", Make: func(value string) (wire.Option, error) {
			if !strings.HasPrefix(value, "bird.") {
				return wire.Option{}, errors.New("Only birds fly.") //nolint:revive // a sentence for people
			}
			return wire.Option{Value: value, Label: value, Events: []wire.EventKind{wire.KindOf(value)}}, nil
		}},
		Fields:      []wire.Field{{Key: "ring", Label: "Ring", Pattern: "[a-z]+", PatternHelp: "A ring has letters.", Required: true}},
		Secrets:     []wire.SecretField{{Key: "secret_1", Label: "Whistle"}},
		OwnHeaders:  []string{"X-Pigeon-"},
		NewSecret:   rand.Text,
		CheckSecret: checkWhistle,
		NewID:       func() string { return "pigeon-" + rand.Text() },
		Compose:     composePigeon,
		Parts:       func(d wire.Draft) [][]byte { return [][]byte{[]byte(d.Options["ring"])} },
		Headers:     pigeonHeaders,
		Samples:     pigeonSamples,
		Policy: wire.Policy{
			Timeout: time.Second, Success: []int{http.StatusAccepted}, Pauses: []time.Duration{time.Minute},
			Broken: wire.BrokenRule{Count: 2}, MaxInFlight: 1, MinGap: time.Second,
		},
	})
}

func checkWhistle(secret string) error {
	if len(secret) < 8 || strings.ContainsAny(secret, "\n\r") {
		return errors.New("A whistle has 8 tones.") //nolint:revive // a sentence for people
	}
	return nil
}

// composePigeon carries two events at a time, and leaves the ring to Parts.
func composePigeon(events []wire.Event) (body []byte, used int, err error) {
	var names []string
	for _, e := range events[:min(2, len(events))] {
		names = append(names, e.Type)
	}
	body, err = json.Marshal(map[string]any{"ring": "R", "letters": names})
	body = bytes.Replace(body, []byte(`"R"`), []byte("\"\x00\""), 1)
	return body, len(names), err
}

func pigeonHeaders(r wire.Request) []wire.Header {
	headers := []wire.Header{{Name: "Content-Type", Value: "application/json"}, {Name: "User-Agent", Value: "pigeon"}}
	for _, secret := range r.Secrets {
		headers = append(headers, wire.Header{Name: "X-Pigeon-Whistle", Value: secret})
	}
	return headers
}

func pigeonSamples(values []string) []wire.Event {
	f, _ := wire.Lookup("pigeon")
	var events []wire.Event
	for _, o := range f.Options {
		if slices.Contains(values, o.Value) {
			events = append(events, wire.Event{ID: "test", Type: o.Events[0].Type})
		}
	}
	return events
}

func TestPlugin(t *testing.T) {
	f, ok := wire.Lookup("pigeon")
	if !ok || f.Label != "Carrier Pigeon" {
		t.Fatalf("%+v, %v", f, ok)
	}
	if all := wire.Formats(); all[len(all)-1] != f || len(all) != 6 {
		t.Errorf("%d formats; the last is %s", len(all), all[len(all)-1].Name)
	}
	want := []wire.EventKind{{"answer", "answer.created"}, {"bird", "bird.sung"}, {"pigeon", "pigeon.flown"}, {"question", "question.created"}}
	if got := f.EventKinds([]string{"bird.sung", "flown", "coo", "fish.swum"}); !slices.Equal(got, want) {
		t.Errorf("covers %v", got)
	}
	if !wire.ReservedHeader("x-pigeon-whistle") || wire.CheckHeader("X-Pigeon-Ring", "a") == nil || wire.ReservedHeader("X-Pigeons") {
		t.Error("its own headers are not its own")
	}
	attempt := wire.Attempt{Number: 1, At: time.Unix(0, 0), Response: wire.Response{Code: http.StatusOK}}
	v := f.Policy.Judge(attempt)
	if v.Delivered || v.RetryAfter != time.Minute || v.Broken != "" {
		t.Errorf("first: %+v", v)
	}
	attempt.Number, attempt.Health = 2, v.Health
	if v = f.Policy.Judge(attempt); !v.Failed || !strings.HasPrefix(v.Broken, "Too many errors: 2 attempts") {
		t.Errorf("second: %+v", v)
	}
	attempt.Response.Code = http.StatusAccepted
	if v = f.Policy.Judge(attempt); !v.Delivered || v.Health != (wire.Health{}) {
		t.Errorf("success: %+v", v)
	}
}
