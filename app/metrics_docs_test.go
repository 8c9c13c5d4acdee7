package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// scraped are the metrics of an instance: the type and the names of labels of
// each, and the names of all samples with theirs.
type scraped struct {
	types, labels map[string]string
	samples       map[string][]string
}

var (
	typeLine   = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)
	sampleLine = regexp.MustCompile(`(?m)^([a-z_]+)(?:\{([^}]*)\})? `)
	labelName  = regexp.MustCompile(`(\w+)="`)
)

func scrape(t *testing.T, base string) scraped {
	t.Helper()
	a, err := apptest.Get(t, http.DefaultClient, base+"/metrics")
	ok(t, err)
	s := scraped{map[string]string{}, map[string]string{}, map[string][]string{}}
	for _, line := range typeLine.FindAllStringSubmatch(a.Body, -1) {
		s.types[line[1]] = line[2]
	}
	for _, line := range sampleLine.FindAllStringSubmatch(a.Body, -1) {
		var labels []string
		for _, name := range labelName.FindAllStringSubmatch(line[2], -1) {
			labels = append(labels, name[1])
		}
		s.samples[line[1]] = labels
	}
	for name, kind := range s.types {
		sample := name
		if kind == "histogram" {
			sample += "_count"
		}
		labels := slices.Sorted(slices.Values(s.samples[sample]))
		s.labels[name] = strings.Join(labels, ",")
	}
	return s
}

// used are the metrics that a file's queries name, each with the labels by which
// it is chosen.
func used(queries string) map[string][]string {
	all := map[string][]string{}
	for _, use := range regexp.MustCompile(`\b((?:sitehooks|process|go)_\w+)(?:\{([^}]*)\})?`).FindAllStringSubmatch(queries, -1) {
		for _, label := range regexp.MustCompile(`(\w+) ?[!=]`).FindAllStringSubmatch(use[2], -1) {
			all[use[1]] = append(all[use[1]], label[1])
		}
		all[use[1]] = append(all[use[1]], "")
	}
	return all
}

// TestMetricsAreDocumented scrapes the demo until it has sent something. The
// page about metrics lists exactly what it has, and the dashboard and the alerts
// use nothing else.
func TestMetricsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/metrics.md")
	ok(t, err)
	rows := regexp.MustCompile("(?m)^\\| `(sitehooks_\\w+)(?:\\{(.*)\\})?` \\| (\\w+) \\| \\S.* \\|$").FindAllStringSubmatch(string(page), -1)
	if len(rows) < 10 {
		t.Fatalf("only %d metrics are documented", len(rows))
	}
	d := startDemo(t)
	call := func(method, path, token, body string, want int) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, d.base+path, strings.NewReader(body))
		ok(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Sitehooks-Source", "forum")
		if a, err := apptest.Do(t, http.DefaultClient, req); err != nil || a.Code != want {
			t.Fatalf("%s: %d %s %v", path, a.Code, a.Body, err)
		}
	}
	call(http.MethodPost, "/api/v1/events", "wrong", "", http.StatusUnauthorized)
	call(http.MethodPut, "/api/v1/sources/forum/cursor", d.token, `{"holder":"test","lease_seconds":60,"place":1,"behind_seconds":0}`, http.StatusOK)
	call(http.MethodPost, "/api/v1/events", d.token, apptest.QuestionJSON("e1", 1, ""), http.StatusAccepted)
	var s scraped
	apptest.Eventually(t, "all that is documented", func() bool {
		s = scrape(t, d.base)
		return !slices.ContainsFunc(rows, func(row []string) bool { return s.types[row[1]] == "" })
	})
	documented := map[string]bool{}
	for _, row := range rows {
		documented[row[1]] = true
		labels := slices.Sorted(strings.SplitSeq(row[2], ","))
		if want := strings.Join(labels, ","); s.types[row[1]] != row[3] || s.labels[row[1]] != want {
			t.Errorf("%s is a %s with the labels %q, and documented as a %s with %q", row[1], s.types[row[1]], s.labels[row[1]], row[3], want)
		}
	}
	for name := range s.types {
		if strings.HasPrefix(name, "sitehooks_") && !documented[name] {
			t.Errorf("%s is not documented", name)
		}
	}
	for _, path := range []string{"../deploy/grafana/sitehooks.json", "../deploy/prometheus/sitehooks.rules.yml"} {
		usesOnly(t, path, s)
	}
}

func usesOnly(t *testing.T, path string, s scraped) {
	t.Helper()
	text, err := os.ReadFile(path)
	ok(t, err)
	metrics := used(strings.ReplaceAll(string(text), `\"`, `"`))
	if len(metrics) < 10 {
		t.Fatalf("%s: only %d metrics", path, len(metrics))
	}
	for name, labels := range metrics {
		has, is := s.samples[name]
		if !is {
			t.Errorf("%s uses %s, which a scrape does not have", path, name)
		}
		for _, label := range labels {
			if !slices.Contains(append(has, "", "job", "instance"), label) {
				t.Errorf("%s chooses %s by the label %s, which it does not have", path, name, label)
			}
		}
	}
}

// TestDashboardIsComplete: each panel has a place of its own, queries and a
// title.
func TestDashboardIsComplete(t *testing.T) {
	text, err := os.ReadFile("../deploy/grafana/sitehooks.json")
	ok(t, err)
	var board struct {
		Title  string
		Panels []struct {
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr string }
		}
	}
	ok(t, json.Unmarshal(text, &board))
	taken := map[[2]int]string{}
	for _, p := range board.Panels {
		if p.Title == "" || len(p.Targets) == 0 || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("panel %q: %+v", p.Title, p)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if taken[at] != "" {
					t.Fatalf("%s lies over %s", p.Title, taken[at])
				}
				taken[at] = p.Title
			}
		}
		for _, target := range p.Targets {
			if !strings.Contains(target.Expr, `job="$job"`) {
				t.Errorf("%s: %s is not bound to the chosen job", p.Title, target.Expr)
			}
		}
	}
	if board.Title == "" || len(board.Panels) < 10 {
		t.Errorf("%q has %d panels", board.Title, len(board.Panels))
	}
}

// TestEachAlertIsTested: promtool lets each alert fire, and be silent before.
func TestEachAlertIsTested(t *testing.T) {
	rules, err := os.ReadFile("../deploy/prometheus/sitehooks.rules.yml")
	ok(t, err)
	tests, err := os.ReadFile("../deploy/prometheus/sitehooks.rules.test.yml")
	ok(t, err)
	alerts := regexp.MustCompile(`(?m)^      - alert: (\w+)$`).FindAllStringSubmatch(string(rules), -1)
	if len(alerts) < 10 {
		t.Fatalf("only %d alerts", len(alerts))
	}
	for _, alert := range alerts {
		for _, expected := range []string{"exp_alerts: []", "exp_alerts:\n          - exp_labels:"} {
			if !strings.Contains(string(tests), "alertname: "+alert[1]+"\n        "+expected) {
				t.Errorf("%s: no test with %s", alert[1], expected)
			}
		}
	}
}
