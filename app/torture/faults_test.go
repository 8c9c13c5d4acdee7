package torture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// Within these times the contract wants an answer.
const (
	tortureSoon = 2 * time.Second // 202, while only the doors are under attack
	tortureLate = 5 * time.Second // 202 or 503, while the database has a fault
)

// often is an actor that does something a number of times over the run, at
// random moments. Nothing of it happens while strangers have the doors for
// themselves.
func (f *tortureFleet) often(actor uint64, times int, what func(*rand.Rand) func(stop <-chan struct{})) func(stop <-chan struct{}) {
	random := f.run.random(randomDatabase + actor)
	do := what(random)
	each := f.run.span / time.Duration(times+1)
	return func(stop <-chan struct{}) {
		begun := time.Now()
		for i := range times {
			// By the start of the run: a fault takes long itself.
			if !apptest.Pause(stop, time.Until(begun.Add(time.Duration(i)*each+about(random, each)))) {
				return
			}
			f.peace.RLock()
			do(stop)
			f.peace.RUnlock()
		}
	}
}

// faulty counts a fault of the database while do goes on, and some seconds
// longer, in which the instances recover.
func (f *tortureFleet) faulty(what string, do func()) {
	f.ill.Add(1)
	defer f.ill.Add(-1)
	defer f.run.begins(what, tortureLate, false)()
	do()
	f.run.count(what, 1)
	apptest.Pause(nil, tortureLate)
}

// restarts stop the database as a crash would, and start it again.
func (f *tortureFleet) restarts(stop <-chan struct{}, random *rand.Rand) {
	each := f.run.span / time.Duration(f.run.restarts+1)
	for range f.run.restarts {
		if !apptest.Pause(stop, each*8/10+time.Duration(random.Int64N(int64(each)/5))) {
			return
		}
		f.peace.RLock()
		f.power.Lock()
		f.faulty("database restarts", func() {
			if err := f.db.Crash(); err != nil {
				f.run.fault("other faults", "the harness: stop PostgreSQL: %v", err)
			}
			apptest.Pause(stop, time.Duration(random.Int64N(int64(each)/8)))
			if err := f.db.Start(); err != nil {
				f.run.fault("other faults", "the harness: start PostgreSQL: %v", err)
			}
		})
		f.power.Unlock()
		f.peace.RUnlock()
	}
}

// hang lets the connections of one instance hang: they neither answer nor
// close. New ones work.
func (f *tortureFleet) hang(<-chan struct{}) {
	f.faulty("times connections hung", f.proxy.Hang)
}

// cut ends connections of the instances on the server's side, all or some.
func (f *tortureFleet) cut(random *rand.Rand) func(stop <-chan struct{}) {
	return func(<-chan struct{}) {
		share := []float64{0.1, 0.5, 1}[random.IntN(3)]
		if f.ask(fmt.Sprintf(`select pg_terminate_backend(pid) from pg_stat_activity
			where backend_type = 'client backend' and pid <> pg_backend_pid() and random() < %g`, share)) == nil {
			f.run.count("times connections were cut", 1)
		}
	}
}

// ask has the database server do something.
func (f *tortureFleet) ask(queries ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, f.db.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range queries {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// readOnly makes the server refuse to write for some seconds, as the old
// primary does after a failover.
func (f *tortureFleet) readOnly(random *rand.Rand) func(stop <-chan struct{}) {
	return func(stop <-chan struct{}) {
		f.faulty("read-only spells of the database", func() {
			f.alter("on")
			apptest.Pause(stop, about(random, f.run.uptime/4))
			f.alter("off")
		})
	}
}

// alter sets whether transactions may write, again until the server is there.
func (f *tortureFleet) alter(readOnly string) {
	f.run.until("the server takes a setting", func() bool {
		return f.ask("alter system set default_transaction_read_only = "+readOnly, "select pg_reload_conf()") == nil
	})
}

// pooler kills the pooler, and starts it again after a moment.
func (f *tortureFleet) pooler(random *rand.Rand) func(stop <-chan struct{}) {
	return func(stop <-chan struct{}) {
		f.faulty("times the pooler was killed", func() {
			f.pools.Crash()
			apptest.Pause(stop, about(random, f.run.uptime/8))
			if err := f.pools.Start(); err != nil {
				f.run.fault("other faults", "the harness: %v", err)
			}
		})
	}
}

// freeze stops an instance in the middle of its work and lets it continue after
// some seconds, when others may have taken over.
func (f *tortureFleet) freeze(random *rand.Rand) func(stop <-chan struct{}) {
	round, order := 0, random.Perm(len(f.slots))
	return func(stop <-chan struct{}) {
		s := f.slots[order[round%len(order)]]
		round++
		s.calm.Lock() // nobody ends it meanwhile
		defer s.calm.Unlock()
		s.mu.Lock()
		p := s.now
		s.frozen++
		s.mu.Unlock()
		f.froze.Add(1)
		f.faulty("times an instance was frozen", func() {
			_ = p.cmd.Process.Signal(apptest.Freeze)
			apptest.Pause(stop, about(random, f.run.uptime/3))
			_ = p.cmd.Process.Signal(apptest.Thaw)
			s.mu.Lock()
			s.frozen++
			s.mu.Unlock()
		})
	}
}

// moveClock puts the database's clock ahead of the instances', behind theirs or
// an hour back, and right again after a moment.
func (f *tortureFleet) moveClock(random *rand.Rand) func(stop <-chan struct{}) {
	round, order := 0, random.Perm(3)
	return func(stop <-chan struct{}) {
		ahead := []time.Duration{90 * time.Second, -90 * time.Second, -time.Hour}[order[round%3]]
		round++
		f.faulty("times the database's clock was moved", func() {
			f.setClock(ahead)
			apptest.Pause(stop, about(random, f.run.uptime/2))
			f.setClock(0)
		})
	}
}

func (f *tortureFleet) setClock(ahead time.Duration) {
	if err := f.clock.Set(ahead); err != nil {
		f.run.fault("other faults", "the harness: %v", err)
	}
	f.run.mu.Lock()
	defer f.run.mu.Unlock()
	f.moved = append(f.moved, f.run.now())
}
