package bench

import "github.com/sitehooks/sitehooks/app/apptest"

// sizes measures the disk space of a row, indexes included, after the load that
// wrote it. The sizing page calculates with it.
func sizes(z benchSizes, kind string) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s, to := newBenchSite(shared, kind), newTarget(shared)
		s.create(spread("stackauth", to.url, 1))
		return func(r *benchRun) figures {
			in := s.serve(r)
			o := loadOrder{Clients: 8, Events: z.hundreds, Size: 100}
			s.run(r, to, []*apptest.Instance{in}, o)
			stop(r, []*apptest.Instance{in})
			f := figures{
				"payload bytes": float64(s.number("select cast(avg(length(payload)) as bigint) from events")),
				"body bytes":    float64(s.number("select cast(avg(length(body)) as bigint) from deliveries")),
			}
			for name, tables := range map[string][]string{
				"bytes/event":    {"events", "dispatches", "dispatched_events", "pending_events"},
				"bytes/delivery": {"deliveries", "bodies", "delivery_queue", "delivery_ends"}, "bytes/attempt": {"attempts"},
			} {
				for _, table := range tables {
					f[name] += float64(s.bytes(table)) / float64(s.number("select count(*) from "+tables[0]))
				}
			}
			return f
		}
	}
}

// bytes is the size of a table with its indexes.
func (s *benchSite) bytes(table string) int64 {
	s.t.Helper()
	if s.postgres != 0 {
		return s.number("select pg_total_relation_size('" + table + "')")
	}
	return s.number("select sum(pgsize) from dbstat where name in (select name from sqlite_master where tbl_name = '" + table + "')")
}
