package torture

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// The crash and fault harness: real instances under load, with faults of their
// processes, database, disk and receivers, and changes to their webhooks and
// settings. The harness keeps its own record of the accepted events, the
// changes and the requests of each receiver, and compares them at the end.
//
// Without TORTURE_TIME it is a short run, which is a part of the tests.
// TORTURE_DB=postgres or sqlite leaves the other out, TORTURE_SEED replays.

// torturePlan says how long a run is and how much there is of everything.
type torturePlan struct {
	kind     string
	seed     uint64
	span     time.Duration // of load and faults
	rate     float64       // events a second
	clients  int           // that report them
	webhooks int
	act      time.Duration // between two deeds of the administrator, about
	uptime   time.Duration // of an instance until it is ended, about
	restarts int           // of the database server
	full     int           // how often the disk is full
	poolers  int           // how often the pooler is killed
	spells   time.Duration // between two bad spells of a receiver, about
	hangs    int           // how often connections to the database hang
	frozen   int           // how often an instance is frozen
	readOnly int           // how often the database refuses to write
	clocks   int           // how often the database's clock is moved
	crowded  int           // webhooks at one receiver that get the same events
	bursts   int           // how often they get some at once
	// How often strangers press on the doors, with which share of their
	// connections, and how many reports the site makes each time.
	doors     int
	strangers float64
	reports   int
	// Minimums that a run must reach besides, however long it takes.
	events, kills int
}

// shortTorture is kind to a machine with two slow cores. One kill is enough to
// leave leases behind, which end after 45 s; that is most of its time.
func shortTorture(kind string) torturePlan {
	return torturePlan{
		span: 10 * time.Second, rate: 120, clients: 4, webhooks: 12,
		act: 500 * time.Millisecond, uptime: 3 * time.Second, spells: time.Second,
		doors: 1, strangers: 0.2, reports: 20, crowded: 10, bursts: 1,
		events: 200, kills: 1,
	}.on(kind, 1, 1)
}

// on leaves out the faults that only PostgreSQL has.
func (p torturePlan) on(kind string, restarts, full int) torturePlan {
	p.kind, p.full, p.frozen = kind, full, restarts
	if kind == "postgres" {
		p.restarts, p.hangs, p.readOnly, p.poolers, p.clocks = restarts, restarts, restarts, restarts, restarts
	}
	return p
}

func longTorture(kind string, span time.Duration) torturePlan {
	share := func(in10Minutes float64) int { return int(in10Minutes * span.Minutes() / 10) }
	p := torturePlan{
		span: span, rate: 200, clients: 8, webhooks: 24,
		act: 1500 * time.Millisecond, uptime: 20 * time.Second, spells: 4 * time.Second,
		doors: max(2, share(24)), strangers: 1, reports: 100, crowded: 150, bursts: max(1, share(12)),
		events: share(100_000), kills: max(1, share(30)),
	}
	if kind == "sqlite" {
		p.uptime = 7 * time.Second // there is only one
	}
	return p.on(kind, max(1, share(12)), max(1, share(4)))
}

func TestTorture(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("TORTURE_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		ok(t, err)
	}
	kinds := modelstest.Kinds()
	if only := os.Getenv("TORTURE_DB"); only != "" && only != "both" {
		kinds = []string{only}
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			plan := shortTorture(kind)
			if text := os.Getenv("TORTURE_TIME"); text != "" {
				span, err := time.ParseDuration(text)
				ok(t, err)
				plan = longTorture(kind, span)
			} else {
				t.Parallel() // they mostly wait
			}
			plan.seed = seed
			torture(t, plan)
		})
	}
}

// tortureRun is one run and its own record of it.
type tortureRun struct {
	torturePlan
	t       *testing.T
	started time.Time
	fleet   *tortureFleet
	site    *tortureSite
	targets *tortureReceivers
	admin   *tortureAdmin
	pressed *tortureDoors

	// lost is closed when no instance lives any more; all waits end then.
	lost chan struct{}

	mu      sync.Mutex
	counts  map[string]int
	figures map[string]*tortureFigures // by kind of fault
	faults  []string
}

func torture(t *testing.T, p torturePlan) {
	t.Helper()
	t.Logf("%s: seed %d, %s", p.kind, p.seed, p.span)
	r := newTortureRun(t, p)
	defer r.report()
	r.site = newTortureSite(r)
	r.admin = newTortureAdmin(r)

	r.fleet.begin()
	r.site.introduce()
	r.admin.begin()
	r.admin.gather()
	r.pressed = newTortureDoors(r)
	r.load()
	if r.isLost() {
		return
	}
	r.waitForAll()
	if r.isLost() {
		return
	}
	r.check()
	r.prompt()
	r.fleet.finish()
}

// newTortureRun is one with its instances and receivers.
func newTortureRun(t *testing.T, p torturePlan) *tortureRun {
	t.Helper()
	r := &tortureRun{
		torturePlan: p, t: t, started: time.Now(), lost: make(chan struct{}), counts: map[string]int{}, figures: map[string]*tortureFigures{},
	}
	r.targets = newTortureReceivers(r)
	r.fleet = newTortureFleet(r)
	return r
}

// load lets all actors work, until the run has had all that it was to have.
func (r *tortureRun) load() {
	over := time.After(r.span)
	stop := make(chan struct{})
	var actors sync.WaitGroup
	for _, act := range slices.Concat(r.fleet.actors(), r.site.actors(), r.targets.actors(), r.admin.actors(), r.pressed.actors()) {
		actors.Go(func() { act(stop) })
	}
	select {
	case <-over:
	case <-r.lost:
	}
	r.until("the run has had all that it was to have", r.enough)
	close(stop)
	actors.Wait()
}

// now is the time of the run; all records use it.
func (r *tortureRun) now() time.Duration { return time.Since(r.started) }

// random is a random source of each actor's own, so that the same seed makes
// the same plans independent of the others.
func (r *tortureRun) random(actor uint64) *rand.Rand {
	return rand.New(rand.NewPCG(r.seed, actor))
}

// Actors that have chance of their own.
const (
	randomReceivers = 1 << iota * 1000
	randomSlots
	randomDatabase
	randomSite
	randomAdmin
	randomDoors
)

// enough reports whether the run reached its minimums.
func (r *tortureRun) enough() bool {
	return r.counted("events accepted") >= r.events && r.counted("kills") >= r.kills &&
		r.counted("database restarts") >= r.restarts && r.counted("times the disk was full") >= r.full &&
		r.counted("times connections hung") >= r.hangs && r.counted("times an instance was frozen") >= r.frozen &&
		r.counted("read-only spells of the database") >= r.readOnly && r.counted("times the pooler was killed") >= r.poolers &&
		r.counted("times doors were pressed") >= r.doors && r.counted("times the database's clock was moved") >= r.clocks &&
		r.counted("bursts for many webhooks") >= r.bursts
}

// prompt looks whether answers came in time, in 99 of 100 cases.
func (r *tortureRun) prompt() {
	for late, all := range map[string]string{
		"of them not accepted within 2 s": "reports while doors were pressed",
		"of them later than 5 s":          "answers during faults of the database",
	} {
		if n, of := r.counted(late), r.counted(all); n > max(1, of/100) {
			r.fault("other faults", "%d of %d %s", n, of, all+": "+late)
		}
	}
}

// about is a time around d.
func about(random *rand.Rand, d time.Duration) time.Duration {
	return d/2 + time.Duration(random.Int64N(int64(d)+1))
}

// isLost tells whether no instance lives any more.
func (r *tortureRun) isLost() bool {
	select {
	case <-r.lost:
		return true
	default:
		return false
	}
}

// until asks again until it is true, or the run is lost. The parameter what
// names the fault if it never is. The pause between two questions is no
// synchronisation.
func (r *tortureRun) until(what string, is func() bool) {
	for deadline := time.Now().Add(2 * apptest.Patience); !is() && !r.isLost(); apptest.Pause(r.lost, 50*time.Millisecond) {
		if time.Now().After(deadline) {
			r.fault("other faults", "not within %s: %s", 2*apptest.Patience, what)
			return
		}
	}
}

func (r *tortureRun) count(what string, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[what] += n
}

func (r *tortureRun) counted(what string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[what]
}

// fault records a fault. The first few of a kind are told in full.
func (r *tortureRun) fault(kind, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts[kind]++; r.counts[kind] <= 10 {
		r.faults = append(r.faults, kind+": "+fmt.Sprintf(format, args...))
	}
}

// The counts in the last lines of every run's log.
var tortureWords = []string{
	"events accepted", "requests repeated after no or a bad answer", "events sent twice after they were accepted",
	"kills", "stops by SIGTERM", "starts of instances", "database restarts", "times connections were cut", "times the disk was full",
	"answers 503 while the disk was full", "times connections hung", "times an instance was frozen", "read-only spells of the database",
	"times the pooler was killed", "times the database's clock was moved", "bursts for many webhooks",
	"answers during faults of the database", "of them later than 5 s",
	"times doors were pressed", "reports while doors were pressed", "of them not accepted within 2 s", "bad spells of receivers",
	"webhooks created", "webhooks edited", "webhooks paused", "webhooks resumed", "webhooks deleted", "settings changed",
	"requests received", "requests answered with success", "test notifications", "deliveries in the history", "deliveries dropped by an administrator", "of them arrived all the same",
	"repeats with the same id", "events merged into newer ones", "events dropped with their deliveries",
	"pairs of event and webhook", "pairs that might go either way",
	"lost", "misrouted", "stuck", "failed", "other faults",
}

func (r *tortureRun) report() {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, seed %d, %s of load and faults, then %s until settled\n", r.kind, r.seed, r.span, (r.now() - r.span).Round(time.Second))
	for _, what := range tortureWords {
		fmt.Fprintf(&b, "%8d %s\n", r.counts[what], what)
	}
	for _, what := range slices.Sorted(maps.Keys(r.counts)) {
		if !slices.Contains(tortureWords, what) {
			fmt.Fprintf(&b, "%8d %s\n", r.counts[what], what)
		}
	}
	fmt.Fprintf(&b, "%8d MiB of memory at most in one instance\n%s", r.fleet.peak>>10, r.figured())
	r.t.Log(b.String())
	for _, fault := range r.faults {
		r.t.Error(fault)
	}
	if r.t.Failed() {
		r.t.Logf("the end of the instances' logs:\n%s", r.fleet.tail())
	}
}
