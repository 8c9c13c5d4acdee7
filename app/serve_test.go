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

	"github.com/sitehooks/sitehooks/models"
)

func TestFromTheSiteToTheReceiver(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		in, hook := serve(t, environment(t, kind)), newReceiver(t)
		b := in.login()
		b.quick()
		b.createWebhook(webhookForm(hook.URL + "/hook"))
		in.accept(questionJSON("first", 1, ""))
		eventually(t, "delivery", func() bool { return len(hook.items(t)) == 1 })
		eventually(t, "the history tells it", func() bool { // it is recorded after the answer
			history := b.event("first")
			return history.code == http.StatusOK && strings.Contains(history.body, "Everything") && strings.Contains(history.body, "Delivered")
		})
		metrics := b.get("/metrics").body
		for _, line := range []string{
			`sitehooks_events_total{type="question.created"} 1`, `sitehooks_attempts_total{outcome="delivered",type="generic"} 1`,
			`sitehooks_deliveries_total{state="delivered",type="generic"} 1`, `sitehooks_build_info{version="`,
			`sitehooks_attempt_duration_seconds_count{type="generic"} 1`, "sitehooks_oldest_due_delivery_seconds 0", "sitehooks_undispatched_events 0",
		} {
			if !strings.Contains(metrics, line) {
				t.Errorf("metrics lack %s", line)
			}
		}
		// What waits for a paused webhook is dropped with it.
		b.post("/admin/webhooks/1/pause", nil)
		in.accept(questionJSON("second", 2, ""))
		eventually(t, "the held delivery", func() bool { return strings.Contains(b.get("/metrics").body, "sitehooks_waiting_deliveries 1") })
		b.post("/admin/webhooks/1/delete", nil)
		if metrics = b.get("/metrics").body; !strings.Contains(metrics, `sitehooks_deliveries_total{state="dropped",type="generic"} 1`) {
			t.Error("metrics lack the dropped delivery")
		}
		if !strings.Contains(in.log.String(), "msg=attempt") {
			t.Error("no line about the attempt in the log")
		}
		if err := in.terminate(); err != nil {
			t.Errorf("stopped with %v\n%s", err, in.log)
		}
	})
}

func TestTheSameEventsTwiceAtTheSameMoment(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		in, hook := serve(t, environment(t, kind)), newReceiver(t)
		b := in.login()
		b.quick()
		b.createWebhook(webhookForm(hook.URL))
		var events []string
		for i := range 50 {
			events = append(events, questionJSON(fmt.Sprintf("e%d", i), i+1, ""))
		}
		events = append(events, events[0], events[7]) // the same ids twice in one request
		body := `{"events":[` + strings.Join(events, ",") + `]}`
		slices.Reverse(events)
		backwards := `{"events":[` + strings.Join(events, ",") + `]}`
		var wg sync.WaitGroup
		answers := make([]answer, 8)
		for i := range answers {
			wg.Go(func() {
				if i%2 == 0 {
					answers[i] = in.ingest(body)
				} else {
					answers[i] = in.ingest(backwards)
				}
			})
		}
		wg.Wait()
		accepted := 0
		for _, a := range answers {
			var n, d int
			if _, err := fmt.Sscanf(strings.Join(strings.Fields(a.body), ""), `{"accepted":%d,"duplicates":%d}`, &n, &d); err != nil || n+d != 52 || a.code != 202 {
				t.Errorf("answer %d %s", a.code, a.body)
			}
			accepted += n
		}
		if accepted != 50 {
			t.Errorf("accepted %d, want 50", accepted)
		}
		eventually(t, "50 items", func() bool { return len(hook.items(t)) >= 50 })
		if a := in.ingest(body); strings.Join(strings.Fields(a.body), "") != `{"accepted":0,"duplicates":52}` {
			t.Errorf("once more: %s", a.body)
		}
		in.accept(questionJSON("last", 99, "")) // behind whatever else would come
		eventually(t, "the last", func() bool { return len(hook.items(t)) > 50 })
		if n := len(hook.items(t)); n != 51 {
			t.Errorf("%d items arrived, want 51", n)
		}
	})
}

func TestKilledWhileEventsAreDue(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		env, hook := environment(t, kind), newReceiver(t)
		in := serve(t, env)
		b := in.login()
		b.quick()
		b.createWebhook(webhookForm(hook.URL))
		const n = 300
		for i := range n {
			in.accept(questionJSON(fmt.Sprintf("e%d", i), i+1, ""))
			if i%100 == 99 { // in the middle of dispatch and delivery
				in.kill()
				in = serve(t, env)
			}
		}
		eventually(t, "all events", func() bool { return len(distinct(hook.items(t))) == n })
		// What was repeated has the id of the first time: by id, each is once.
		if items := hook.items(t); len(items) != n {
			t.Errorf("%d items by distinct deliveries, want %d", len(items), n)
		}
	})
}

func distinct(items []item) map[int64]bool {
	ids := map[int64]bool{}
	for _, it := range items {
		ids[it.QuestionID] = true
	}
	return ids
}

func TestSettingsAreInForceEverywhereWithinASecond(t *testing.T) {
	env, hook := environment(t, "postgres"), newReceiver(t)
	// The one that is told sends nothing, so the others have to know by
	// themselves.
	one, two := serve(t, env, "SITEHOOKS_ROLE=web"), serve(t, env)
	three := serve(t, env, "SITEHOOKS_ROLE=jobs")
	b := one.login()
	b.set("Webhooks.EnableGenericWebhooks", "True")
	b.createWebhook(webhookForm(hook.URL))
	b.set("Webhooks.DispatchDelay", "0")
	b.set("Webhooks.DispatchInterval", "3600")
	two.accept(questionJSON("waits", 1, ""))
	b.set("Webhooks.DispatchInterval", "1")
	eventually(t, "delivery by the others", func() bool { return len(hook.items(t)) == 1 })
	if a, err := get(t, http.DefaultClient, three.base+"/admin/webhooks"); err != nil || a.code != http.StatusNotFound {
		t.Errorf("the role jobs answers pages: %d %v", a.code, err)
	}
	if a, err := get(t, http.DefaultClient, three.base+"/metrics"); err != nil || a.code != http.StatusOK {
		t.Errorf("the role jobs has no metrics: %d %v", a.code, err)
	}
}

func TestFaultsAtStartAreOneLine(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	ok(t, err)
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	ok(t, os.WriteFile(file, nil, 0o600))
	served := environment(t, "sqlite")
	serve(t, served)
	for name, c := range map[string]struct{ env, says string }{
		"database url":       {"DATABASE_URL=nonsense", "DATABASE_URL"},
		"port in use":        {"SITEHOOKS_ADDR=" + taken.Addr().String(), "SITEHOOKS_ADDR"},
		"data folder":        {"SITEHOOKS_DATA_DIR=" + file, "SITEHOOKS_DATA_DIR"},
		"missing key":        {"DATABASE_URL=postgres://u@127.0.0.1:1/x", "SITEHOOKS_SECRET_KEY"},
		"database away":      {"DATABASE_URL=postgres://u@127.0.0.1:1/x\nSITEHOOKS_SECRET_KEY=" + "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "DATABASE_URL"},
		"pool":               {"DATABASE_URL=postgres://u@127.0.0.1:1/x?pool_max_conns=many\nSITEHOOKS_SECRET_KEY=" + "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "for example DATABASE_URL="},
		"exec mode":          {"DATABASE_URL=postgres://u@127.0.0.1:1/x?default_query_exec_mode=fast\nSITEHOOKS_SECRET_KEY=" + "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "for example DATABASE_URL="},
		"unknown variable":   {"SITEHOOKS_TRUSTED_PROXY=10.0.0.0/8", "SITEHOOKS_TRUSTED_PROXY is not known; the nearest variable is SITEHOOKS_TRUSTED_PROXIES"},
		"wrong cidr":         {"SITEHOOKS_ALLOW_TARGETS=10.0.0.0/99", "SITEHOOKS_ALLOW_TARGETS"},
		"too wide":           {"SITEHOOKS_ALLOW_TARGETS=0.0.0.0/0", "SITEHOOKS_ALLOW_TARGETS"},
		"second on a folder": {served[len(served)-1], "PostgreSQL"},
		"wrong role":         {"SITEHOOKS_ROLE=both", "SITEHOOKS_ROLE"},
		"short password":     {"SITEHOOKS_ADMIN_EMAIL=a@b.example\nSITEHOOKS_ADMIN_PASSWORD=seven77", "SITEHOOKS_ADMIN_PASSWORD has fewer than 8 characters; for example SITEHOOKS_ADMIN_PASSWORD='"},
		"long password":      {"SITEHOOKS_ADMIN_EMAIL=a@b.example\nSITEHOOKS_ADMIN_PASSWORD=" + strings.Repeat("x", 1025), "SITEHOOKS_ADMIN_PASSWORD has more than 1024 bytes; for example SITEHOOKS_ADMIN_PASSWORD='"},
	} {
		t.Run(name, func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			env := append([]string{"SITEHOOKS_DATA_DIR=" + data, "SITEHOOKS_ADDR=" + freePort(t)}, strings.Split(c.env, "\n")...)
			_, stderr, err := output(t, env, "", "serve")
			if err == nil || !strings.Contains(stderr, c.says) || len(lines(stderr)) != 1 || strings.Contains(stderr, "goroutine") {
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
		in := serve(t, []string{"SITEHOOKS_DATA_DIR=" + t.TempDir(), "SITEHOOKS_LOG_FORMAT=" + format, "SITEHOOKS_LOG_LEVEL=error"})
		told := lines(in.log.String())
		if len(told) != 1 || !wants.MatchString(told[0]) {
			t.Errorf("%s says %q", format, told)
		}
		if format == "json" && !json.Valid([]byte(told[0])) {
			t.Errorf("no JSON: %s", told[0])
		}
	}
}

func TestCommands(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		env := environment(t, kind)
		out, errs, err := output(t, env, "", "migrate")
		if err != nil {
			t.Fatalf("migrate: %v %s %s", err, out, errs)
		}
		if out, errs, err := output(t, env, "another password\n", "admin", "add", "jr@example.com"); err != nil {
			t.Fatalf("admin add: %v %s %s", err, out, errs)
		}
		if _, errs, err := output(t, env, "short\n", "admin", "add", "x@example.com"); err == nil || !strings.Contains(errs, "password") {
			t.Errorf("a short password: %v %s", err, errs)
		}
		token, errs, err := output(t, env, "", "token", "create", "--name", "site", "--scope", "ingest", "--location", "team-a")
		if err != nil || len(strings.Fields(token)) != 1 {
			t.Fatalf("token create: %v %q %s", err, token, errs)
		}
		if !strings.Contains(errs, "team-a is not known yet") {
			t.Errorf("of an unknown location token create says %q", errs)
		}
		if _, errs, err := output(t, env, "", "token", "create", "--name", "site", "--scope", "ingest", "--location", "main"); err != nil || errs != "" {
			t.Errorf("token create for the main site: %v %s", err, errs)
		}
		if _, errs, err := output(t, env, "", "rekey"); err == nil || !strings.Contains(errs, "there is only one key") {
			t.Errorf("rekey with one key: %v %s", err, errs)
		}
		addr := freePort(t)
		if _, _, err := output(t, append(env, "SITEHOOKS_ADDR="+addr), "", "healthcheck"); err == nil {
			t.Error("healthy without an instance")
		}
		in := serve(t, env)
		if _, errs, err := output(t, append(env, "SITEHOOKS_ADDR="+strings.TrimPrefix(in.base, "http://")), "", "healthcheck"); err != nil {
			t.Errorf("healthcheck: %v %s", err, errs)
		}
		for body, want := range map[string]int{
			questionJSON("a", 1, `,"location":"team-a"`): http.StatusAccepted, questionJSON("b", 2, ""): http.StatusForbidden,
		} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.base+"/api/v1/events", bytes.NewBufferString(body))
			ok(t, err)
			req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
			req.Header.Set("Content-Type", "application/json")
			if a, err := do(t, http.DefaultClient, req); err != nil || a.code != want {
				t.Errorf("with the token: %d %s %v, want %d", a.code, a.body, err, want)
			}
		}
	})
}
