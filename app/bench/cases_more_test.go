package bench

import (
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// starting is the time from the start of an instance to its being ready, and
// its memory when it has nothing to do.
func starting(kind string, size modelstest.Size) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s := newBenchSite(shared, kind)
		if size.Events > 0 {
			modelstest.Fill(shared, s.store, size)
		}
		return func(r *benchRun) figures {
			r.begin(s.postgres, nil)
			started := time.Now()
			in := s.serve(r)
			ready := time.Since(started)
			defer stop(r, []*apptest.Instance{in})
			<-time.After(3 * time.Second) // an idle instance
			return figures{"ms to ready": float64(ready.Milliseconds()), "idle MiB": in.Mebibytes(r, "VmRSS")}
		}
	}
}

// matching measures the cost of an event with ten and with many webhooks that
// do not match it.
func matching(z benchSizes, kind string) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		to := newTarget(shared)
		few, many := strangeSite(shared, kind, to, 10), strangeSite(shared, kind, to, z.strangers)
		o := loadOrder{Clients: 8, Events: z.hundreds / 2, Size: 100}
		return func(r *benchRun) figures {
			r.begin(few.postgres, nil)
			a, b := few.cost(r, to, o), many.cost(r, to, o)
			return figures{"CPU s/10k, few": a, "CPU s/10k, many": b, "many against few": b / a}
		}
	}
}

// strangeSite has one webhook that matches beside so many that do not.
func strangeSite(t testing.TB, kind string, to *target, n int) *benchSite {
	s := newBenchSite(t, kind)
	s.create(append(strangers("stackauth", to.url, n), hook("stackauth", to.url, "all")))
	return s
}

func (s *benchSite) cost(r *benchRun, to *target, o loadOrder) float64 {
	r.Helper()
	in := s.serve(r)
	defer stop(r, []*apptest.Instance{in})
	s.warm(to, []*apptest.Instance{in}, o)
	return s.run(r, to, []*apptest.Instance{in}, o)["CPU s/10k"]
}

// listing is how fast the list of webhooks comes, with health and charts.
func listing(z benchSizes, kind string) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s := newBenchSite(shared, kind)
		modelstest.Fill(shared, s.store, modelstest.Size{Webhooks: z.webhooks, Events: z.single, Deliveries: z.single})
		return func(r *benchRun) figures {
			in := s.serve(r)
			defer stop(r, []*apptest.Instance{in})
			o := readOrder{URL: in.Base + "/admin/webhooks", Cookie: in.Login().Cookie(), Clients: 16, Seconds: z.pages / 3}
			perform[readResult](r, "reader", o)
			r.begin(s.postgres, []*apptest.Instance{in})
			o.Seconds = z.pages
			got := perform[readResult](r, "reader", o)
			f := got.Latency.figures("")
			f["pages/s"], f["kB/page"] = got.PerSecond, float64(got.Bytes)/1000
			return f
		}
	}
}

// several compares instances on one PostgreSQL with one that does all, by the
// same load on 100 webhooks.
func several(z benchSizes, roles [][]string) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s, to := newBenchSite(shared, "postgres"), newTarget(shared)
		s.create(spread("stackauth", to.url, 100))
		o := loadOrder{Clients: 8, Events: z.hundreds, Size: 100, Tags: 100}
		return func(r *benchRun) figures {
			r.begin(s.postgres, nil)
			one := s.runTogether(r, to, roles[0], o)
			f := s.runTogether(r, to, roles[1], o)
			f["against one"] = f["delivered/s"] / one["delivered/s"]
			return f
		}
	}
}

// runTogether measures a load on instances with the given roles. The load goes
// to those that answer requests.
func (s *benchSite) runTogether(t *benchRun, to *target, roles []string, o loadOrder) figures {
	t.Helper()
	var all, web []*apptest.Instance
	for _, role := range roles {
		in := s.serve(t, "SITEHOOKS_ROLE="+role)
		if all = append(all, in); role != "jobs" {
			web = append(web, in)
		}
	}
	defer stop(t, all)
	o.Bases = bases(web)
	s.warm(to, all, o)
	return s.run(t, to, all, o)
}

// retention is the latency of a load while a million old rows are removed,
// against the same load before.
func retention(z benchSizes, kind string) func(r *benchRun) func(r *benchRun) figures {
	return func(_ *benchRun) func(r *benchRun) figures {
		return func(r *benchRun) figures {
			s, to := newBenchSite(r, kind), newTarget(r)
			// An event, a delivery, an attempt and a trigger each.
			rows := z.rows / 5 / 4 * 25 / 24
			modelstest.Fill(r, s.store, modelstest.Size{Webhooks: 100, Events: rows, Deliveries: rows})
			s.create(spread("stackauth", to.url, 1))
			s.set(models.DispatchInterval, "0")
			s.rest()
			r.begin(s.postgres, nil)
			without := s.pacedOnce(r, to, z.paced)
			s.set(models.HistoryRetentionDays, "1") // the next start removes all that is older
			before := s.number(oldRows)
			if _, err := s.db.ExecContext(r.Context(), "delete from river_job where kind = 'prune'"); err != nil {
				r.Fatal(err)
			}
			in := s.serve(r)
			defer stop(r, []*apptest.Instance{in})
			began := time.Now()
			s.warm(to, []*apptest.Instance{in}, loadOrder{Size: 1}) // as without
			with := s.pacedWhile(r, to, in, z.paced, func() bool {
				const ended = "select count(*) from river_job where kind = 'prune' and finalized_at is not null"
				return s.number(ended) == 0
			})
			return figures{
				"p99 ms, nothing to remove": without.P99, "p99 ms": with.P99, "against nothing": with.P99 / without.P99,
				"rows removed": 2 * float64(before-s.number(oldRows)), "s for them": time.Since(began).Seconds(),
			}
		}
	}
}

// oldRows are the events and deliveries of before; each has a trigger or an
// attempt beside it.
const oldRows = "select (select count(*) from deliveries where public_id like 'msg_big%') + (select count(*) from events where event_id like 'big-%')"

// rest lets all that was filled in reach the disk before something is measured.
func (s *benchSite) rest() {
	s.t.Helper()
	flush := "checkpoint"
	if s.postgres == 0 {
		flush = "pragma wal_checkpoint(truncate)"
	}
	_, err := s.db.ExecContext(s.t.Context(), flush)
	ok(s.t, err)
	apptest.FlushDisks()
}

// pacedWhile is the latency of a steady load that goes on, a span and then
// another, while something lasts.
func (s *benchSite) pacedWhile(t testing.TB, to *target, in *apptest.Instance, span time.Duration, lasts func() bool) (l latency) {
	t.Helper()
	o := loadOrder{Events: int(pacedRate * span.Seconds()), Size: 1, Rate: pacedRate}
	s.start(to, []*apptest.Instance{in}, &o)
	for count := o.Events; ; count += o.Events {
		perform[loadResult](t, "load", o)
		if l = to.wait(count).Latency; !lasts() {
			return l
		}
		o.Prefix = s.prefix()
	}
}

func (s *benchSite) pacedOnce(r *benchRun, to *target, span time.Duration) latency {
	r.Helper()
	in := s.serve(r)
	defer stop(r, []*apptest.Instance{in})
	s.warm(to, []*apptest.Instance{in}, loadOrder{Size: 1})
	return s.paced(r, to, in, span)
}
