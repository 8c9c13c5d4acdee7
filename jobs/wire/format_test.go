package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestFormats checks the promises of a Format for every registered one.
func TestFormats(t *testing.T) {
	for _, f := range Formats() {
		t.Run(f.Name, func(t *testing.T) {
			if found, ok := Lookup(f.Name); !ok || found != f {
				t.Error("Lookup does not find it")
			}
			if f.Policy.Timeout <= 0 {
				t.Error("no time-out")
			}
			checkOptions(t, f)
			checkFields(t, f)
			checkSecrets(t, f)
			checkIDs(t, f)
			checkSamples(t, f)
		})
	}
}

func checkOptions(t *testing.T, f *Format) {
	t.Helper()
	values, labels := map[string]bool{}, map[string]bool{}
	for _, o := range f.Options {
		if o.Value == "" || o.Label == "" || len(o.Events) == 0 {
			t.Errorf("option %+v is incomplete", o)
		}
		if values[o.Value] || labels[o.Label] {
			t.Errorf("option %q or its label %q appears twice", o.Value, o.Label)
		}
		values[o.Value], labels[o.Label] = true, true
		if got := f.EventKinds([]string{o.Value}); len(got) != len(o.Events) {
			t.Errorf("option %q covers %v, want %v sorted", o.Value, got, o.Events)
		}
		for _, k := range o.Events {
			if found, offered := f.Covering(k); !offered || found.Value != o.Value {
				t.Errorf("%v, which %q covers, is found under %q", k, o.Value, found.Value)
			}
			if first, _, _ := strings.Cut(k.Type, "."); k.Family == "" || k.Family != first && k.Family != "forum-comment" {
				t.Errorf("option %q covers %v, which is of no family", o.Value, k)
			}
		}
		if found, err := f.Option(o.Value); err != nil || found.Label != o.Label {
			t.Errorf("option %q is found as %+v, %v", o.Value, found, err)
		}
	}
	if c := f.Custom; c != nil && (c.Label == "" || c.Make == nil) {
		t.Errorf("custom option %+v is incomplete", c)
	}
	if _, err := f.Option("no such\xff option"); err == nil || !strings.HasSuffix(err.Error(), ".") || !utf8.ValidString(err.Error()) {
		t.Errorf("an unknown option: %v; want a sentence", err)
	}
	if got := f.EventKinds([]string{"no such option"}); len(got) != 0 {
		t.Errorf("an unknown value covers %v", got)
	}
}

func checkFields(t *testing.T, f *Format) {
	t.Helper()
	for _, field := range f.Fields {
		if field.Key == "" || field.Label == "" {
			t.Errorf("field %+v is incomplete", field)
		}
		if _, err := regexp.Compile(field.Pattern); err != nil {
			t.Errorf("field %q: %v", field.Key, err)
		}
		if field.Multiline && field.Check == nil {
			t.Errorf("field %q may have several lines and nothing puts them on one", field.Key)
		}
		if field.Pattern != "" && field.PatternHelp == "" {
			t.Errorf("field %q has a pattern and no words about it", field.Key)
		}
	}
}

func checkSecrets(t *testing.T, f *Format) {
	t.Helper()
	for i, s := range f.Secrets {
		if want := []string{"secret_1", "secret_2"}[i]; s.Key != want || s.Label == "" {
			t.Errorf("secret %+v: want key %s and a label", s, want)
		}
	}
	if len(f.Secrets) == 0 {
		return
	}
	made := f.NewSecret()
	if err := f.CheckSecret(made); err != nil {
		t.Errorf("its own new secret is refused: %v", err)
	}
	if made == f.NewSecret() {
		t.Error("two new secrets are equal")
	}
	err := f.CheckSecret("bad\nsecret")
	if err == nil || !strings.HasSuffix(err.Error(), ".") || strings.Contains(err.Error(), "bad") {
		t.Errorf("a secret with a line break: %v; want a sentence that does not repeat it", err)
	}
}

func checkIDs(t *testing.T, f *Format) {
	t.Helper()
	seen := map[string]bool{}
	for range 1000 {
		id := f.NewID()
		if seen[id] || !regexp.MustCompile(`^[A-Za-z0-9_-]{20,64}$`).MatchString(id) {
			t.Fatalf("id %q is bad or repeated", id)
		}
		seen[id] = true
	}
	if f.DeriveID == nil {
		return
	}
	at, hash := time.UnixMilli(1764466391123), sha256.Sum256([]byte("webhook and event"))
	derived := f.DeriveID(at, hash)
	if derived != f.DeriveID(at, hash) {
		t.Error("the same webhook and event have two ids")
	}
	other := f.DeriveID(at, sha256.Sum256([]byte("another event")))
	later := f.DeriveID(at.Add(time.Millisecond), sha256.Sum256([]byte("a")))
	if len(derived) != len(f.NewID()) || derived == other || later <= derived || seen[derived] {
		t.Errorf("derived %q, of another event %q, of a later one %q, new %q", derived, other, later, f.NewID())
	}
}

func checkSamples(t *testing.T, f *Format) {
	t.Helper()
	own := f.Samples(nil) // a test that does not depend on the chosen activities
	if len(own) > 1 {
		t.Errorf("samples of nothing: %v", own)
	}
	for _, o := range f.Options {
		events := f.Samples([]string{o.Value})
		if len(events) != 1 {
			t.Fatalf("option %q has %d samples, want 1", o.Value, len(events))
		}
		if len(own) > 0 && !reflect.DeepEqual(events, own) {
			t.Errorf("option %q has the sample %v, nothing has %v", o.Value, events, own)
		}
		if kind := kindOfEvent(events[0]); len(own) == 0 && !slices.Contains(o.Events, kind) {
			t.Errorf("option %q, which covers %v, has a sample of %v", o.Value, o.Events, kind)
		}
		checkBuild(t, f, events)
		unknown := Event{ID: "unknown", Type: "no.such"}
		if _, used, err := f.Build(append(events, unknown, unknown), Draft{ID: f.NewID()}); f.Custom == nil && (err != nil || used != 1) {
			t.Errorf("before an event that it cannot write it used %d: %v", used, err)
		}
	}
}

// checkBuild builds all bodies of events and checks the rules for each.
func checkBuild(t *testing.T, f *Format, events []Event) {
	t.Helper()
	for len(events) > 0 {
		draft := Draft{ID: f.NewID(), WebhookName: "name"}
		body, used, err := f.Build(events, draft)
		if err != nil {
			t.Fatalf("build: %v", err)
		}
		if used < 1 || used > len(events) {
			t.Fatalf("used %d of %d events", used, len(events))
		}
		shared, _, err := f.Compose(events)
		if err != nil {
			t.Fatalf("compose: %v", err)
		}
		if n := bytes.Count(shared, []byte{0}); n > 0 && n != len(f.Parts(draft)) {
			t.Fatalf("%d places for %d parts: %q", n, len(f.Parts(draft)), shared)
		}
		if !json.Valid(body) || !utf8.Valid(body) || bytes.ContainsAny(body, "\x00\n\r") {
			t.Fatalf("not compact JSON in UTF-8: %q", body)
		}
		if again, _, _ := f.Build(events, draft); !bytes.Equal(again, body) {
			t.Fatal("built twice, the body differs")
		}
		checkHeaders(t, f, Request{ID: draft.ID, Body: body, At: time.Unix(1, 0), EventTypes: []string{events[0].Type}})
		events = events[used:]
	}
}

func checkHeaders(t *testing.T, f *Format, r Request) {
	t.Helper()
	seen := map[string]bool{}
	for i := range len(f.Secrets) + 1 {
		clear(seen)
		r.Test = i > 0
		for range i {
			r.Secrets = append(r.Secrets, f.NewSecret())
		}
		for _, h := range f.Headers(r) {
			lower := strings.ToLower(h.Name)
			if seen[lower] || !ReservedHeader(h.Name) || strings.ContainsFunc(h.Value, notPrintable) {
				t.Errorf("header %+v: repeated, open to custom headers or not printable", h)
			}
			seen[lower] = true
		}
		if !seen["content-type"] || !seen["user-agent"] {
			t.Errorf("headers %v lack content type or user agent", seen)
		}
	}
}

func TestRegisterRefuses(t *testing.T) {
	generic, _ := Lookup("generic")
	noSecrets, unsigned := *generic, *generic
	noSecrets.Name, noSecrets.NewSecret = "other", nil
	unsigned.Name, unsigned.Secrets, unsigned.AlwaysSigns = "other", nil, true
	for name, f := range map[string]Format{"incomplete": {Name: "x"}, "twice": *generic, "no secrets": noSecrets, "unsigned": unsigned} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("was registered")
				}
			}()
			Register(f)
		})
	}
	if _, ok := Lookup("other"); ok {
		t.Error("a refused format is known")
	}
}
