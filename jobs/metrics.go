package jobs

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sitehooks/sitehooks/jobs/gauges"
	"github.com/sitehooks/sitehooks/models"
)

// metrics count the attempts of deliveries for Prometheus. No label names a
// webhook, a location or a URL.
type metrics struct {
	attempts *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer, store *models.Store) *metrics {
	m := &metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sitehooks_attempts_total", Help: "Attempts by type of webhook and resulting state of the delivery.",
		}, []string{"type", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sitehooks_attempt_duration_seconds", Help: "Duration of attempts, from start to the end of the response.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30},
		}, []string{"type"}),
	}
	r.MustRegister(m.attempts, m.duration, gauges.New(store, gaugesFor))
	return m
}

// gaugesFor is how long an answer of the database is reused. Scrapes need no
// login, so they must not keep the database busy.
const gaugesFor = time.Second
