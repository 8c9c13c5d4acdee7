package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
	"github.com/sitehooks/sitehooks/jobs/wire/wiretest"
)

// goldenCase is one testdata/FORMAT/CASE.json: which events of testdata/events,
// files of one or of one a line, or which samples go in, and the other inputs
// of the request. Beside it lies CASE.golden, the whole requests that must come
// out.
type goldenCase struct {
	Events      []string          `json:"events"`
	Lines       []string          `json:"lines"`
	Samples     []string          `json:"samples"`
	ID          string            `json:"id"`
	WebhookName string            `json:"webhook_name"`
	Target      string            `json:"target"`
	Options     map[string]string `json:"options"`
	Secrets     []string          `json:"secrets"`
	Retries     int               `json:"retries"`
	Test        bool              `json:"test"`
}

// TestGolden compares every format's whole requests, byte for byte. A format
// without a golden file fails, as does one with an activity that is in none.
func TestGolden(t *testing.T) {
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			cases := wiretest.Cases(t, f.Name)
			if len(cases) == 0 {
				t.Fatalf("no testdata/%s/*.json: a format needs at least one case", f.Name)
			}
			seen := map[EventKind]bool{}
			for _, name := range cases {
				t.Run(name, func(t *testing.T) { checkGolden(t, f, name, seen) })
			}
			for _, o := range f.Options {
				for _, kind := range o.Events {
					if !seen[kind] {
						t.Errorf("no case has %v, which the option %s covers", kind, o.Value)
					}
				}
			}
		})
	}
}

func checkGolden(t *testing.T, f *Format, name string, seen map[EventKind]bool) {
	var c goldenCase
	readJSON(t, filepath.Join("testdata", f.Name, name+".json"), &c)
	events := c.events(t, f)
	for _, e := range events {
		seen[kindOfEvent(e)] = true
	}
	wiretest.Golden(t, f.Name, name, string(wholeRequests(t, f, c, events)))
}

func (c goldenCase) events(t *testing.T, f *Format) []Event {
	t.Helper()
	var events []Event
	if c.Test {
		events = f.Samples(c.Samples)
	}
	for _, name := range c.Events {
		events = append(events, storedEvents(t, name+".json")...)
	}
	for _, name := range c.Lines {
		events = append(events, storedEvents(t, name+".ndjson")...)
	}
	return events
}

// wholeRequests writes the requests that a case makes, one after another.
func wholeRequests(t *testing.T, f *Format, c goldenCase, events []Event) []byte {
	t.Helper()
	var out bytes.Buffer
	for len(events) > 0 {
		body, used, err := f.Build(events, Draft{ID: c.ID, WebhookName: c.WebhookName, Target: c.Target, Options: c.Options})
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, e := range events[:used] {
			types = append(types, e.Type)
		}
		events = events[used:]
		slices.Sort(types)
		out.WriteString("POST\n")
		for _, h := range f.Headers(Request{
			ID: c.ID, Body: body, At: time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC), Secrets: c.Secrets,
			Retries: c.Retries, EventTypes: slices.Compact(types), Test: c.Test, Options: c.Options,
		}) {
			out.WriteString(h.Name + ": " + h.Value + "\n")
		}
		out.WriteString("\n")
		out.Write(body)
		out.WriteString("\n")
	}
	return out.Bytes()
}

// storedEvents decodes a file of testdata/events: one event, or one a line.
func storedEvents(t *testing.T, name string) []Event {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "events", name))
	if err != nil {
		t.Fatal(err)
	}
	payloads := [][]byte{text}
	if strings.HasSuffix(name, ".ndjson") {
		payloads = bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	}
	var events []Event
	for _, payload := range payloads {
		var head struct {
			OccurredAt time.Time `json:"occurred_at"`
		}
		if err := json.Unmarshal(payload, &head); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e, err := Decode(object.Compact(payload), head.OccurredAt) // as the ingest API stores it
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		events = append(events, e)
	}
	return events
}

func readJSON(t *testing.T, path string, dst any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
