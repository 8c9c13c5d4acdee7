package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// openPause is how long a lane waits when too many requests are open.
const openPause = 100 * time.Millisecond

// startSome starts the requests that may start now. It returns a channel to
// wait on when only time stands in the way.
func (l *lane) startSome(ctx context.Context) <-chan time.Time {
	for !l.ended && !l.outside && !l.rec.full() {
		i, wait := l.pacer.choose(l.pre.queue)
		if i < 0 {
			return after(wait)
		}
		d := l.pre.queue[i]
		switch {
		case d.Paced && l.at.share == models.ShareFast:
			l.end() // it would keep a place for waiting: the rest goes on in the paced share
			return nil
		case !l.fresh():
			if !l.pre.busy {
				l.pre.reload(ctx)
			}
			return nil
		case !l.mayOpen():
			return time.After(openPause)
		}
		l.pre.queue = slices.Delete(l.pre.queue, i, i+1)
		l.pacer.begin(d)
		l.open.Add(1)
		p := outbound{l.to, l.seen.Webhook.Options, d}
		go func() {
			s := l.send(ctx, p)
			l.open.Add(-1)
			l.results <- s
		}()
	}
	return nil
}

// after is nil where there is nothing to wait for.
func after(wait time.Duration) <-chan time.Time {
	if wait == 0 {
		return nil
	}
	return time.After(wait)
}

// finished handles a result: it judges it by the type's policy, updates the
// webhook's health, and logs.
func (l *lane) finished(ctx context.Context, s attemptResult) error {
	l.reading.Add(-int64(s.reading))
	if s.err != nil || s.result.ErrorClass == wire.ClassCanceled {
		l.pacer.end(s.delivery, false)
		l.end() // it is due still, and was not an attempt
		return s.err
	}
	now := l.now()
	o, v := outcome(l.format, s.delivery, s.result, l.health, now, l.jitter())
	l.pacer.end(s.delivery, v.Delivered)
	l.health = v.Health
	at := now.Add(-s.result.Duration)
	o.Attempt.URL, o.Attempt.StartedAt = l.seen.Webhook.URLShown, at
	l.rec.add(o, at)
	if s.result.ErrorClass != wire.ClassTimeout {
		l.heard()
	}
	if v.Broken != "" && l.rec.state.Broken == "" {
		l.rec.state.Broken = v.Broken
	}
	if v.Broken != "" || !v.Delivered && l.format.Policy.HoldOthers {
		l.pre.drop()
	}
	// One slow answer ends a turn among the fast, whatever answers come after it.
	// Among the slow, the newest answer decides.
	slow := s.result.ErrorClass == wire.ClassTimeout || s.result.Duration > slowAfter
	l.slow = slow || l.slow && !l.seen.Lane.Slow
	if l.failed++; v.Delivered {
		l.failed = 0
	}
	// The rest goes on in another share.
	toSlow := l.slow && !l.seen.Lane.Slow
	toFast := v.Delivered && l.failing
	toFailing := l.failed > laneInFlight
	if v.Broken != "" || toSlow || toFast || toFailing {
		l.end()
	}
	l.observe(ctx, l.seen.Webhook, s, o)
	return nil
}

// recordSome begins to store the outcomes that have come by now, unless the
// ones before are still being stored.
func (l *lane) recordSome(ctx context.Context) {
	if !l.rec.ready(len(l.pacer.open) > 0 || l.pre.busy || l.lingers() > 0) {
		return
	}
	state := l.rec.state
	state.SecretsUsed = l.secretsUsed()
	fill(&state, l.health)
	id, holder := l.at.id, l.holder
	l.rec.start(ctx, state, func(ctx context.Context, outcomes []models.Outcome, state models.LaneHealth) (err error) {
		defer contain(&err)
		return l.recordSurely(ctx, id, holder, outcomes, state)
	})
}

// secretsUsed tells whether it is time to note that secrets signed something:
// the note is exact to the minute, and not worth a write with every batch.
func (l *lane) secretsUsed() bool {
	used := [2]*time.Time{l.seen.Webhook.Secret1UsedAt, l.seen.Webhook.Secret2UsedAt}
	for i, secret := range l.opened.Secrets {
		if secret != "" && (used[i] == nil || l.now().Sub(*used[i]) > time.Minute) {
			return true
		}
	}
	return false
}

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
