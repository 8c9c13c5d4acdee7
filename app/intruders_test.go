package app_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestEveryDoorAtOnce: strangers, a team's token and a viewer press on every
// door together. Meanwhile the site's reports are accepted, an administrator
// logs in from elsewhere and reads the list, and memory stays bounded. How long
// each took stands in the log; docs/reliability.md tells figures.
func TestEveryDoorAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		env := keyed(environment(t, kind))
		s := open(t, env)
		modelstest.Fill(t, s, modelstest.Size{Webhooks: 50, Events: 20_000, Deliveries: 20_000})
		s.Close()
		in := serve(t, env, "SITEHOOKS_LOG_LEVEL=warn")
		k := in.keys(env)
		crowd := newIntruders("127.0.0.66")
		defer crowd.leave()
		for _, d := range doors(k, 1) {
			crowd.attack(d, func() string { return in.base })
		}
		crowd.first.Wait()

		var slowest time.Duration
		refused := 0
		for i := range 100 {
			start := time.Now()
			if a := in.ingest(questionJSON("while doors are pressed "+strconv.Itoa(i), i+1, "")); a.code != http.StatusAccepted {
				refused++
				t.Logf("report %d: %d %s", i, a.code, a.body)
			}
			slowest = max(slowest, time.Since(start))
		}
		if refused > 1 { // 99 of 100 are promised
			t.Errorf("%d of 100 reports were refused", refused)
		}
		start := time.Now()
		b := in.login()
		login := time.Since(start)
		start = time.Now()
		if a := b.get("/admin/webhooks"); a.code != http.StatusOK || !strings.Contains(a.body, "Showing") {
			t.Errorf("the list: %d", a.code)
		}
		list := time.Since(start)
		peak := in.mebibytes(t, "VmHWM")
		t.Logf("%s: with %d connections of strangers the slowest of 100 reports took %s, the login %s, the list %s; memory %.0f MiB",
			kind, crowd.made.Load(), slowest.Round(time.Millisecond), login.Round(time.Millisecond), list.Round(time.Millisecond), peak)
		if peak > 400 {
			t.Errorf("%.0f MiB of memory", peak)
		}
	})
}

// keys makes what strangers have: tokens of a team, and a viewer.
func (in *instance) keys(env []string) keys {
	in.t.Helper()
	token := func(scope string) string {
		out, errs, err := output(in.t, env, "", "token", "create", "--name", "stranger "+scope, "--scope", scope, "--location", "team-1")
		if err != nil {
			in.t.Fatalf("%v: %s", err, errs)
		}
		return strings.TrimSpace(out)
	}
	return keys{
		teamToken: token("ingest"), superOffice: token("superoffice"), silent: silent(in.t),
		viewer: in.login().member(in, "viewer@example.com", "viewer"),
	}
}
