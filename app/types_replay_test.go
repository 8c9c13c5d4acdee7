package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// TestReplayThroughFiveWireFormats sends a community's activity to a webhook of
// each type. Every body must parse by its type's schema and verify, and all
// events must be there, once, by the count made from the XML alone: UserEcho's
// without edits, for which it has no words. Slack's take the longest, since it
// gets a message a second.
func TestReplayThroughFiveWireFormats(t *testing.T) {
	const tag = "espresso"
	dump := realDump
	if _, err := os.Stat(dump); err != nil {
		t.Logf("%s is not there; a small dump is used", realDump)
		dump = smallDump(t)
	}
	all, noEdits := countDump(t, sameTag(t, dump, tag), tag), map[string]bool{}
	for event := range all {
		if !strings.Contains(event, "edited") {
			noEdits[event] = true
		}
	}
	hook, trust := apptest.NewTypesReceiver(t)
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"), trust)
	b := in.Login()
	b.Quick()
	b.Set("Webhooks.DispatchDelay", "2") // events that come at once share a delivery
	for _, name := range apptest.TypeNames {
		b.CreateType(name, apptest.TypeForm(name, hook.URL))
	}
	out, errs, err := apptest.Output(t, nil, "", "replay", "stackexchange", "--url", in.Base, dump, "--token", apptest.IngestToken, "--speed", "max", "--site", "https://coffee.example")
	if err != nil {
		t.Fatalf("replay: %v\n%s%s", err, out, errs)
	}
	for name, want := range map[string]map[string]bool{"generic": all, "slack": all, "stackauth": all, "userecho": noEdits, "superoffice": all} {
		t.Run(name, func(t *testing.T) {
			seen := map[string]int{}
			arrived := 0
			apptest.Eventually(t, fmt.Sprintf("%d events", len(want)), func() bool {
				requests := hook.Of(name)
				for _, d := range requests[arrived:] {
					events, err := readType(name, d.Body)
					ok(t, err)
					ok(t, apptest.VerifyType(name, d))
					for _, event := range events {
						seen[event]++
					}
				}
				arrived = len(requests)
				return len(seen) >= len(want)
			})
			compare(t, seen, want)
			t.Logf("%d events in %d requests", len(seen), arrived)
		})
	}
}

// sameTag is a dump whose questions all have one tag and no other.
func sameTag(t *testing.T, dump, tag string) string {
	t.Helper()
	text, err := os.ReadFile(dump)
	ok(t, err)
	path := filepath.Join(t.TempDir(), "Posts.xml")
	text = regexp.MustCompile(` Tags="[^"]*"`).ReplaceAll(text, []byte(` Tags="&lt;`+tag+`&gt;"`))
	ok(t, os.WriteFile(path, text, 0o600))
	return path
}
