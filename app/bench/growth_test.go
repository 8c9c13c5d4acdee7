package bench

import (
	"strconv"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// growthCases compare the cost of a delivery on an installation with its cost
// on one that is ten times as large, and latency after a burst.
func growthCases(z benchSizes) (cases []benchCase) {
	add := func(name string, open func(r *benchRun) func(r *benchRun) figures) {
		cases = append(cases, benchCase{Name: name, Open: open})
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		add("growth/"+kind+"/old events, 200000 and 2000000", moreHistory(z, kind))
		add("growth/"+kind+"/webhooks with a few events each, 1000 and 10000", moreWebhooks(z, kind))
		add("growth/"+kind+"/locations, 20 and 200", moreLocations(z, kind))
	}
	add("growth/postgres/instances, 1 and 4", moreInstances(z))
	for _, kind := range []string{"postgres", "sqlite"} {
		add("growth/"+kind+"/single requests with 2000000 old events", againstEmpty(z, kind))
	}
	for _, kind := range []string{"postgres", "sqlite"} {
		add("bursts/"+kind+"/200 a second after a burst of 5000", burst(z, kind))
	}
	return cases
}

// growth is the cost of 10,000 deliveries before and after.
func growth(few, many float64) figures {
	return figures{"CPU s/10k, few": few, "CPU s/10k, many": many, "many against few": many / few}
}

// growthLoad is sent to both halves of a case.
func growthLoad(z benchSizes) loadOrder {
	return loadOrder{Clients: 8, Events: z.hundreds / 2, Size: 100}
}

func moreHistory(z benchSizes, kind string) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		to := newTarget(shared)
		few, many := oldSite(shared, kind, to, z.old/10), oldSite(shared, kind, to, z.old)
		return func(r *benchRun) figures {
			r.begin(few.postgres, nil)
			return growth(few.cost(r, to, growthLoad(z)), many.cost(r, to, growthLoad(z)))
		}
	}
}

// oldSite has one webhook for the load, and so many old events with a delivery
// each.
func oldSite(t testing.TB, kind string, to *target, events int) *benchSite {
	s := newBenchSite(t, kind)
	if events > 0 {
		modelstest.Fill(t, s.store, modelstest.Size{Webhooks: 100, Events: events, Deliveries: events})
	}
	s.create(spread("stackauth", to.url, 1))
	s.vacuum()
	s.rest()
	return s
}

// vacuum does the work that PostgreSQL would otherwise begin by itself during
// the measurement. It may take longer than a statement of the store may.
func (s *benchSite) vacuum() {
	s.t.Helper()
	if s.postgres == 0 {
		return
	}
	conn, err := s.db.Conn(s.t.Context())
	ok(s.t, err)
	defer conn.Close()
	for _, statement := range []string{"set statement_timeout = 0", "vacuum analyze", "reset statement_timeout"} {
		_, err := conn.ExecContext(s.t.Context(), statement)
		ok(s.t, err)
	}
}

// moreWebhooks has each event match one of the webhooks.
func moreWebhooks(z benchSizes, kind string) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		few, many, to := newBenchSite(shared, kind), newBenchSite(shared, kind), newTarget(shared)
		few.create(spread("stackauth", to.url, z.webhooks/10))
		many.create(spread("stackauth", to.url, z.webhooks))
		return func(r *benchRun) figures {
			a, b := growthLoad(z), growthLoad(z)
			a.Tags, b.Tags = z.webhooks/10, z.webhooks
			r.begin(few.postgres, nil)
			return growth(few.cost(r, to, a), many.cost(r, to, b))
		}
	}
}

// moreLocations has a webhook in each location, and events in each in turn.
func moreLocations(z benchSizes, kind string) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		few, many, to := newBenchSite(shared, kind), newBenchSite(shared, kind), newTarget(shared)
		a, b := growthLoad(z), growthLoad(z)
		a.Locations, b.Locations = 20, 200
		few.create(inEach(to.url, a))
		many.create(inEach(to.url, b))
		return func(r *benchRun) figures {
			r.begin(few.postgres, nil)
			return growth(few.cost(r, to, a), many.cost(r, to, b))
		}
	}
}

// inEach is a webhook in each location of a load.
func inEach(receiver string, o loadOrder) []models.WebhookInput {
	hooks := make([]models.WebhookInput, o.Locations)
	for i := range hooks {
		hooks[i] = hook("stackauth", receiver, "location-"+strconv.Itoa(i))
		hooks[i].Location = o.location(i)
	}
	return hooks
}

// moreInstances sends the load to all instances, which share the work.
func moreInstances(z benchSizes) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s, to := newBenchSite(shared, "postgres"), newTarget(shared)
		s.create(spread("stackauth", to.url, 100))
		o := growthLoad(z)
		o.Tags = 100
		return func(r *benchRun) figures {
			r.begin(s.postgres, nil)
			one := s.runTogether(r, to, []string{"all"}, o)
			four := s.runTogether(r, to, []string{"all", "all", "all", "all"}, o)
			return growth(one["CPU s/10k"], four["CPU s/10k"])
		}
	}
}

// againstEmpty compares throughput with many old events and with none.
func againstEmpty(z benchSizes, kind string) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		to := newTarget(shared)
		full := oldSite(shared, kind, to, z.old)
		return func(r *benchRun) figures {
			empty := oldSite(r, kind, to, 0) // a new one, which no run before has filled
			o := loadOrder{Clients: loadClients, Events: z.single, Size: 1}
			r.begin(full.postgres, nil)
			without := empty.runTogether(r, to, []string{"all"}, o)["delivered/s"]
			with := full.runTogether(r, to, []string{"all"}, o)["delivered/s"]
			return figures{"delivered/s, empty": without, "delivered/s": with, "against empty": with / without}
		}
	}
}

// burst is the latency of a steady load that begins when a burst for the same
// webhook has just been accepted.
func burst(z benchSizes, kind string) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s, to := newBenchSite(shared, kind), newTarget(shared)
		s.create(spread("stackauth", to.url, 1))
		s.set(models.DispatchInterval, "0")
		return func(r *benchRun) figures {
			in := s.serve(r)
			defer stop(r, []*apptest.Instance{in})
			s.warm(to, []*apptest.Instance{in}, loadOrder{Size: 1})
			o := loadOrder{Burst: z.burst, Events: int(pacedRate * z.paced.Seconds()), Size: 1, Rate: pacedRate}
			r.begin(s.postgres, []*apptest.Instance{in})
			s.start(to, []*apptest.Instance{in}, &o)
			perform[loadResult](r, "load", o)
			l := to.wait(o.Burst + o.Events).Latency
			s.settled()
			return figures{"p50 ms": l.P50, "p99 ms": l.P99}
		}
	}
}
