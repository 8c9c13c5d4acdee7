package app_test

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// realDump is the posts of a real community; it stands beside a checkout, not
// in it. Without it the test makes a dump of its own.
const realDump = "../../shared/data/coffee.stackexchange/Posts.xml"

// TestReplayOfARealCommunity posts a community's activity and compares the
// events that a webhook on one tag receives with a count made from the XML
// alone.
func TestReplayOfARealCommunity(t *testing.T) {
	dump := realDump
	if _, err := os.Stat(dump); err != nil {
		t.Logf("%s is not there; a small dump is used", realDump)
		dump = smallDump(t)
	}
	want := countDump(t, dump, "espresso")
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		in, hook := apptest.Serve(t, apptest.Environment(t, kind)), apptest.NewReceiver(t)
		b := in.Login()
		b.Quick()
		secrets := []string{strings.Repeat("0123456789abcdef", 4), strings.Repeat("fedcba9876543210", 4)}
		form := apptest.WebhookForm(hook.URL)
		form.Set("tag_mode", "specific")
		form.Set("tags", "espresso")
		form["events"] = form["events"][:5] // comments stand in another file
		form.Set("secret_1", secrets[0])
		form.Set("secret_2", secrets[1])
		b.CreateWebhook(form)
		replay := []string{"replay", "stackexchange", "--url", in.Base, dump, "--token", apptest.IngestToken, "--speed", "max", "--site", "https://coffee.example"}
		out, errs, err := apptest.Output(t, nil, "", replay...)
		if err != nil {
			t.Fatalf("replay: %v\n%s%s", err, out, errs)
		}
		_, shown, _ := strings.Cut(strings.TrimSpace(out), "triggered: "+in.Base)
		history := b.Get(shown)
		if n := len(regexp.MustCompile(`<tr data-id="\d+">`).FindAllString(history.Body, -1)); history.Code != http.StatusOK || n != 50 {
			t.Errorf("replay says %q; that page answers %d and lists %d events, want 50", out, history.Code, n)
		}
		apptest.Eventually(t, fmt.Sprintf("%d items", len(want)), func() bool { return len(hook.Items(t)) >= len(want) })
		// A second run is all duplicates; nothing more may come of it.
		if out, errs, err := apptest.Output(t, nil, "", replay...); err != nil || !strings.Contains(out+errs, "duplicates") {
			t.Errorf("second replay: %v\n%s%s", err, out, errs)
		}
		in.Accept(`{"id":"end","type":"question.created","question":{"question_id":999999,"title":"end","link":"https://x.example/q","tags":["espresso"]}}`)
		apptest.Eventually(t, "the last event", func() bool {
			return slices.ContainsFunc(hook.Items(t), func(i apptest.Item) bool { return i.QuestionID == 999999 })
		})
		got := map[string]int{}
		for _, i := range hook.Items(t) {
			if i.QuestionID != 999999 {
				got[key(i)]++
			}
		}
		compare(t, got, want)
		for _, d := range hook.Got() {
			for _, s := range secrets {
				verifier, err := standardwebhooks.NewWebhookRaw([]byte(s))
				ok(t, err)
				ok(t, verifier.Verify(d.Body, d.Header))
			}
			if len(d.Body) > 256<<10 {
				t.Errorf("a body of %d bytes", len(d.Body))
			}
		}
	})
}

func key(i apptest.Item) string { return fmt.Sprintf("%s %d %d", i.Type, i.QuestionID, i.AnswerID) }

func compare(t *testing.T, got map[string]int, want map[string]bool) {
	t.Helper()
	for k, n := range got {
		if n != 1 {
			t.Errorf("%s arrived %d times", k, n)
		}
		if !want[k] {
			t.Errorf("%s should not have arrived", k)
		}
	}
	for k := range want {
		if got[k] == 0 {
			t.Errorf("%s did not arrive", k)
		}
	}
	if len(want) < 5 {
		t.Errorf("only %d events to be expected", len(want))
	}
}

// countDump says, from the XML alone, which events belong to questions with a
// tag.
func countDump(t *testing.T, path, tag string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(path)
	ok(t, err)
	var posts struct {
		Row []struct {
			ID               int64  `xml:"Id,attr"`
			PostTypeID       int    `xml:"PostTypeId,attr"`
			ParentID         int64  `xml:"ParentId,attr"`
			AcceptedAnswerID int64  `xml:"AcceptedAnswerId,attr"`
			Tags             string `xml:",attr"`
			LastEditDate     string `xml:",attr"`
		} `xml:"row"`
	}
	ok(t, xml.Unmarshal([]byte(strings.TrimPrefix(string(text), "\ufeff")), &posts))
	accepted, tagged, want := map[int64]bool{}, map[int64]bool{}, map[string]bool{}
	for _, r := range posts.Row {
		if r.PostTypeID == 1 && strings.Contains(r.Tags, "<"+tag+">") {
			tagged[r.ID] = true
			accepted[r.AcceptedAnswerID] = true
			want[fmt.Sprintf("question created %d 0", r.ID)] = true
			if r.LastEditDate != "" {
				want[fmt.Sprintf("question edited %d 0", r.ID)] = true
			}
		}
	}
	for _, r := range posts.Row {
		if r.PostTypeID != 2 || !tagged[r.ParentID] {
			continue
		}
		want[fmt.Sprintf("answer created %d %d", r.ParentID, r.ID)] = true
		if r.LastEditDate != "" {
			want[fmt.Sprintf("answer edited %d %d", r.ParentID, r.ID)] = true
		}
		if accepted[r.ID] {
			want[fmt.Sprintf("answer accepted %d %d", r.ParentID, r.ID)] = true
		}
	}
	return want
}

func smallDump(t *testing.T) string {
	t.Helper()
	var rows strings.Builder
	for q := 1; q <= 30; q++ {
		tags := "&lt;tea&gt;"
		if q%3 == 0 {
			tags = "&lt;espresso&gt;&lt;grinder&gt;"
		}
		fmt.Fprintf(&rows, `<row Id="%d" PostTypeId="1" AcceptedAnswerId="%d" CreationDate="2015-01-%02dT08:00:00.000" LastEditDate="2015-02-%02dT08:00:00.000" Score="1" Body="How?" Title="Question %d" Tags="%s" />`,
			q, 100+q, q%28+1, q%28+1, q, tags)
		fmt.Fprintf(&rows, `<row Id="%d" PostTypeId="2" ParentId="%d" CreationDate="2015-01-%02dT09:00:00.000" Score="2" Body="So." OwnerUserId="7" />`,
			100+q, q, q%28+1)
	}
	path := t.TempDir() + "/Posts.xml"
	ok(t, os.WriteFile(path, []byte("\ufeff<?xml version=\"1.0\"?><posts>"+rows.String()+"</posts>"), 0o600))
	return path
}
