package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
)

func TestFromTheSiteToTheReceiver(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		in, hook := apptest.Serve(t, apptest.Environment(t, kind)), apptest.NewReceiver(t)
		b := in.Login()
		b.Quick()
		b.CreateWebhook(apptest.WebhookForm(hook.URL + "/hook"))
		in.Accept(apptest.QuestionJSON("first", 1, ""))
		apptest.Eventually(t, "delivery", func() bool { return len(hook.Items(t)) == 1 })
		apptest.Eventually(t, "the history tells it", func() bool { // it is recorded after the answer
			history := b.Event("first")
			return history.Code == http.StatusOK && strings.Contains(history.Body, "Everything") && strings.Contains(history.Body, "Delivered")
		})
		metrics := b.Get("/metrics").Body
		for _, line := range []string{
			`sitehooks_events_total{type="question.created"} 1`, `sitehooks_attempts_total{outcome="delivered",type="generic"} 1`,
			`sitehooks_deliveries_total{state="delivered",type="generic"} 1`, `sitehooks_build_info{version="`,
			`sitehooks_attempt_duration_seconds_count{type="generic"} 1`, "sitehooks_oldest_due_delivery_seconds 0", "sitehooks_undispatched_events 0",
		} {
			if !strings.Contains(metrics, line) {
				t.Errorf("metrics lack %s", line)
			}
		}
		// The waiting deliveries of a paused webhook are dropped with it.
		b.Post("/admin/webhooks/1/pause", nil)
		in.Accept(apptest.QuestionJSON("second", 2, ""))
		apptest.Eventually(t, "the held delivery", func() bool { return strings.Contains(b.Get("/metrics").Body, "sitehooks_waiting_deliveries 1") })
		b.Post("/admin/webhooks/1/delete", nil)
		if metrics = b.Get("/metrics").Body; !strings.Contains(metrics, `sitehooks_deliveries_total{state="dropped",type="generic"} 1`) {
			t.Error("metrics lack the dropped delivery")
		}
		if !strings.Contains(in.Log.String(), "msg=attempt") {
			t.Error("no line about the attempt in the log")
		}
		if err := in.Terminate(); err != nil {
			t.Errorf("stopped with %v\n%s", err, in.Log)
		}
	})
}

func TestTheSameEventsTwiceAtTheSameMoment(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		in, hook := apptest.Serve(t, apptest.Environment(t, kind)), apptest.NewReceiver(t)
		b := in.Login()
		b.Quick()
		b.CreateWebhook(apptest.WebhookForm(hook.URL))
		var events []string
		for i := range 50 {
			events = append(events, apptest.QuestionJSON(fmt.Sprintf("e%d", i), i+1, ""))
		}
		events = append(events, events[0], events[7]) // the same ids twice in one request
		body := `{"events":[` + strings.Join(events, ",") + `]}`
		slices.Reverse(events)
		backwards := `{"events":[` + strings.Join(events, ",") + `]}`
		var wg sync.WaitGroup
		answers := make([]apptest.Answer, 8)
		for i := range answers {
			wg.Go(func() {
				if i%2 == 0 {
					answers[i] = in.Ingest(body)
				} else {
					answers[i] = in.Ingest(backwards)
				}
			})
		}
		wg.Wait()
		accepted := 0
		for _, a := range answers {
			var n, d int
			if _, err := fmt.Sscanf(strings.Join(strings.Fields(a.Body), ""), `{"accepted":%d,"duplicates":%d}`, &n, &d); err != nil || n+d != 52 || a.Code != 202 {
				t.Errorf("answer %d %s", a.Code, a.Body)
			}
			accepted += n
		}
		if accepted != 50 {
			t.Errorf("accepted %d, want 50", accepted)
		}
		apptest.Eventually(t, "50 items", func() bool { return len(hook.Items(t)) >= 50 })
		if a := in.Ingest(body); strings.Join(strings.Fields(a.Body), "") != `{"accepted":0,"duplicates":52}` {
			t.Errorf("once more: %s", a.Body)
		}
		in.Accept(apptest.QuestionJSON("last", 99, "")) // after all other events
		apptest.Eventually(t, "the last", func() bool { return len(hook.Items(t)) > 50 })
		if n := len(hook.Items(t)); n != 51 {
			t.Errorf("%d items arrived, want 51", n)
		}
	})
}

func TestKilledWhileEventsAreDue(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env, hook := apptest.Environment(t, kind), apptest.NewReceiver(t)
		in := apptest.Serve(t, env)
		b := in.Login()
		b.Quick()
		b.CreateWebhook(apptest.WebhookForm(hook.URL))
		const n = 300
		for i := range n {
			in.Accept(apptest.QuestionJSON(fmt.Sprintf("e%d", i), i+1, ""))
			if i%100 == 99 { // in the middle of dispatch and delivery
				in.Kill()
				in = apptest.Serve(t, env)
			}
		}
		apptest.Eventually(t, "all events", func() bool { return len(distinct(hook.Items(t))) == n })
		// Repeats have the id of the first time: by id, each is once.
		if items := hook.Items(t); len(items) != n {
			t.Errorf("%d items by distinct deliveries, want %d", len(items), n)
		}
	})
}

func distinct(items []apptest.Item) map[int64]bool {
	ids := map[int64]bool{}
	for _, it := range items {
		ids[it.QuestionID] = true
	}
	return ids
}

func TestSettingsAreInForceEverywhereWithinASecond(t *testing.T) {
	env, hook := apptest.Environment(t, "postgres"), apptest.NewReceiver(t)
	// The one that is told sends nothing, so the others have to know by
	// themselves.
	one, two := apptest.Serve(t, env, "SITEHOOKS_ROLE=web"), apptest.Serve(t, env)
	three := apptest.Serve(t, env, "SITEHOOKS_ROLE=jobs")
	b := one.Login()
	b.Set("Webhooks.EnableGenericWebhooks", "True")
	b.CreateWebhook(apptest.WebhookForm(hook.URL))
	b.Set("Webhooks.DispatchDelay", "0")
	b.Set("Webhooks.DispatchInterval", "3600")
	two.Accept(apptest.QuestionJSON("waits", 1, ""))
	b.Set("Webhooks.DispatchInterval", "1")
	apptest.Eventually(t, "delivery by the others", func() bool { return len(hook.Items(t)) == 1 })
	if a, err := apptest.Get(t, http.DefaultClient, three.Base+"/admin/webhooks"); err != nil || a.Code != http.StatusNotFound {
		t.Errorf("the role jobs answers pages: %d %v", a.Code, err)
	}
	if a, err := apptest.Get(t, http.DefaultClient, three.Base+"/metrics"); err != nil || a.Code != http.StatusOK {
		t.Errorf("the role jobs has no metrics: %d %v", a.Code, err)
	}
}

func TestFaultsAtStartAreOneLine(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	ok(t, err)
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	ok(t, os.WriteFile(file, nil, 0o600))
	served := apptest.Environment(t, "sqlite")
	apptest.Serve(t, served)
	for name, c := range map[string]struct{ env, says string }{
		"database url":       {"DATABASE_URL=nonsense", "DATABASE_URL"},
		"port in use":        {"SITEHOOKS_ADDR=" + taken.Addr().String(), "SITEHOOKS_ADDR"},
		"data folder":        {"SITEHOOKS_DATA_DIR=" + file, "SITEHOOKS_DATA_DIR"},
		"missing key":        {"DATABASE_URL=postgres://u@127.0.0.1:1/x", "SITEHOOKS_SECRET_KEY"},
		"database away":      {"DATABASE_URL=postgres://u@127.0.0.1:1/x\nSITEHOOKS_SECRET_KEY=" + "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "DATABASE_URL"},
		"pool":               {"DATABASE_URL=postgres://u@127.0.0.1:1/x?pool_max_conns=many\nSITEHOOKS_SECRET_KEY=" + "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "for example DATABASE_URL="},
		"exec mode":          {"DATABASE_URL=postgres://u@127.0.0.1:1/x?default_query_exec_mode=fast\nSITEHOOKS_SECRET_KEY=" + "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "for example DATABASE_URL="},
		"unknown variable":   {"SITEHOOKS_TRUSTED_PROXY=10.0.0.0/8", "SITEHOOKS_TRUSTED_PROXY is not a known variable; the nearest is SITEHOOKS_TRUSTED_PROXIES"},
		"wrong cidr":         {"SITEHOOKS_ALLOW_TARGETS=10.0.0.0/99", "SITEHOOKS_ALLOW_TARGETS"},
		"too wide":           {"SITEHOOKS_ALLOW_TARGETS=0.0.0.0/0", "SITEHOOKS_ALLOW_TARGETS"},
		"second on a folder": {served[len(served)-1], "PostgreSQL"},
		"wrong role":         {"SITEHOOKS_ROLE=both", "SITEHOOKS_ROLE"},
		"short password":     {"SITEHOOKS_ADMIN_EMAIL=a@b.example\nSITEHOOKS_ADMIN_PASSWORD=seven77", "SITEHOOKS_ADMIN_PASSWORD has fewer than 8 characters; for example SITEHOOKS_ADMIN_PASSWORD='"},
		"long password":      {"SITEHOOKS_ADMIN_EMAIL=a@b.example\nSITEHOOKS_ADMIN_PASSWORD=" + strings.Repeat("x", 1025), "SITEHOOKS_ADMIN_PASSWORD has more than 1024 bytes; for example SITEHOOKS_ADMIN_PASSWORD='"},
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			env := append([]string{"SITEHOOKS_DATA_DIR=" + data, "SITEHOOKS_ADDR=" + apptest.FreePort(t)}, strings.Split(c.env, "\n")...)
			_, stderr, err := apptest.Output(t, env, "", "serve")
			if err == nil || !strings.Contains(stderr, c.says) || len(apptest.Lines(stderr)) != 1 || strings.Contains(stderr, "goroutine") {
				t.Errorf("%v\n%s", err, stderr)
			}
			if _, err := os.Stat(filepath.Join(data, models.SQLiteFile)); err == nil {
				t.Error("a start that was refused left a database")
			}
		})
	}
}

// TestOneTimePasswordIsToldInTheLogsOwnForm: a program that reads the log gets
// a line that it can read, also at a level that leaves other lines out.
func TestOneTimePasswordIsToldInTheLogsOwnForm(t *testing.T) {
	for format, wants := range map[string]*regexp.Regexp{
		"text": regexp.MustCompile(`^First administrator: admin@localhost  one-time password: [a-z2-7]{16}$`),
		"json": regexp.MustCompile(`^\{.*"email":"admin@localhost","one_time_password":"[a-z2-7]{16}"\}$`),
	} {
		in := apptest.Serve(t, []string{"SITEHOOKS_DATA_DIR=" + t.TempDir(), "SITEHOOKS_LOG_FORMAT=" + format, "SITEHOOKS_LOG_LEVEL=error"})
		output := apptest.Lines(in.Log.String())
		if len(output) != 1 || !wants.MatchString(output[0]) {
			t.Errorf("%s says %q", format, output)
		}
		if format == "json" && !json.Valid([]byte(output[0])) {
			t.Errorf("no JSON: %s", output[0])
		}
	}
}

func TestCommands(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.Environment(t, kind)
		out, errs, err := apptest.Output(t, env, "", "migrate")
		if err != nil {
			t.Fatalf("migrate: %v %s %s", err, out, errs)
		}
		if out, errs, err := apptest.Output(t, env, "another password\n", "admin", "add", "jr@example.com"); err != nil {
			t.Fatalf("admin add: %v %s %s", err, out, errs)
		}
		if _, errs, err := apptest.Output(t, env, "short\n", "admin", "add", "x@example.com"); err == nil || !strings.Contains(errs, "password") {
			t.Errorf("a short password: %v %s", err, errs)
		}
		token, errs, err := apptest.Output(t, env, "", "token", "create", "--name", "site", "--scope", "ingest", "--location", "team-a")
		if err != nil || len(strings.Fields(token)) != 1 {
			t.Fatalf("token create: %v %q %s", err, token, errs)
		}
		if !strings.Contains(errs, "team-a does not exist yet") {
			t.Errorf("of an unknown location token create says %q", errs)
		}
		if _, errs, err := apptest.Output(t, env, "", "token", "create", "--name", "site", "--scope", "ingest", "--location", "main"); err != nil || errs != "" {
			t.Errorf("token create for the main site: %v %s", err, errs)
		}
		if _, errs, err := apptest.Output(t, env, "", "rekey"); err == nil || !strings.Contains(errs, "there is only one key") {
			t.Errorf("rekey with one key: %v %s", err, errs)
		}
		addr := apptest.FreePort(t)
		if _, _, err := apptest.Output(t, append(env, "SITEHOOKS_ADDR="+addr), "", "healthcheck"); err == nil {
			t.Error("healthy without an instance")
		}
		in := apptest.Serve(t, env)
		if _, errs, err := apptest.Output(t, append(env, "SITEHOOKS_ADDR="+strings.TrimPrefix(in.Base, "http://")), "", "healthcheck"); err != nil {
			t.Errorf("healthcheck: %v %s", err, errs)
		}
		for body, want := range map[string]int{
			apptest.QuestionJSON("a", 1, `,"location":"team-a"`): http.StatusAccepted, apptest.QuestionJSON("b", 2, ""): http.StatusForbidden,
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.Base+"/api/v1/events", bytes.NewBufferString(body))
			ok(t, err)
			req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
			req.Header.Set("Content-Type", "application/json")
			if a, err := apptest.Do(t, http.DefaultClient, req); err != nil || a.Code != want {
				t.Errorf("with the token: %d %s %v, want %d", a.Code, a.Body, err, want)
			}
		}
	})
}
