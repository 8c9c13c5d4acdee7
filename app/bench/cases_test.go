package bench

import (
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// benchSizes are how much a run does: enough for a few seconds at least.
type benchSizes struct {
	single, hundreds, batched, batchedHundreds int // events
	paced                                      time.Duration
	raw, pages                                 float64 // seconds
	webhooks, strangers, rows                  int
	old, burst                                 int // events
}

var (
	fullSizes  = benchSizes{30_000, 40_000, 40_000, 120_000, 15 * time.Second, 3, 6, 10_000, 10_000, 5_000_000, 2_000_000, 5_000}
	quickSizes = benchSizes{2_000, 4_000, 3_000, 12_000, 3 * time.Second, 1, 1, 300, 1_000, 50_000, 20_000, 1_000}
)

const loadClients = 64

// benchCases are all cases in the order of their importance.
func benchCases(z benchSizes) []benchCase {
	var cases []benchCase
	add := func(name string, open func(r *benchRun) func(r *benchRun) figures) {
		cases = append(cases, benchCase{Name: name, Open: open})
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		add("main/"+kind+"/stackauth/single requests", throughput(z, kind, "stackauth", 1, loadOrder{Clients: loadClients, Events: z.single, Size: 1}))
		add("main/"+kind+"/stackauth/requests of 100", throughput(z, kind, "stackauth", 1, loadOrder{Clients: 8, Events: z.hundreds, Size: 100}))
		add("main/"+kind+"/generic/single requests", throughput(z, kind, "generic", 1, loadOrder{Clients: loadClients, Events: z.batched, Size: 1}))
		add("main/"+kind+"/generic/requests of 100", throughput(z, kind, "generic", 1, loadOrder{Clients: 8, Events: z.batchedHundreds, Size: 100}))
	}
	add("main/postgres/limit/rows in batches of 500", limit(z))
	add("main/postgres/bare queue/single requests", bareQueue(z))
	for _, kind := range []string{"postgres", "sqlite"} {
		add("main/"+kind+"/latency at 200 a second/interval 1", steady(z, kind, "1"))
		add("main/"+kind+"/latency at 200 a second/interval 0", steady(z, kind, "0"))
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		add("main/"+kind+"/start and idle memory", starting(kind, modelstest.Size{}))
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		add("growth/"+kind+"/webhooks that do not match, 10 and many", matching(z, kind))
	}
	cases = append(cases, growthCases(z)...)
	for _, kind := range []string{"postgres", "sqlite"} {
		add("pages/"+kind+"/list of webhooks, 16 connections", listing(z, kind))
	}
	add("instances/postgres/three against one", several(z, [][]string{{"all"}, {"all", "all", "all"}}))
	add("instances/postgres/two against one", several(z, [][]string{{"all"}, {"all", "all"}}))
	add("instances/postgres/web and jobs apart against one", several(z, [][]string{{"all"}, {"web", "jobs"}}))
	for _, kind := range []string{"postgres", "sqlite"} {
		hundreds := loadOrder{Clients: 8, Events: z.hundreds, Size: 100}
		add("webhooks/"+kind+"/100, requests of 100", throughput(z, kind, "stackauth", 100, hundreds))
		add("webhooks/"+kind+"/10000, requests of 100", throughput(z, kind, "stackauth", z.webhooks, hundreds))
		add("webhooks/"+kind+"/one hot and 1000 warm, requests of 100", hot(z, kind, hundreds))
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		cases = append(cases, benchCase{Name: "size/" + kind + "/bytes", Open: sizes(z, kind), Once: true})
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		add("retention/"+kind+"/latency while old rows are removed", retention(z, kind))
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		add("big/"+kind+"/start and idle memory with millions of rows", starting(kind, modelstest.Size{Webhooks: 1000, Events: z.rows, Deliveries: z.rows}))
	}
	return cases
}

// throughput is a closed load on webhooks of which each event matches one.
func throughput(z benchSizes, kind, webhookType string, webhooks int, o loadOrder) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s, to := newBenchSite(shared, kind), newTarget(shared)
		s.create(spread(webhookType, to.url, webhooks))
		o.Tags = webhooks
		return func(r *benchRun) figures {
			in := s.serve(r)
			defer stop(r, []*apptest.Instance{in})
			return s.loaded(r, to, []*apptest.Instance{in}, o, z.raw)
		}
	}
}

// hot gives half of all events to one webhook, the rest to a thousand.
func hot(z benchSizes, kind string, o loadOrder) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s, to := newBenchSite(shared, kind), newTarget(shared)
		o.Tags, o.Hot = 1000, true
		s.create(append(spread("stackauth", to.url, o.Tags), tagged("stackauth", to.url, "hot")))
		return func(r *benchRun) figures {
			in := s.serve(r)
			defer stop(r, []*apptest.Instance{in})
			return s.loaded(r, to, []*apptest.Instance{in}, o, z.raw)
		}
	}
}

// loaded measures a load on running instances, between two raw loops.
func (s *benchSite) loaded(t *benchRun, to *target, running []*apptest.Instance, o loadOrder, rawSeconds float64) figures {
	t.Helper()
	size := s.warm(to, running, o)
	t.begin(s.postgres, running)
	var f figures
	raw := rawAround(t, rawOrder{to.url + "/raw", size, loadClients, rawSeconds}, func() { f = s.run(t, to, running, o) })
	f["raw/s"] = raw
	f["of raw"] = f["delivered/s"] / raw
	return f
}

// rawAround is the rate of the raw loop, half of it before and half after the
// measurement: machines get faster and slower within seconds.
func rawAround(t testing.TB, o rawOrder, measured func()) float64 {
	t.Helper()
	o.Seconds /= 2
	before := perform[float64](t, "raw", o)
	measured()
	return (before + perform[float64](t, "raw", o)) / 2
}

// warm sends a few events and returns how long a body is for each of them.
func (s *benchSite) warm(to *target, running []*apptest.Instance, o loadOrder) int {
	s.t.Helper()
	s.start(to, running, &o)
	o.Events, o.Clients = 5*max(o.Size, 100), 4
	perform[loadResult](s.t, "load", o)
	got := to.wait(o.Events)
	s.settled()
	return int(got.Bytes / got.Items)
}

// start makes a load one of its own, whose events and deliveries can be told
// from those before.
func (s *benchSite) start(to *target, running []*apptest.Instance, o *loadOrder) {
	s.t.Helper()
	to.forget()
	s.remember()
	if o.Prefix = s.prefix(); o.Bases == nil {
		o.Bases = bases(running)
	}
}

// run sends a load and waits until all is delivered and recorded.
func (s *benchSite) run(t *benchRun, to *target, running []*apptest.Instance, o loadOrder) figures {
	t.Helper()
	s.start(to, running, &o)
	before := times(t, s.postgres, running)
	loaded := perform[loadResult](t, "load", o)
	to.wait(o.Events)
	s.settled()
	cpu := times(t, s.postgres, running).product - before.product
	got := to.tally()
	if got.Items != int64(o.Events) {
		t.Errorf("%d events were sent and %d arrived", o.Events, got.Items)
	}
	events := float64(o.Events)
	f := figures{
		"accepted/s":  events / loaded.Accepted.Sub(loaded.Started).Seconds(),
		"delivered/s": events / time.Unix(0, got.Last).Sub(loaded.Started).Seconds(),
		"CPU s/10k":   cpu / events * 10_000,
		"repeats":     float64(got.Repeats),
	}
	for _, in := range running {
		f["peak MiB"] = max(f["peak MiB"], in.Mebibytes(t, "VmHWM"))
	}
	return f
}

// steady is the latency of a load that asks for less than the machine can do.
func steady(z benchSizes, kind, interval string) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s, to := newBenchSite(shared, kind), newTarget(shared)
		s.create(spread("stackauth", to.url, 1))
		s.set(models.DispatchInterval, interval)
		return func(r *benchRun) figures {
			in := s.serve(r)
			defer stop(r, []*apptest.Instance{in})
			s.warm(to, []*apptest.Instance{in}, loadOrder{Size: 1})
			r.begin(s.postgres, []*apptest.Instance{in})
			return s.paced(r, to, in, z.paced).figures("")
		}
	}
}

const pacedRate = 200

func (s *benchSite) paced(t testing.TB, to *target, in *apptest.Instance, span time.Duration) latency {
	t.Helper()
	return s.pacedWhile(t, to, in, span, func() bool { return false })
}

func (l latency) figures(suffix string) figures {
	return figures{"p50 ms" + suffix: l.P50, "p90 ms" + suffix: l.P90, "p99 ms" + suffix: l.P99, "max ms" + suffix: l.Max}
}
