package wire

import (
	"encoding/json"
	"testing"
	"time"
)

// TestEveryOptionHasASample: of each activity of each type there is a made-up
// event, from which the type builds a body of the real kind.
func TestEveryOptionHasASample(t *testing.T) {
	for _, f := range Formats() {
		for _, o := range f.Options {
			for _, kind := range o.Events {
				e := SampleEvent(kind)
				body, used, err := f.Build([]Event{e}, Draft{ID: "id", WebhookName: "Example"})
				if err != nil || used != 1 || !json.Valid(body) || e.Type != kind.Type {
					t.Errorf("%s, %v: %s, used %d, error %v", f.Name, kind, body, used, err)
				}
			}
		}
	}
}

// TestRateOfRequests: every type takes the option, and the longer pause counts.
func TestRateOfRequests(t *testing.T) {
	for _, f := range Formats() {
		field := f.Fields[len(f.Fields)-1]
		if field.Key != optionRate {
			t.Errorf("%s has no rate: %+v", f.Name, field)
			continue
		}
		for typed, want := range map[string]string{"5": "5", "0.50": "0.5", "1000": "1000", "0.01": "0.01", "1e1": "10"} {
			if got, err := field.Check(typed); got != want || err != nil {
				t.Errorf("%q: %q, %v", typed, got, err)
			}
		}
		for _, typed := range []string{"0", "-1", "1001", "many", "NaN", "Inf", "0.001", "5/s"} {
			if got, err := field.Check(typed); err == nil {
				t.Errorf("%q was taken as %q", typed, got)
			}
		}
		for rate, want := range map[string]time.Duration{"": 0, "0.5": 2 * time.Second, "10": 100 * time.Millisecond} {
			if got := f.Gap(map[string]string{optionRate: rate}); got != max(want, f.Policy.MinGap) {
				t.Errorf("%s at %q: a request every %v", f.Name, rate, got)
			}
		}
	}
}
