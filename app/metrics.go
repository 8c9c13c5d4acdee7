package app

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// counters count the work of an instance of any role. The jobs have counters of
// their own. No label names a webhook, a location or a URL.
type counters struct {
	events        *prometheus.CounterVec
	eventsRefused *prometheus.CounterVec
	deliveries    *prometheus.CounterVec
	loginsRefused prometheus.Counter
}

// newMetrics returns an instance's registry with its counters.
func newMetrics() (*prometheus.Registry, *counters) {
	c := &counters{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sitehooks_events_total", Help: "Events accepted, by type.",
		}, []string{"type"}),
		eventsRefused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sitehooks_events_refused_total", Help: "Requests to report events that were refused with a 4xx status, by API and reason.",
		}, []string{"api", "reason"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sitehooks_deliveries_total", Help: "Deliveries that were delivered, failed or dropped, by type of webhook and that state.",
		}, []string{"type", "state"}),
		loginsRefused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "sitehooks_logins_refused_total", Help: "Logins refused: wrong passwords, those after too many, and single sign-on.",
		}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "sitehooks_build_info", Help: "1, with the version as a label.", ConstLabels: prometheus.Labels{"version": Version()},
	})
	build.Set(1)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		c.events, c.eventsRefused, c.deliveries, c.loginsRefused, build)
	return registry, c
}

func (c *counters) accepted(types map[string]int) {
	for name, n := range types {
		c.events.WithLabelValues(name).Add(float64(n))
	}
}

func (c *counters) refused(api, reason string) { c.eventsRefused.WithLabelValues(api, reason).Inc() }

func (c *counters) finished(webhookType, state string, n int64) {
	c.deliveries.WithLabelValues(webhookType, state).Add(float64(n))
}
