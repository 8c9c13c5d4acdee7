package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// Limits of one lane.
const (
	laneInFlight   = 16               // requests at once, unless the type says less
	laneFetch      = 256              // due deliveries read at once
	laneAhead      = 64               // left of them when more is read
	laneAheadBytes = 256 << 10        // and of their bodies
	laneUnrecorded = 512              // outcomes kept while the database is slow
	laneKept       = 128 << 10        // bytes of them that a lane may always keep
	keptMost       = 2 << 20          // bytes of them, of all lanes of an instance, beyond which it waits
	readingMost    = 24 << 20         // bytes of answers still being read, of an instance, beyond which only their beginnings are kept
	recordBytes    = 256 << 10        // of them in one transaction, and one more: the driver copies them twice
	laneLease      = 45 * time.Second // and renewed every leaseRenew
	leaseRenew     = 15 * time.Second
	laneDrain      = laneLease - leaseRenew // that the lease lasts at least, when a turn breaks off
	laneTurn       = 20 * time.Second       // then a fresh job goes on
	laneLook       = 250 * time.Millisecond // between looks for more while requests are open
	laneRecord     = 100                    // outcomes that are recorded at once while requests are open

	pacedInFlight  = 4 // of deliveries released together
	pacedPerSecond = 20
	slowAfter      = 2 * time.Second
)

// lane is one job on a webhook's deliveries: it reads the due ones, sends them,
// a few at a time, and records outcomes while it goes on sending.
type lane struct {
	*deliverer
	id     int64
	holder string
	among  string // the queue it works in

	work   models.Work
	readAt time.Time // by this process's clock, when work was read
	opened models.Opened
	to     *send.Recipient
	format *wire.Format
	health wire.Health
	slow   bool

	failing bool // this turn began after a failure
	failed  int  // attempts in a row in this turn

	queue    []models.Delivery
	more     bool      // than was read last is due, as it seems
	ahead    time.Time // since when more is being read; zero: it is not
	readMore chan readAhead
	inFlight map[int64]bool // being sent → paced
	paced    int            // of those in flight
	done     map[int64]int  // sent, and not recorded yet → bytes that came back
	kept     int            // the sum of these
	results  chan sent
	pace     *rate.Limiter
	gap      *rate.Limiter
	ended    bool // send nothing more in this turn
	released bool

	last      last             // of the attempts so far, the one that began last
	outcomes  []models.Outcome // to be recorded next
	state     models.LaneHealth
	overdue   bool // record them, however few they are
	recording bool
	recorded  chan recorded
}

// last is a webhook's newest attempt.
type last struct {
	at      time.Time
	code    int
	failure string
}

// readAhead are the deliveries that a lane read while it went on sending.
type readAhead struct {
	work models.Work
	at   time.Time // by this process's clock, when work was read
	rows []models.Delivery
	err  error
}

// recorded is the result of recording a batch of outcomes.
type recorded struct {
	outcomes []models.Outcome
	err      error
}

func newLane(d *deliverer, id int64, holder, among string) *lane {
	return &lane{
		deliverer: d, id: id, holder: holder, among: among,
		inFlight: map[int64]bool{}, done: map[int64]int{},
		results: make(chan sent, laneInFlight), recorded: make(chan recorded, 1),
		readMore: make(chan readAhead, 1),
		pace:     rate.NewLimiter(pacedPerSecond, 1),
	}
}

// run works until nothing is due, the turn is over or the instance stops.
func (l *lane) run(ctx context.Context, work models.Work) error {
	err := l.fetch(ctx, work)
	turn := time.NewTimer(laneTurn)
	defer turn.Stop()
	renew := time.NewTicker(leaseRenew)
	defer renew.Stop()
	look := time.NewTicker(laneLook)
	defer look.Stop()
	stopping := l.stopping
	for err == nil {
		wait := l.startSome(ctx)
		l.recordSome(ctx)
		l.readOn(ctx)
		if len(l.inFlight) == 0 && !l.recording && l.ahead.IsZero() && wait == nil {
			if l.ended {
				return nil
			}
			if err = l.goOn(ctx); err != nil || len(l.queue) == 0 {
				break
			}
			continue
		}
		select {
		case s := <-l.results:
			l.finished(ctx, s)
		case r := <-l.recorded:
			err = l.settle(r)
		case r := <-l.readMore:
			err = l.readOnTo(ctx, r)
		case <-wait:
		case <-look.C:
			l.overdue = len(l.outcomes) > 0
			err = l.recheck(ctx)
		case <-renew.C:
			err = l.renew(ctx)
		case <-turn.C:
			l.end()
		case <-stopping:
			l.end()
			stopping = nil
		}
	}
	l.end()
	l.drain(ctx, laneDrain)
	return err
}

// end stops sending; requests in flight go on.
func (l *lane) end() { l.ended, l.queue = true, nil }

// drain waits, after an error, for requests in flight and running records, and
// records the outcomes that it still can, as long as the lease is sure to last.
// The next holder of the lease resends unrecorded deliveries, with the same id.
func (l *lane) drain(ctx context.Context, most time.Duration) {
	over := time.NewTimer(most)
	defer over.Stop()
	for len(l.inFlight) > 0 || l.recording || len(l.outcomes) > 0 {
		l.overdue = true
		l.recordSome(ctx)
		select {
		case s := <-l.results:
			l.finished(ctx, s)
		case r := <-l.recorded:
			_ = l.settle(r)
		case <-over.C:
			return
		}
	}
}

// forget gives back the bytes that an interrupted lane counts as kept.
func (l *lane) forget() {
	l.deliverer.kept.Add(-int64(l.kept))
	if open := len(l.inFlight); open > 0 {
		go func() {
			for range open {
				l.reading.Add(-int64((<-l.results).reading))
			}
		}()
	}
}

// look reads the deliveries that are due and not on their way already.
func (l *lane) look(ctx context.Context) error {
	if l.ended || l.full() {
		return nil
	}
	work, err := l.store.Lanes.Look(ctx, l.id)
	if err != nil {
		return err
	}
	return l.fetch(ctx, work)
}

// goOn gives the lane back, unless something is due: then it reads that.
func (l *lane) goOn(ctx context.Context) (err error) {
	l.released, err = l.store.Lanes.ReleaseIdle(ctx, l.id, l.holder, l.left(false))
	if err != nil || l.released {
		return err
	}
	return l.look(ctx)
}

// fetch reads the due deliveries of a lane as it was seen.
func (l *lane) fetch(ctx context.Context, work models.Work) (err error) {
	if err := l.meet(work, time.Now()); err != nil || l.ended {
		return err
	}
	q := models.DueQuery{
		Limit:     laneFetch,
		UnderWay:  l.underWay(),
		OneFailed: l.format.Policy.HoldOthers && l.health.FailuresInRow > 0,
	}
	if q.OneFailed && len(q.UnderWay) > 0 {
		return nil // the database knows of failures only once they are recorded
	}
	l.queue, err = l.store.Lanes.Due(ctx, work, q)
	l.more = len(l.queue) > laneAhead
	return err
}

func (l *lane) underWay() []int64 {
	return slices.AppendSeq(slices.Collect(maps.Keys(l.inFlight)), maps.Keys(l.done))
}

// readOn begins to read more before nothing is left to send. It reads nothing
// ahead while a failure holds others back, since the next outcome may release
// them, nor while long bodies wait.
func (l *lane) readOn(ctx context.Context) {
	if !l.ahead.IsZero() || !l.more || l.ended || l.full() || len(l.queue) > laneAhead || l.format.Policy.HoldOthers {
		return
	}
	q, bytes := models.DueQuery{Limit: laneFetch, UnderWay: l.underWay()}, 0
	for _, d := range l.queue {
		q.UnderWay = append(q.UnderWay, d.ID)
		bytes += len(d.Body)
	}
	if bytes > laneAheadBytes {
		return
	}
	l.ahead = time.Now()
	go func() {
		r := readAhead{at: time.Now()}
		if r.work, r.err = l.store.Lanes.Look(ctx, l.id); r.err == nil && r.work.CanSend {
			r.rows, r.err = l.store.Lanes.Due(ctx, r.work, q)
		}
		l.readMore <- r
	}()
}

// readOnTo queues the deliveries that were read ahead.
func (l *lane) readOnTo(ctx context.Context, r readAhead) error {
	l.ahead = time.Time{}
	if r.err != nil || l.ended {
		return r.err
	}
	if !l.same(r.work) {
		l.queue = nil
		return l.fetch(ctx, r.work)
	}
	if err := l.meet(r.work, r.at); err != nil {
		return err
	}
	l.queue = append(l.queue, r.rows...)
	l.more = len(r.rows) > laneAhead
	if time.Since(r.at) > laneLook {
		return l.recheck(ctx)
	}
	return nil
}

// same tells whether the webhook is as it was when its deliveries were read.
func (l *lane) same(now models.Work) bool {
	was := l.work.Webhook
	return now.CanSend && now.Webhook.UpdatedAt.Equal(was.UpdatedAt) && sameTime(now.Webhook.StateAt, was.StateAt)
}

// recheck sees whether the webhook changed since its deliveries were read: an
// administrator's change must apply to all deliveries not sent yet.
func (l *lane) recheck(ctx context.Context) error {
	if !l.ahead.IsZero() {
		return nil // which sees it too, and nothing is begun when that takes long
	}
	if l.ended || len(l.queue) == 0 {
		return l.look(ctx)
	}
	now, err := l.store.Lanes.Look(ctx, l.id)
	if err != nil {
		return err
	}
	if l.same(now) {
		return nil
	}
	l.queue = nil
	return l.fetch(ctx, now)
}

func sameTime(a, b *time.Time) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

// meet takes over how the webhook was at a moment, by this process's clock.
func (l *lane) meet(work models.Work, at time.Time) error {
	l.readAt = at
	if !work.CanSend {
		l.end()
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
		if gap := format.Policy.MinGap; gap > 0 {
			l.gap = rate.NewLimiter(rate.Every(gap), 1)
			if last := work.Lane.LastAt; last != nil { // in an earlier turn
				l.gap.AllowN(l.readAt.Add(last.Sub(work.Now)), 1)
			}
		}
	}
	// Its health is carried on here, but begins anew when it was resumed.
	if l.work.Webhook.ID == 0 || !sameTime(work.Webhook.StateAt, l.work.Webhook.StateAt) {
		l.health = health(work.Lane)
	}
	l.work, l.opened = work, opened
	l.to = send.NewRecipient(l.format, opened.URL, opened.Secrets[:], opened.CustomHeaders())
	return nil
}

// startSome starts the requests that may start now. It returns a channel to
// wait on when only the pace stands in the way.
func (l *lane) startSome(ctx context.Context) <-chan time.Time {
	limit := laneInFlight
	if l.format != nil && l.format.Policy.MaxInFlight > 0 {
		limit = min(limit, l.format.Policy.MaxInFlight)
	}
	unsure := !l.ahead.IsZero() && time.Since(l.ahead) > laneLook // whether it is paused by now
	for len(l.queue) > 0 && len(l.inFlight) < limit && !l.full() && !unsure {
		d := l.queue[0]
		paced := d.ID <= l.work.Lane.PacedThrough
		if paced && l.among == models.QueueFast {
			l.end() // it would keep a worker for waiting: the rest goes on in the paced queue
			return nil
		}
		if paced && l.paced >= pacedInFlight {
			return nil
		}
		pace := l.pace
		if !paced {
			pace = nil
		}
		if delay := max(delayOf(pace), delayOf(l.gap)); delay > 0 {
			return time.After(delay)
		}
		take(pace)
		take(l.gap)
		l.queue = l.queue[1:]
		l.inFlight[d.ID] = paced
		if paced {
			l.paced++
		}
		p := parcel{l.to, l.work.Webhook.Options, d}
		go func() { l.results <- l.send(ctx, p) }()
	}
	return nil
}

// full reports whether sending must pause until outcomes are recorded, so that
// responses of any size do not fill the memory.
func (l *lane) full() bool {
	return len(l.done) >= laneUnrecorded || l.kept > laneKept && l.deliverer.kept.Load() > keptMost
}

// keep counts the bytes kept for a delivery until it is recorded; 0: it is
// recorded.
func (l *lane) keep(id int64, bytes int) {
	more := bytes - l.done[id]
	l.done[id] = bytes
	l.kept += more
	l.deliverer.kept.Add(int64(more))
}

// delayOf is how long a limiter lets nothing through; nil limits nothing.
func delayOf(l *rate.Limiter) time.Duration {
	if l == nil {
		return 0
	}
	missing := 1 - l.Tokens()
	return max(0, time.Duration(missing/float64(l.Limit())*float64(time.Second)))
}

func take(l *rate.Limiter) {
	if l != nil {
		l.Allow()
	}
}

// finished handles a result: it judges it by the type's policy, updates the
// webhook's health, and logs.
func (l *lane) finished(ctx context.Context, s sent) {
	l.reading.Add(-int64(s.reading))
	if l.inFlight[s.delivery.ID] {
		l.paced--
	}
	delete(l.inFlight, s.delivery.ID)
	if s.result.ErrorClass == wire.ClassCanceled {
		l.end() // it is due still, and was not an attempt
		return
	}
	now := l.now()
	o, v := outcome(l.format, s.delivery, s.result, l.health, now, l.jitter())
	l.health = v.Health
	at := now.Add(-s.result.Duration)
	o.Attempt.URL, o.Attempt.StartedAt = l.work.Webhook.URLShown, at
	l.keep(s.delivery.ID, size(o.Attempt))
	l.outcomes = append(l.outcomes, o)
	if !at.Before(l.last.at) { // requests may end in another order than they began
		l.last = last{at, s.result.Code, s.result.ErrorClass}
	}
	if v.Delivered {
		l.state.LastSuccessAt = &at
	}
	if v.Broken != "" && l.state.Broken == "" {
		l.state.Broken = v.Broken
	}
	if v.Broken != "" || !v.Delivered && l.format.Policy.HoldOthers {
		l.queue = nil
	}
	if v.Broken != "" {
		l.end()
	}
	l.slow = s.result.ErrorClass == wire.ClassTimeout || s.result.Duration > slowAfter
	if l.slow && !l.work.Lane.Slow {
		l.end() // the rest goes on in the slow queue
	}
	if v.Delivered && l.failing || l.failedInRow(v.Delivered) > laneInFlight {
		l.end() // in the fast one again, or behind others that fail
	}
	l.observe(ctx, l.work.Webhook, s, o)
}

// failedInRow counts the failures of this turn since the last success.
func (l *lane) failedInRow(delivered bool) int {
	l.failed++
	if delivered {
		l.failed = 0
	}
	return l.failed
}

// recordSome begins to store the outcomes that have come by now, unless the
// ones before are still being stored. While requests are open it waits for
// more, because a transaction costs much the same for one as for many.
func (l *lane) recordSome(ctx context.Context) {
	few := len(l.inFlight) > 0 && len(l.outcomes) < laneRecord && !l.overdue && !l.full()
	if l.recording || len(l.outcomes) == 0 || few {
		return
	}
	n := 0
	for bytes := 0; n < len(l.outcomes) && bytes < recordBytes; n++ {
		bytes += size(l.outcomes[n].Attempt)
	}
	outcomes, state := l.outcomes[:n:n], l.state
	l.outcomes, l.state, l.recording, l.overdue = slices.Clone(l.outcomes[n:]), models.LaneHealth{}, true, false
	state.SecretsUsed = l.secretsUsed()
	newest := l.last.at // the lane's own moves on while this is being recorded
	state.LastAt, state.LastCode, state.LastError = &newest, l.last.code, l.last.failure
	fill(&state, l.health)
	go func() {
		l.recorded <- recorded{outcomes, l.recordSurely(ctx, l.id, outcomes, state)}
	}()
}

// secretsUsed tells whether it is time to note that secrets signed something:
// the note is exact to the minute, and not worth a write with every batch.
func (l *lane) secretsUsed() bool {
	used := [2]*time.Time{l.work.Webhook.Secret1UsedAt, l.work.Webhook.Secret2UsedAt}
	for i, secret := range l.opened.Secrets {
		if secret != "" && (used[i] == nil || l.now().Sub(*used[i]) > time.Minute) {
			return true
		}
	}
	return false
}

// settle drops the recorded outcomes.
func (l *lane) settle(r recorded) error {
	l.recording = false
	for _, o := range r.outcomes {
		l.keep(o.Attempt.DeliveryID, 0)
		delete(l.done, o.Attempt.DeliveryID)
	}
	return r.err
}

// now is the deciding clock: the time when the work was read, plus the time
// passed since.
func (l *lane) now() time.Time {
	return l.work.Now.Add(time.Since(l.readAt)).Truncate(time.Microsecond)
}

func (l *lane) renew(ctx context.Context) error {
	held, err := l.store.Lanes.Renew(ctx, l.id, l.holder, laneLease)
	if err == nil && !held {
		err = errLeaseLost
	}
	return err
}

var errLeaseLost = errors.New("lost the lease of the lane")

func health(row models.Lane) wire.Health {
	h := wire.Health{FailuresInRow: row.FailuresInRow}
	if row.FailingSince != nil {
		h.FailingSince = *row.FailingSince
	}
	if row.LastFailureAt != nil {
		h.LastFailureAt = *row.LastFailureAt
	}
	return h
}

func fill(state *models.LaneHealth, h wire.Health) {
	state.FailuresInRow = h.FailuresInRow
	if !h.FailingSince.IsZero() {
		state.FailingSince = &h.FailingSince
	}
	if !h.LastFailureAt.IsZero() {
		state.LastFailureAt = &h.LastFailureAt
	}
}

// release gives the lane back, or on to a fresh job when more is due. It runs
// also when the job's own context is over.
func (l *lane) release(ctx context.Context, stuck bool) {
	if l.released {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	again, err := l.store.Lanes.Release(ctx, l.id, l.holder, l.left(stuck))
	if err == nil {
		err = l.deliverer.queue.insert(ctx, again)
	}
	if err != nil {
		// The lease ends by itself, and the sweep finds the lane.
		l.log.ErrorContext(ctx, "cannot release the lane", slog.Int64("webhook", l.id), slog.Any("error", err))
	}
}

// left is how this turn leaves the lane.
func (l *lane) left(stuck bool) models.Release {
	return models.Release{Slow: l.slow, HoldOthers: l.format != nil && l.format.Policy.HoldOthers, Stuck: stuck}
}
