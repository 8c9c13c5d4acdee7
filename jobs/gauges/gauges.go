// Package gauges tells Prometheus what waits in the database: events, deliveries,
// webhooks by state, and how sources fare.
package gauges

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sitehooks/sitehooks/models"
)

// Collector asks the database when it is scraped: once for all scrapes at the
// same time or soon after. No label names a webhook, a location or a URL; those
// about sources name them.
type Collector struct {
	ask   func() (depths, error)
	again time.Duration // how long an answer, or an error, is reused

	mu    sync.Mutex // held while the database is asked; guards the fields below
	found depths
	err   error
	until time.Time
}

// New reuses an answer of the database, or its error, for so long.
func New(store *models.Store, again time.Duration) *Collector {
	return &Collector{ask: func() (depths, error) { return askDepths(store) }, again: again}
}

// depths are the values of a scrape.
type depths struct {
	waiting  models.Depth
	snapshot models.Snapshot
	sources  []models.SourceRow
}

func askDepths(store *models.Store) (depths, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	waiting, err := store.Deliveries.Depth(ctx)
	if err != nil {
		return depths{}, err
	}
	snapshot, err := store.Snapshot(ctx)
	if err != nil {
		return depths{}, err
	}
	sources, err := store.Sources.List(ctx, models.AllLocations())
	return depths{waiting, snapshot, sources}, err
}

// newest is the latest answer of the database.
func (x *Collector) newest() (depths, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !time.Now().Before(x.until) {
		x.found, x.err = x.ask()
		x.until = time.Now().Add(x.again)
	}
	return x.found, x.err
}

var (
	oldestDesc = prometheus.NewDesc("sitehooks_oldest_due_delivery_seconds",
		"Age of the oldest due delivery of a webhook that can send.", nil, nil)
	eventsDesc = prometheus.NewDesc("sitehooks_undispatched_events",
		"Accepted events not dispatched yet, counted up to 100000.", nil, nil)
	backlogsDesc = prometheus.NewDesc("sitehooks_backlog_locations",
		"Locations with events not dispatched yet.", nil, nil)
	asideDesc = prometheus.NewDesc("sitehooks_dispatch_set_aside",
		"Groups of deliveries that dispatch could not create in three tries. The System page has the reasons.", nil, nil)
	waitingDesc = prometheus.NewDesc("sitehooks_waiting_deliveries",
		"Deliveries that are pending, retrying or held, counted up to 100000.", nil, nil)
	lateDesc = prometheus.NewDesc("sitehooks_dispatch_late_seconds",
		"How long the oldest event has been due for dispatch, if longer than three intervals and 15 seconds; otherwise 0.", nil, nil)
	sourceEventDesc = prometheus.NewDesc("sitehooks_source_last_event_timestamp_seconds",
		"When a source reported its last event, in seconds since 1970. It has no sample before the first one.", []string{"source"}, nil)
	sourceSilentDesc = prometheus.NewDesc("sitehooks_source_silent",
		"1 while a source has reported nothing for longer than expected, otherwise 0.", []string{"source"}, nil)
	sourceBehindDesc = prometheus.NewDesc("sitehooks_source_behind_seconds",
		"How far a follower is behind. One that reports no more falls behind from then on.", []string{"source"}, nil)
	webhooksDesc = prometheus.NewDesc("sitehooks_webhooks", "Webhooks by state.", []string{"state"}, nil)
)

// Describe implements prometheus.Collector.
func (*Collector) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{oldestDesc, eventsDesc, backlogsDesc, asideDesc, waitingDesc, lateDesc, webhooksDesc, sourceEventDesc, sourceSilentDesc, sourceBehindDesc} {
		c <- d
	}
}

// Collect implements prometheus.Collector. While the database is away it
// leaves these out.
func (x *Collector) Collect(c chan<- prometheus.Metric) {
	found, err := x.newest()
	if err != nil {
		return
	}
	d, at := found.waiting, found.snapshot
	gauge := func(desc *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v, labels...)
	}
	gauge(oldestDesc, d.OldestDue.Seconds())
	gauge(eventsDesc, float64(d.Undispatched))
	gauge(backlogsDesc, float64(d.Backlogs))
	gauge(asideDesc, float64(d.SetAside))
	gauge(waitingDesc, float64(d.Waiting))
	late := time.Duration(0)
	if since := at.Late(); since != nil {
		late = at.Now.Sub(*since)
	}
	gauge(lateDesc, late.Seconds())
	for _, s := range found.sources {
		if s.State.LastEventAt != nil {
			gauge(sourceEventDesc, float64(s.State.LastEventAt.UnixMilli())/1000, s.Name)
		}
		silent := 0.0
		if s.State.SilentSince != nil {
			silent = 1
		}
		gauge(sourceSilentDesc, silent, s.Name)
		if s.Cursor != nil {
			gauge(sourceBehindDesc, s.Cursor.Behind(at.Now).Seconds(), s.Name)
		}
	}
	for state, n := range d.Webhooks {
		gauge(webhooksDesc, float64(n), state)
	}
}
