package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

const (
	laneTurn = 20 * time.Second       // then lanes that wait have their turn
	laneTick = 250 * time.Millisecond // until outcomes are recorded while requests are open
	laneLook = 250 * time.Millisecond // that a look counts once it is answered
	lanePoll = time.Second            // between questions for what is due while requests are open
	// laneLinger is how long a lane without anything to send waits for more
	// before it records its last outcomes and gives itself back: several
	// deliveries then share what a turn costs.
	laneLinger = 25 * time.Millisecond
	laneDrain  = laneLease - leaseRenew // that the lease lasts at least, when a turn breaks off
	// lookTrust is how old a look may be when it counts: whoever sends later has
	// to know first that the lease is its own still, and the webhook as it was.
	lookTrust = 3 * time.Second
	slowAfter = 2 * time.Second
	// A lane whose requests have all been open for so long gives its place back.
	silentAfter   = 2 * time.Second
	silentCrowded = time.Second // while others wait for a place
)

// lane is one turn on a webhook's deliveries: it reads the due ones, sends
// them, a few at a time, and records outcomes while it goes on sending.
//
// One goroutine, that of work, owns all fields. Others use the channels, and
// what never changes: at, holder. The runner's lock guards handed.
type lane struct {
	*runner
	at      seat
	holder  string
	filled  chan struct{} // something fell due
	handed  []handed      // what dispatch gave of it
	results chan attemptResult
	pre     *prefetcher
	pacer   *pacer
	rec     *recorder

	seen   models.Work // the webhook and its lane when they were read last
	seenAt time.Time   // by this process's clock, before they were read
	gotAt  time.Time   // and after that
	opened models.Opened
	to     *send.Recipient
	format *wire.Format
	health wire.Health

	slow      bool             // its newest attempt was
	failing   bool             // this turn began after a failure
	failed    int              // attempts in a row in this turn
	more      bool             // something fell due that was not asked for yet
	rereading bool             // the database said that something is due; that is being read
	outside   bool             // it gave its place back
	ended     bool             // it sends nothing more
	stuck     bool             // it could not be worked on
	left      bool             // it gave the lane back
	next      []models.LaneRef // itself, when it has another turn
}

func newLane(r *runner, at seat, holder string) *lane {
	return &lane{
		runner: r, at: at, holder: holder, filled: make(chan struct{}, 1), results: make(chan attemptResult, laneInFlight),
		pre: newPrefetcher(r.store.Lanes, &r.runs, at.id), pacer: newPacer(), rec: newRecorder(&r.unrecorded),
	}
}

// work runs a turn, and gives the lane back however it ends.
func (l *lane) work(ctx context.Context, work models.Work, at time.Time) {
	defer l.runner.ended(l)
	defer l.forget()
	defer l.release(ctx)
	if err := l.contained(ctx, work, at); err != nil && !errors.Is(err, errLeaseLost) {
		l.stuck = true
		l.log.ErrorContext(ctx, "lane stopped; retrying", slog.Int64("webhook", l.at.id), slog.Any("error", err))
	}
}

// contained is run, which a fault in the program ends with an error.
func (l *lane) contained(ctx context.Context, work models.Work, at time.Time) (err error) {
	defer contain(&err)
	return l.run(ctx, work, at)
}

// contain turns a fault in the program into an error.
func contain(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("a fault in the program: %v\n%s", r, debug.Stack())
	}
}

// run works until nothing is due, the turn is over or the instance stops.
func (l *lane) run(ctx context.Context, work models.Work, at time.Time) error {
	err := l.begin(ctx, work, at)
	over := time.NewTicker(laneTurn)
	defer over.Stop()
	tick := time.NewTicker(laneTick)
	defer tick.Stop()
	stopping := l.stopping
	for err == nil {
		wait := l.startSome(ctx)
		if left := l.lingers(); wait == nil && left > 0 {
			wait = time.After(left)
		}
		l.recordSome(ctx)
		l.readAhead(ctx)
		if l.idle() && wait == nil {
			if err = l.releaseOrContinue(ctx); l.left || l.ended {
				break
			}
			continue
		}
		select {
		case s := <-l.results:
			err = l.finished(ctx, s)
		case batch := <-l.rec.stored:
			err = l.rec.onRecorded(batch)
		case a := <-l.pre.answers:
			err = l.answer(ctx, a)
		case <-wait:
		case <-l.filled:
			l.fill()
		case <-tick.C:
			l.tend(ctx)
		case <-over.C:
			if l.crowded() {
				l.end()
			}
		case <-stopping:
			l.end()
			stopping = nil
		}
	}
	if errors.Is(err, errLeaseLost) {
		l.log.WarnContext(ctx, "another instance took over a webhook's deliveries", slog.Int64("webhook", l.at.id))
	}
	l.end()
	l.drain(ctx, laneDrain)
	return err
}

func (l *lane) begin(ctx context.Context, work models.Work, at time.Time) error {
	if err := l.applySnapshot(work, at, time.Now()); err != nil || l.ended {
		return err
	}
	l.fetch(ctx)
	return nil
}

// fetch reads what is due, and the webhook with its lane unless the last look
// counts still.
func (l *lane) fetch(ctx context.Context) {
	l.more = false
	q := l.dueQuery()
	if l.fresh() {
		q.At = l.now()
		l.pre.due(ctx, fetched{work: l.seen, at: l.seenAt, got: l.gotAt}, q)
		return
	}
	l.pre.fetch(ctx, q)
}

// idle reports whether nothing is on its way. What may still be queued cannot
// be sent then.
func (l *lane) idle() bool { return len(l.pacer.open) == 0 && l.rec.idle() && !l.pre.busy }

// lingers is how long to wait for more still. A lane that others wait for does
// not, nor one whose receiver fails: what it does next depends on the outcome.
func (l *lane) lingers() time.Duration {
	busy := len(l.pacer.open) > 0 || l.pre.busy || l.ended || l.outside
	if busy || l.pacer.ended.IsZero() || l.health.FailuresInRow > 0 || l.crowded() {
		return 0
	}
	return max(0, l.linger-time.Since(l.pacer.ended))
}

// end stops sending; requests in flight go on.
func (l *lane) end() {
	l.ended = true
	l.pre.drop()
}

// releaseOrContinue gives the lane back, unless something is due: then it reads that,
// once.
func (l *lane) releaseOrContinue(ctx context.Context) (err error) {
	if l.ended || l.outside || l.rereading {
		l.stuck = l.rereading && !l.ended && !l.outside
		l.end()
		return nil
	}
	l.left, err = l.store.Lanes.ReleaseIdle(ctx, l.at.id, l.holder, l.leaving())
	if err == nil && !l.left {
		l.rereading = true
		l.fetch(ctx)
	}
	return err
}

// drain waits, after an error, for requests in flight and running records, and
// records the outcomes that it still can, as long as the lease is sure to last.
// The next holder of the lease resends unrecorded deliveries, with the same id.
func (l *lane) drain(ctx context.Context, most time.Duration) {
	over := time.NewTimer(most)
	defer over.Stop()
	for len(l.pacer.open) > 0 || !l.rec.idle() {
		l.rec.overdue = true
		l.recordSome(ctx)
		select {
		case s := <-l.results:
			_ = l.finished(ctx, s)
		case batch := <-l.rec.stored:
			_ = l.rec.onRecorded(batch)
		case <-over.C:
			return
		}
	}
}

// forget gives back the bytes that an interrupted lane counts as unrecorded.
func (l *lane) forget() {
	l.unrecorded.Add(-int64(l.rec.bytes))
	if open := len(l.pacer.open); open > 0 {
		go func() {
			for range open {
				l.reading.Add(-int64((<-l.results).reading))
			}
		}()
	}
}

// dueQuery asks for what is due and not on its way already.
func (l *lane) dueQuery() models.DueQuery {
	q := models.DueQuery{Limit: min(l.fetchMost(), fetchAhead*l.pacer.window), OneFailed: l.format.Policy.HoldOthers && l.health.FailuresInRow > 0}
	q.UnderWay = slices.AppendSeq(slices.Collect(maps.Keys(l.pacer.open)), maps.Keys(l.rec.done))
	for _, d := range l.pre.queue {
		q.UnderWay = append(q.UnderWay, d.ID)
	}
	return q
}

// fetchable reports whether to read what is due now. A failure that holds others
// back counts in the database only once it is recorded.
func (l *lane) fetchable() bool {
	if l.ended || l.outside || l.pre.busy || l.rec.full() {
		return false
	}
	return !l.format.Policy.HoldOthers || l.health.FailuresInRow == 0 || len(l.pacer.open)+len(l.rec.done) == 0
}

// readAhead reads what fell due, once nothing but paced deliveries is queued,
// and more before nothing is left to send; not while a failure may hold others
// back, since the next outcome may release them.
func (l *lane) readAhead(ctx context.Context) {
	if !l.fetchable() {
		return
	}
	if l.more && l.pre.pacedAlone() || l.pre.low() && !l.format.Policy.HoldOthers {
		l.fetch(ctx)
	}
}

// tend runs now and then: it has outcomes recorded that wait for more, and asks
// for what other instances dispatched meanwhile. A lane that only waits, for its
// receiver or for the database to take its outcomes, gives its place back.
func (l *lane) tend(ctx context.Context) {
	l.rec.overdue = len(l.rec.outcomes) > 0
	silent, idle := l.pacer.silentFor(), len(l.pacer.open) > 0 || l.rec.busy
	if !l.outside && idle && (silent > silentAfter || silent > silentCrowded && l.crowded()) {
		l.stepOutside()
	}
	if l.pre.pacedAlone() && l.fetchable() && time.Since(l.pre.fetched) > lanePoll {
		l.fetch(ctx)
	}
}

// answer takes over what was read.
func (l *lane) answer(ctx context.Context, a fetched) error {
	changed := a.err == nil && !l.same(a.work)
	if changed {
		l.pre.drop() // it was read under the webhook as it was
		a.rows, a.through, l.more = nil, unknownRun, true
	}
	l.pre.add(a)
	if a.err != nil || l.ended {
		return a.err
	}
	if err := l.applySnapshot(a.work, a.at, a.got); err != nil || l.ended {
		return err
	}
	if l.outside {
		l.pre.drop()
		return nil
	}
	if len(l.pre.queue) > 0 {
		l.rereading = false
	}
	if changed && l.fetchable() {
		l.fetch(ctx)
	}
	return nil
}

// same tells whether the webhook is as it was when its deliveries were read.
func (l *lane) same(now models.Work) bool {
	was := l.seen.Webhook
	return now.CanSend && now.Webhook.UpdatedAt.Equal(was.UpdatedAt) && now.Webhook.SameState(was)
}

// applySnapshot takes over how the webhook was between two moments of this process's
// clock.
func (l *lane) applySnapshot(work models.Work, at, got time.Time) error {
	if !work.HeldBy(l.holder, lookTrust) {
		return errLeaseLost
	}
	l.gotAt = got
	if !work.CanSend {
		l.seen.Now, l.seenAt = work.Now, at
		l.end()
		return nil
	}
	if l.format != nil && l.same(work) {
		l.seen, l.seenAt = work, at
		return nil
	}
	opened, err := l.store.Webhooks.Open(work.Webhook)
	if err != nil {
		return err
	}
	if l.format == nil {
		format, ok := wire.Lookup(work.Webhook.Type)
		if !ok {
			return fmt.Errorf("this release does not know the type %q", work.Webhook.Type)
		}
		l.format, l.slow, l.failing = format, work.Lane.Slow, work.Lane.FailuresInRow > 0
		l.pacer.follow(format.Policy, work)
	}
	l.pacer.space(l.format.Gap(work.Webhook.Options), work, at)
	// Its health is carried on here, but begins anew when it was resumed.
	if l.seen.Webhook.ID == 0 || !work.Webhook.SameState(l.seen.Webhook) {
		l.health = health(work.Lane)
	}
	l.seen, l.seenAt, l.opened = work, at, opened
	l.to = send.NewRecipient(l.format, opened.URL, opened.Secrets[:], opened.CustomHeaders())
	return nil
}

var errLeaseLost = errors.New("lost the lease of the lane")

// fresh reports whether the last look counts still. After a pause of the
// process or of the machine one of its two clocks has moved on.
func (l *lane) fresh() bool {
	now := time.Now()
	wall := now.Round(0).Sub(l.seenAt.Round(0))
	return now.Sub(l.gotAt) < l.lookEvery && now.Sub(l.seenAt) < lookTrust && wall < lookTrust && wall > -lookTrust
}

// now is the deciding clock: the time when the webhook was read, plus the time
// passed since.
func (l *lane) now() time.Time {
	return l.seen.Now.Add(time.Since(l.seenAt)).Truncate(time.Microsecond)
}

// release gives the lane back, or to its next turn when more is due. It runs
// also when the lane's own context is over.
func (l *lane) release(ctx context.Context) {
	if l.left {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var err error
	if l.next, err = l.store.Lanes.Release(ctx, l.at.id, l.holder, l.leaving()); err != nil {
		// The lease ends by itself, and the sweep finds the lane.
		l.log.ErrorContext(ctx, "cannot release the lane", slog.Int64("webhook", l.at.id), slog.Any("error", err))
	}
}

// leaving is how this turn leaves the lane.
func (l *lane) leaving() models.Release {
	return models.Release{Slow: l.slow, HoldOthers: l.format != nil && l.format.Policy.HoldOthers, Stuck: l.stuck}
}
