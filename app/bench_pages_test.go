package app_test

import (
	"encoding/base64"
	"net/http"
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
