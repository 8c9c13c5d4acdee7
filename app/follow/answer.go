package follow

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"time"
)

// AnswerOptions are those of a follower of Apache Answer.
type AnswerOptions struct {
	Options
	Database string         // its DSN
	Site     string         // the URL of the site, without a slash at the end; empty: as the site has it
	Timezone *time.Location // of the times in its database
	From     time.Time      // where to begin when the source has no place; zero: now
	Compare  time.Duration  // how often posts are compared with the log
}

const (
	// rowsAtOnce is how many rows of the log one round reads.
	rowsAtOnce = 500
	// overlap is how many rows are read again each round: a row with a lower id
	// may be written later. Rows that are older than late before the round are not.
	overlap = 200
	late    = time.Hour
	// acceptsEvery is how often answers accepted again are looked for, and
	// acceptsOverlap for how long before the last time.
	acceptsEvery   = time.Minute
	acceptsOverlap = 2 * time.Minute
	// settled is the age from which a post must have its row in the log.
	settled = time.Minute
	// longestWait is how long a post may wait for its review, mostWaiting how many
	// wait at once.
	longestWait = 30 * 24 * time.Hour
	mostWaiting = 20_000
	// wrongZone is the difference of a fresh row's time from now that shows a
	// wrong --timezone.
	wrongZone = 5 * time.Minute
)

// answer follows an Apache Answer by its database. It belongs to one goroutine.
type answer struct {
	AnswerOptions
	db      *database
	numbers numbers
	now     func() time.Time

	seen       map[int64]bool       // rows of the log that were reported, within the overlap
	reported   map[string]time.Time // events that were reported, for as long as they may be found again
	pending    func()               // notes that the newest batch was accepted
	readAt     time.Time            // when the log was read to its end
	warnedZone bool
}

// begin returns the place of now, or of --from.
func (a *answer) begin(ctx context.Context) (json.RawMessage, error) {
	now := a.now().UTC()
	p := answerPlace{At: now, Begin: now}
	err := a.db.readView(ctx, func(v view) (err error) {
		if a.From.IsZero() {
			p.Row, err = newestRow(ctx, v)
			return err
		}
		p.Begin, p.At = a.From.UTC(), a.From.UTC()
		p.Row, err = rowBefore(ctx, v, wallOf(p.Begin, a.Timezone))
		return err
	})
	p.BeginRow, p.Accepts, p.Looked = p.Row, p.Begin, p.Begin
	return p.write(), err
}

// next reads what happened after a place.
func (a *answer) next(ctx context.Context, place json.RawMessage) (b batch, err error) {
	p, err := readPlace(place)
	if err != nil {
		return batch{}, err
	}
	err = a.db.readView(ctx, func(v view) error {
		b, err = a.read(ctx, v, p)
		return err
	})
	return b, err
}

func (a *answer) read(ctx context.Context, v view, p answerPlace) (batch, error) {
	now := a.now().UTC()
	found, behind, more, err := a.readLog(ctx, v, &p)
	if err != nil {
		return batch{}, err
	}
	var rows []int64
	for _, h := range found {
		rows = append(rows, h.row)
	}
	if !more {
		outside, err := a.readOutside(ctx, v, &p, now)
		if err != nil {
			return batch{}, err
		}
		found = append(found, outside...)
	}
	again, err := a.waiting(ctx, v, p.Waiting)
	if err != nil {
		return batch{}, err
	}
	events, err := a.sort(ctx, v, a.once(append(again, found...)), &p, now)
	if err != nil {
		return batch{}, err
	}
	a.pending = func() { a.remember(rows, events, p.Row, now) }
	return batch{events: events, place: p.write(), behind: behind, more: more}, nil
}

// readLog reads the next rows of the log, and moves the place behind them.
func (a *answer) readLog(ctx context.Context, v view, p *answerPlace) (found []happening, behind time.Duration, more bool, err error) {
	newest, err := newestRow(ctx, v)
	if err != nil {
		return nil, 0, false, err
	}
	rows, err := a.numbers.logAfter(ctx, v, max(p.BeginRow, p.Row-overlap), rowsAtOnce+overlap)
	if err != nil {
		return nil, 0, false, err
	}
	now := a.now().UTC()
	tooOld := wallOf(p.At.Add(-late), a.Timezone)
	last := p.Row
	for _, r := range rows {
		if a.seen[r.row] || r.row <= p.Row && r.created.Before(tooOld.Time) {
			continue
		}
		if r.row > p.Row {
			behind = max(0, now.Sub(r.created.in(a.Timezone)))
		}
		last = max(last, r.row)
		if !r.cancelled {
			found = append(found, r.happening)
		}
	}
	if more = len(rows) == rowsAtOnce+overlap; !more {
		a.checkZone(ctx, rows, *p, now)
		last, behind = max(last, newest), 0
	}
	if p.Row != last || now.Sub(p.At) >= late/2 { // or every round would have a place to store
		p.Row, p.At = last, now
	}
	return found, behind, more, nil
}

// checkZone warns when a row that was just written has a time that is not now.
func (a *answer) checkZone(ctx context.Context, rows []logRow, p answerPlace, now time.Time) {
	fresh := now.Sub(a.readAt) <= wrongZone // what is new was written since
	if a.readAt = now; len(rows) == 0 || a.warnedZone || !fresh {
		return
	}
	r := rows[len(rows)-1]
	if off := r.created.in(a.Timezone).Sub(now); r.row > p.Row && off.Abs() > wrongZone {
		a.warnedZone = true
		a.Log.WarnContext(ctx, "a new row of the site has a time that is not now: set --timezone to the zone of the site's own process",
			slog.String("row", r.created.String()), slog.String("now", wallOf(now, a.Timezone).Format(wallLayout)), slog.String("timezone", a.Timezone.String()))
	}
}

// readOutside looks, each in its own time, for what new rows of the log do not
// tell.
func (a *answer) readOutside(ctx context.Context, v view, p *answerPlace, now time.Time) (found []happening, err error) {
	if now.Sub(p.Accepts) >= min(acceptsEvery, a.Compare) {
		since := latest(p.Begin, p.Accepts.Add(-acceptsOverlap))
		if found, err = a.numbers.acceptedSince(ctx, v, wallOf(since, a.Timezone)); err != nil {
			return nil, err
		}
		p.Accepts = now
	}
	if now.Sub(p.Looked) < a.Compare {
		return found, nil
	}
	from, to := wallOf(latest(p.Begin, p.Looked.Add(-late)), a.Timezone), wallOf(now.Add(-min(settled, a.Compare)), a.Timezone)
	lost, err := a.numbers.lost(ctx, v, from, to)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(lost))
	for i, h := range lost {
		keys[i] = h.key
	}
	posts, err := a.waiting(ctx, v, keys)
	p.Looked = now
	return append(found, posts...), err
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// once leaves out what was found twice, or was reported a short time ago.
func (a *answer) once(all []happening) (left []happening) {
	ids := map[string]bool{}
	for _, h := range all {
		id := h.eventID(a.Name)
		if _, before := a.reported[id]; before || ids[id] {
			continue
		}
		ids[id] = true
		left = append(left, h)
	}
	return left
}

// sort makes events of what everybody may see, puts what nobody may see yet on
// the waiting list, and drops what is gone.
func (a *answer) sort(ctx context.Context, v view, all []happening, p *answerPlace, now time.Time) ([]event, error) {
	s, err := readStates(ctx, v, all)
	if err != nil {
		return nil, err
	}
	var public []happening
	p.Waiting = nil
	for _, h := range all {
		switch s.verdict(h.post) {
		case gone:
		case hidden:
			if h.at.in(a.Timezone).After(now.Add(-longestWait)) {
				p.Waiting = append(p.Waiting, h.key)
			}
		case visible:
			if len(public) < rowsAtOnce+overlap {
				public = append(public, h)
			} else {
				p.Waiting = append(p.Waiting, h.key) // for the next round
			}
		}
	}
	if n := len(p.Waiting) - mostWaiting; n > 0 {
		a.Log.WarnContext(ctx, "too many posts wait for review; the oldest are left out", slog.Int("left_out", n))
		p.Waiting = p.Waiting[n:]
	}
	c, err := readContent(ctx, v, public, s)
	if err != nil {
		return nil, err
	}
	m := mapping{source: a.Name, location: a.Location, site: a.Site, zone: a.Timezone}
	events := make([]event, 0, len(public))
	for _, h := range public {
		e := m.event(h, c)
		line, err := e.Line()
		if err != nil {
			return nil, err
		}
		events = append(events, event{id: e.ID, line: line})
	}
	return events, nil
}

// remember keeps what was reported for as long as it can be found again.
func (a *answer) remember(rows []int64, reported []event, row int64, now time.Time) {
	for _, id := range rows {
		a.seen[id] = true
	}
	maps.DeleteFunc(a.seen, func(id int64, _ bool) bool { return id <= row-overlap })
	for _, e := range reported {
		a.reported[e.id] = now
	}
	keep := late + max(a.Compare, acceptsEvery)*2
	maps.DeleteFunc(a.reported, func(_ string, at time.Time) bool { return now.Sub(at) > keep })
}

// accepted notes that the newest batch was stored.
func (a *answer) accepted(context.Context) error {
	if a.pending != nil {
		a.pending()
		a.pending = nil
	}
	return nil
}

func (a *answer) pause(ctx context.Context, d time.Duration) { wait(ctx, d) }
