// Package jobs does the work outside requests: it dispatches events into
// deliveries, delivers them, and prunes the history. It promises that nothing
// accepted is lost and that one webhook's receiver delays no other's. It
// knows nothing of pages or of SQL, and no type of webhook by name.
package jobs

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"github.com/sitehooks/sitehooks/jobs/mail"
	"github.com/sitehooks/sitehooks/jobs/riverlog"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/models"
)

// Deps are the dependencies of the jobs.
type Deps struct {
	Store   *models.Store
	Sender  *send.Client
	Log     *slog.Logger
	Metrics prometheus.Registerer
	// Finished is called for deliveries that attempts brought to a final state,
	// as models.Store.Finished is for others; nil: it is not.
	Finished func(webhookType, state string, n int64)
	// Lookups works on the requests of sources that wait for look-ups and are
	// due; nil: none waits.
	Lookups func(ctx context.Context) error
	// Mail sends e-mails; nil: none are sent.
	Mail *mail.Sender
	// MemoryShare is how much of the bytes that dispatch and the answers of
	// receivers may take fits into memory, up to 1; 0: all of them.
	MemoryShare float64
}

// Jobs are all background work of this instance, started and stopped as one.
type Jobs struct {
	store      *models.Store
	queue      queue
	dispatcher *dispatcher
	sweeper    *sweeper
	manual     *manualSender
	watcher    *watcher
	mailer     *mailer // nil: no e-mail is sent
	runner     *runner
	arrived    chan struct{}
	changed    []chan struct{}
	stopping   chan struct{}
	cancel     context.CancelFunc // ends the loops
	cut        context.CancelFunc // ends the lanes
	loops      sync.WaitGroup
	mu         sync.Mutex
	running    bool
}

// New puts the jobs together. Nothing runs before Start.
func New(d Deps) (*Jobs, error) { return newJobs(d, sharePlaces) }

func newJobs(d Deps, limits map[string]int) (*Jobs, error) {
	share := cmp.Or(d.MemoryShare, 1)
	j := &Jobs{store: d.Store, arrived: make(chan struct{}, 1), stopping: make(chan struct{})}
	j.runner = newRunner(&deliverer{
		store: d.Store, sender: d.Sender, log: d.Log, metrics: newMetrics(d.Metrics, d.Store), finished: d.Finished,
		stopping: j.stopping, instance: rand.Text(), jitter: jitter, lookEvery: laneLook, linger: laneLinger,
		readingMost: int64(readingMost * share),
	}, limits, int(openMost*share))
	workers := river.NewWorkers()
	river.AddWorker(workers, &pruneWorker{store: d.Store, log: d.Log, stopping: j.stopping})
	var err error
	if j.queue, err = newQueue(d.Store, workers, riverlog.Of(d.Log)); err != nil {
		return nil, err
	}
	j.dispatcher = &dispatcher{store: d.Store, runner: j.runner, log: d.Log, arrived: j.arrived, changed: j.wake(), gather: gather, mostBytes: int(dispatchBytes * share), careful: true}
	sweep := j.wake()
	j.sweeper = &sweeper{store: d.Store, runner: j.runner, log: d.Log, changed: sweep}
	j.manual = &manualSender{store: d.Store, log: d.Log, changed: j.wake(), stored: func() { poke(sweep) }}
	j.watcher = &watcher{store: d.Store, log: d.Log, lookups: d.Lookups, waiting: make(chan struct{}, 1), arrived: j.Arrived}
	if d.Mail != nil {
		j.mailer = &mailer{store: d.Store, sender: d.Mail, log: d.Log, changed: j.wake()}
	}
	return j, nil
}

func (j *Jobs) wake() chan struct{} {
	c := make(chan struct{}, 1)
	j.changed = append(j.changed, c)
	return c
}

// Start begins to work; it returns once the queues are open.
func (j *Jobs) Start(ctx context.Context) error {
	if err := j.store.Lanes.Recover(ctx); err != nil {
		return err
	}
	if err := j.queue.start(ctx); err != nil {
		return err
	}
	loop, cancel := context.WithCancel(context.WithoutCancel(ctx))
	lanes, cut := context.WithCancel(context.WithoutCancel(ctx))
	j.cancel, j.cut = cancel, cut
	go j.runner.renewals(lanes)
	j.loops.Go(func() { j.runner.run(loop, lanes) })
	j.loops.Go(func() { j.dispatcher.run(loop) })
	j.loops.Go(func() { j.sweeper.run(loop) })
	j.loops.Go(func() { j.manual.run(loop) })
	j.loops.Go(func() { j.watcher.watch(loop) })
	if j.watcher.lookups != nil {
		j.loops.Go(func() { j.watcher.lookUp(loop) })
	}
	if j.mailer != nil {
		j.loops.Go(func() { j.mailer.run(loop) })
	}
	j.mu.Lock()
	j.running = true
	j.mu.Unlock()
	return nil
}

// Stop waits up to about 25 seconds for requests to finish, hands back the rest
// and returns. Nothing is lost, and interrupted attempts are not counted.
func (j *Jobs) Stop(ctx context.Context) error {
	j.mu.Lock()
	running := j.running
	j.running = false
	j.mu.Unlock()
	if !running {
		return nil
	}
	close(j.stopping)
	j.cancel()
	j.loops.Wait()
	return errors.Join(j.runner.stop(ctx, j.cut), j.queue.stop(ctx))
}

// Ready tells whether the jobs run.
func (j *Jobs) Ready() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.running
}

// Arrived says that events were accepted: with an interval of 0 they are
// dispatched at once.
func (j *Jobs) Arrived() { poke(j.arrived) }

// Waiting says that a request of a source waits for look-ups.
func (j *Jobs) Waiting() { poke(j.watcher.waiting) }

// Changed says that an administrator changed something that may release
// deliveries or move the next dispatch.
func (j *Jobs) Changed() {
	for _, c := range j.changed {
		poke(c)
	}
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
