package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// TestRefusedReportsLeaveATrace: each reason for which the ingest API refuses a
// request is counted, logged at once and from then on once a minute, and shown
// on the System page; the tokens page says when SITEHOOKS_INGEST_TOKEN was
// used.
func TestRefusedReportsLeaveATrace(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.Environment(t, kind)
		in := apptest.Serve(t, env)
		b := in.Login()
		if page := b.Get("/admin/system").Body; !strings.Contains(page, "None on this instance since it started.") {
			t.Error("refused requests before there were any")
		}
		if page := b.Get("/admin/tokens").Body; !strings.Contains(page, "SITEHOOKS_INGEST_TOKEN") || !strings.Contains(page, "never") {
			t.Error("the unused token is not listed as such")
		}
		bound, crm := newToken(t, env, "ingest", "--location", "team-a"), newToken(t, env, "superoffice")
		const events, good = "/api/v1/events", `{"type":"lead.scored"}`
		type refused struct {
			path, token, body string
			code, times       int
			reason, shown     string
		}
		cases := []refused{
			{events, "shk_" + strings.Repeat("0", 64), good, 401, 3, "unknown_token", "Unknown or revoked token"},
			{events, crm, good, 403, 1, "scope", "Token of another scope"},
			{events, bound, good, 403, 1, "location", "location is main, but the token is for team-a only"},
			{events, apptest.IngestToken, `{"events":[` + good + `,{"type":"lead"}]}`, 400, 5, "invalid", "events[1].type"},
			{events, apptest.IngestToken, strings.Repeat(" ", 4<<20) + good, 413, 1, "too_large", "The body is larger than 4194304 bytes."},
			{"/superoffice/api/v1/Webhook/lead.scored/x", crm, "{}", 400, 2, "invalid", "PrimaryKey"},
		}
		for _, c := range cases {
			for range c.times {
				if a := call(in, http.MethodPost, c.path, c.token, c.body); a.Code != c.code {
					t.Errorf("%s: %d %s", c.reason, a.Code, a.Body)
				}
			}
		}
		in.Accept(good)
		metrics, page := b.Get("/metrics").Body, b.Get("/admin/system").Body
		for _, c := range cases {
			api := "ingest"
			if c.path != events {
				api = "superoffice"
			}
			if line := fmt.Sprintf("sitehooks_events_refused_total{api=%q,reason=%q} %d\n", api, c.reason, c.times); !strings.Contains(metrics, line) {
				t.Errorf("no %s", line)
			}
			if !strings.Contains(page, c.shown) {
				t.Errorf("the System page does not say %q", c.shown)
			}
			logged := 0
			for _, line := range apptest.Lines(in.Log.String()) {
				if strings.Contains(line, `msg="requests refused"`) && strings.Contains(line, "api="+api+" reason="+c.reason+" ") {
					logged++
				}
			}
			if logged != 1 {
				t.Errorf("%s of %s was logged %d times", c.reason, api, logged)
			}
		}
		if page := b.Get("/admin/tokens").Body; strings.Contains(page, "never</td>") {
			t.Error("SITEHOOKS_INGEST_TOKEN was never used")
		}
	})
}
