package bench

import (
	"encoding/base64"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
	"github.com/sitehooks/sitehooks/models/secret"
)

// benchRows is how many events and how many deliveries the pages are measured
// over; SITEHOOKS_BENCH_ROWS says another number.
const (
	benchRows      = 5_000_000
	benchWebhooks  = 2_000
	benchLocations = 300
)

// BenchmarkPages measures the server's time for each page, over a database of a
// large installation: one request after the other, on this machine.
func BenchmarkPages(b *testing.B) {
	rows := benchRows
	if text := os.Getenv("SITEHOOKS_BENCH_ROWS"); text != "" {
		var err error
		rows, err = strconv.Atoi(text)
		ok(b, err)
	}
	for _, kind := range modelstest.Kinds() {
		b.Run(kind, func(b *testing.B) {
			in := apptest.Serve(b, bigDatabase(b, kind, rows), "SITEHOOKS_LOG_LEVEL=warn")
			admin := in.Login()
			for _, page := range apptest.Pages(rows) {
				b.Run(page.Name, func(b *testing.B) { measurePage(admin, b, page) })
			}
		})
	}
}

// bigDatabase fills a new database and returns the environment that serves it.
func bigDatabase(b *testing.B, kind string, rows int) []string {
	b.Helper()
	const seal = "SITEHOOKS_SECRET_KEY="
	env := append(apptest.Environment(b, kind), seal+base64.StdEncoding.EncodeToString(modelstest.Key()))
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
	modelstest.Fill(b, s, modelstest.Size{Webhooks: benchWebhooks, Events: rows, Deliveries: rows, Locations: benchLocations})
	b.Logf("filled with %d events and deliveries in %s", rows, time.Since(started).Round(time.Second))
	return env
}

// measure asks for a page again and again and reports its times.
func measurePage(b *apptest.Browser, bench *testing.B, page apptest.Page) {
	var times []time.Duration
	for bench.Loop() {
		started := time.Now()
		a := b.Ask(page)
		times = append(times, time.Since(started))
		if !page.Answered(a) {
			bench.Fatalf("%s: %d %s", page.Path, a.Code, a.Body)
		}
	}
	slices.Sort(times)
	ms := func(share float64) float64 {
		return float64(times[int(share*float64(len(times)-1))].Microseconds()) / 1000
	}
	bench.ReportMetric(0, "ns/op")
	bench.ReportMetric(ms(0), "ms-least") // least affected by other processes on the machine
	bench.ReportMetric(ms(0.5), "ms-median")
	bench.ReportMetric(ms(0.99), "ms-p99")
}
