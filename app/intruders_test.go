package app_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestEveryDoorAtOnce: strangers, a team's token and a viewer press on every
// door together. Meanwhile the site's reports are accepted, an administrator
// logs in from elsewhere and reads the list, and memory stays bounded. How long
// each took stands in the log; docs/reliability.md tells figures.
func TestEveryDoorAtOnce(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.WithKey(apptest.Environment(t, kind))
		s := apptest.OpenStore(t, env)
		modelstest.Fill(t, s, modelstest.Size{Webhooks: 50, Events: 20_000, Deliveries: 20_000})
		s.Close()
		in := apptest.Serve(t, env, "SITEHOOKS_LOG_LEVEL=warn")
		k := intruderKeys(in, env)
		strangers := apptest.NewIntruders("127.0.0.66")
		defer strangers.Stop()
		for _, d := range apptest.Doors(k, 1) {
			strangers.Attack(d, func() string { return in.Base })
		}
		strangers.First.Wait()

		var slowest time.Duration
		refused := 0
		for i := range 100 {
			start := time.Now()
			if a := in.Ingest(apptest.QuestionJSON("while doors are pressed "+strconv.Itoa(i), i+1, "")); a.Code != http.StatusAccepted {
				refused++
				t.Logf("report %d: %d %s", i, a.Code, a.Body)
			}
			slowest = max(slowest, time.Since(start))
		}
		if refused > 1 { // 99 of 100 are promised
			t.Errorf("%d of 100 reports were refused", refused)
		}
		start := time.Now()
		b := in.Login()
		login := time.Since(start)
		start = time.Now()
		if a := b.Get("/admin/webhooks"); a.Code != http.StatusOK || !strings.Contains(a.Body, "Showing") {
			t.Errorf("the list: %d", a.Code)
		}
		list := time.Since(start)
		peak := in.Mebibytes(t, "VmHWM")
		t.Logf("%s: with %d connections of strangers the slowest of 100 reports took %s, the login %s, the list %s; memory %.0f MiB",
			kind, strangers.Made.Load(), slowest.Round(time.Millisecond), login.Round(time.Millisecond), list.Round(time.Millisecond), peak)
		if peak > 400 {
			t.Errorf("%.0f MiB of memory", peak)
		}
	})
}

// intruderKeys makes the strangers' credentials: tokens of a team, and a
// viewer.
func intruderKeys(in *apptest.Instance, env []string) apptest.Keys {
	in.T.Helper()
	token := func(scope string) string {
		out, errs, err := apptest.Output(in.T, env, "", "token", "create", "--name", "stranger "+scope, "--scope", scope, "--location", "team-1")
		if err != nil {
			in.T.Fatalf("%v: %s", err, errs)
		}
		return strings.TrimSpace(out)
	}
	return apptest.Keys{
		TeamToken: token("ingest"), SuperOffice: token("superoffice"), Silent: apptest.Silent(in.T),
		Viewer: in.Login().Member(in, "viewer@example.com", "viewer"),
	}
}
