package app_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
)

// benchRows is how many events and how many deliveries the pages are measured
// over; SITEHOOKS_BENCH_ROWS says another number.
const (
	benchRows     = 1_000_000
	benchWebhooks = 10_000
)

// benchPage is a page that is measured.
type benchPage struct {
	name, path string
	form       url.Values // posted; nil: the page is read
}

// benchPages are all pages with their filters, in a database filled so far.
func benchPages(rows int) []benchPage {
	n := strconv.Itoa
	list := []benchPage{
		{name: "webhooks", path: "/admin/webhooks"},
		{name: "webhook", path: "/admin/webhooks/1"},
		{name: "webhook-edit", path: "/admin/webhooks/1/edit"},
		{name: "delivery", path: "/admin/deliveries/msg_big" + n(rows)},
		{name: "trigger", path: "/admin/trigger-history/" + n(rows)},
		{name: "trigger/asked", path: "/admin/trigger-history/" + n(rows) + "?webhook=100"},
		{name: "resend/failed", path: "/admin/deliveries/resend?state=failed"},
		{name: "resend/all", path: "/admin/deliveries/resend"},
		{name: "resend/unindexed", path: "/admin/deliveries/resend?code=4xx"},
		{name: "locations", path: "/admin/locations"},
		{name: "members", path: "/admin/members"},
		{name: "tokens", path: "/admin/tokens"},
		{name: "audit", path: "/admin/audit"},
		{name: "audit/filtered", path: "/admin/audit?q=nothing+like+it"},
		{name: "site-settings", path: "/developer/site-settings"},
		{name: "site-setting", path: "/developer/site-settings/edit?name=Webhooks.DispatchDelay"},
		{name: "system", path: "/admin/system"},
		{name: "metrics", path: "/metrics"},
	}
	for _, group := range []struct {
		name, path string
		queries    []string
	}{
		{"webhooks", "/admin/webhooks", []string{
			"sort=type", "sort=team", "sort=team&dir=desc", "sort=created&dir=asc", "sort=health", "sort=health&dir=desc",
			"type=slack", "team=team-3", "state=broken", "state=failing", "owner=7", "tag=tag-7", "activity=topic.created", "q=webhook+77", "q=nothing+like+it", "per=200",
		}},
		{"deliveries", "/admin/deliveries", []string{
			"", "webhook=1", "webhook=100", "state=failed", "state=delivered", "state=held", "state=waiting", "webhook=1&state=failed",
			"time=1h", "time=24h", "webhook=1&time=24h", "before=51", "webhook=1&before=" + n(rows/2),
			"code=5xx", "code=4xx", "error=timeout", "type=question.created", "type=team.created", "webhook=1&state=dropped", "webhook=1&code=4xx", "state=delivered&code=4xx",
		}},
		{"triggers", "/admin/trigger-history", []string{
			"", "location=main", "location=team-3", "time=1h", "time=24h", "location=team-3&time=7d", "before=51", "location=main&before=" + n(rows/2),
			"type=question.created", "type=team.created", "tag=tag-7", "tag=none", "q=big-" + n(rows/2), "q=question+77", "q=77", "q=%2Fquestions%2F77%2F", "q=nothing+like+it", "location=team-3&q=nothing+like+it",
		}},
	} {
		for _, query := range group.queries {
			list = append(list, benchPage{name: strings.TrimSuffix(group.name+"/"+query, "/"), path: group.path + "?" + query})
		}
	}
	preview := webhookForm("http://127.0.0.1:9/hook")
	preview.Set("do", "preview")
	return append(list, benchPage{"preview", "/admin/webhooks/new?type=generic", preview})
}

// BenchmarkPages measures what the server needs for each page, over a database
// of a large installation: one request after the other, on this machine.
func BenchmarkPages(b *testing.B) {
	rows := benchRows
	if text := os.Getenv("SITEHOOKS_BENCH_ROWS"); text != "" {
		var err error
		rows, err = strconv.Atoi(text)
		ok(b, err)
	}
	for _, kind := range modelstest.Kinds() {
		b.Run(kind, func(b *testing.B) {
			in := serve(b, bigDatabase(b, kind, rows), "SITEHOOKS_LOG_LEVEL=warn")
			admin := in.login()
			for _, page := range benchPages(rows) {
				b.Run(page.name, func(b *testing.B) { admin.measure(b, page) })
			}
		})
	}
}

// bigDatabase fills a new database and returns the environment that serves it.
func bigDatabase(b *testing.B, kind string, rows int) []string {
	b.Helper()
	const seal = "SITEHOOKS_SECRET_KEY="
	env := append(environment(b, kind), seal+base64.StdEncoding.EncodeToString(modelstest.Key()))
	box, err := secret.NewBox(modelstest.Key())
	ok(b, err)
	o := models.Options{Box: box}
	for _, setting := range env {
		switch name, value, _ := strings.Cut(setting, "="); name {
		case "SITEHOOKS_DATA_DIR":
			o.DataDir = value
		case "DATABASE_URL":
			o.DatabaseURL = value
		}
	}
	s, err := models.Open(b.Context(), o)
	ok(b, err)
	defer s.Close()
	started := time.Now()
	// Before there are webhooks: switched on, it would have each of them looked at.
	ok(b, s.Settings.Change(b.Context(), models.Actor{Name: "Mary Wilkins"}, models.EnableGenericWebhooks, "True", "for the measurement"))
	modelstest.Fill(b, s, modelstest.Size{Webhooks: benchWebhooks, Events: rows, Deliveries: rows})
	b.Logf("filled with %d events and deliveries in %s", rows, time.Since(started).Round(time.Second))
	return env
}

// measure asks for a page again and again and reports its times.
func (b *browser) measure(bench *testing.B, page benchPage) {
	var times []time.Duration
	for bench.Loop() {
		started := time.Now()
		a := b.ask(page)
		times = append(times, time.Since(started))
		if a.code != http.StatusOK {
			bench.Fatalf("%s: %d %s", page.path, a.code, a.body)
		}
	}
	slices.Sort(times)
	ms := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Microseconds()) / 1000
	}
	bench.ReportMetric(0, "ns/op")
	bench.ReportMetric(ms(0), "ms-least") // what others on the machine add the least to
	bench.ReportMetric(ms(0.5), "ms-median")
	bench.ReportMetric(ms(0.99), "ms-p99")
}

func (b *browser) ask(page benchPage) answer {
	b.t.Helper()
	if page.form != nil {
		return b.post(page.path, page.form)
	}
	return b.get(page.path)
}
