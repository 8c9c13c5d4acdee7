package models

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Work is a lane and its webhook as they are now.
type Work struct {
	Now     time.Time
	Webhook Webhook // without an ID: it was deleted
	Lane    Lane
	CanSend bool
}

// HeldBy tells whether a holder had the lane's lease, for so much longer.
func (w Work) HeldBy(holder string, still time.Duration) bool {
	until := w.Lane.LeasedUntil
	return w.Lane.LeasedBy == holder && until != nil && until.After(w.Now.Add(still))
}

// laneReload is a question for the state of a lane, and the answer.
type laneReload struct {
	id   int64
	work Work
}

// Reload reads a lane.
func (x *Lanes) Reload(ctx context.Context, id int64) (_ Work, err error) {
	defer wrap(&err, "read lane %d", id)
	c := &laneReload{id: id}
	err = x.reloads.Do(ctx, c)
	return c.work, err
}

func (x *Lanes) reload(ctx context.Context, calls []*laneReload, _ bool) error {
	tx := x.s.db.WithContext(ctx)
	now, err := x.s.db.Now(tx)
	if err != nil {
		return err
	}
	ids := make([]int64, len(calls))
	for i, c := range calls {
		ids[i] = c.id
	}
	var lanes []Lane
	if err := tx.Find(&lanes, x.s.db.InIDs("webhook_id"), db.JSON(ids)).Error; err != nil {
		return err
	}
	works, err := x.works(tx, now, lanes)
	for _, c := range calls {
		c.work = works[c.id]
	}
	return err
}

// works reads the work of lanes.
func (x *Lanes) works(tx *gorm.DB, now time.Time, lanes []Lane) (map[int64]Work, error) {
	works := make(map[int64]Work, len(lanes))
	if len(lanes) == 0 {
		return works, nil
	}
	ids := make([]int64, len(lanes))
	for i, lane := range lanes {
		ids[i], works[lane.WebhookID] = lane.WebhookID, Work{Now: now, Lane: lane}
	}
	settings, err := x.s.Settings.get(tx)
	if err != nil {
		return nil, err
	}
	var hooks []Webhook
	if err := tx.Find(&hooks, x.s.db.InIDs("id")+" and deleted_at is null", db.JSON(ids)).Error; err != nil {
		return nil, err
	}
	for _, w := range hooks {
		can := x.s.canNow(w.State, w.Type, settings)
		works[w.ID] = Work{Now: now, Webhook: w, Lane: works[w.ID].Lane, CanSend: can}
	}
	return works, nil
}

// canNow says of a webhook that is not deleted whether it can send.
func (s *Store) canNow(state, webhookType string, settings Settings) bool {
	return state == WebhookActive && (settings.GenericEnabled || !s.needsFeature(webhookType))
}

// DueQuery selects due deliveries of a lane.
type DueQuery struct {
	At       time.Time // of the deciding clock; what falls due later is left out
	Limit    int
	UnderWay []int64 // ids of those that are on their way already
	// OneFailed asks, after a failure, only for the next attempt of the failed
	// delivery; if no failed one is left to be tried, for one other.
	OneFailed bool
}

// dueBytes bounds the bodies that are read at once, and so a lane's memory,
// where there is enough of it; a single larger body comes alone.
const dueBytes = 1 << 20

// pacedMost is how many paced deliveries are read at once.
const pacedMost = 16

// laneDue is a question for the due deliveries of a lane, and the answer.
type laneDue struct {
	work  Work
	query DueQuery
	rows  []Delivery
	found int // that are due, as far as they were counted
}

// Due reads the deliveries of a lane that are due, oldest first, with bodies; all
// says that these are all there are, and that none of them is paced.
func (x *Lanes) Due(ctx context.Context, w Work, q DueQuery) (_ []Delivery, all bool, err error) {
	defer wrap(&err, "read the deliveries of lane %d", w.Webhook.ID)
	c := &laneDue{work: w, query: q}
	err = x.dues.Do(ctx, c)
	if q.OneFailed {
		q.Limit = 1
	}
	rows := c.rows[:min(len(c.rows), q.Limit)]
	all = err == nil && c.found == len(rows) && c.found < q.Limit && !slices.ContainsFunc(rows, func(d Delivery) bool { return d.Paced })
	return rows, all, err
}

// dueList are the deliveries that are due in a lane: how many, and the ids of
// those that are read, as "3:41,42".
type dueList struct {
	Lane int64
	IDs  string
}

const (
	// A webhook that was moved gets nothing of where it was.
	dueOfLane = `q.webhook_id = cast(lane.value->>0 as bigint) and q.due_at <= ? and (select d.location from deliveries d where d.id = q.delivery_id) = lane.value->>1`
	dueFailed = `(cast(lane.value->>2 as bigint) = 0 or q.round > 0)`
	// A new delivery goes beside those that go out slowly, but behind the one of
	// its subject.
	noneBefore = `(q.subject = 0 or (select 1 from delivery_queue p where p.webhook_id = q.webhook_id and p.paced and p.subject = q.subject and p.round = 0 limit 1) is null)`
)

func (x *Lanes) due(ctx context.Context, calls []*laneDue, _ bool) error {
	return x.s.db.AlongIndex(ctx, func(tx *gorm.DB) error { return x.dueIn(tx, calls) })
}

func (x *Lanes) dueIn(tx *gorm.DB, calls []*laneDue) error {
	failed, err := x.failed(tx, calls)
	if err != nil {
		return err
	}
	var now time.Time // the latest that the clock showed any of them
	var underWay []int64
	most := 0
	questions := make([][3]any, len(calls))
	byLane := make(map[int64]*laneDue, len(calls))
	for i, c := range calls {
		id := c.work.Webhook.ID
		if c.query.At.After(now) {
			now = c.query.At
		}
		c.rows, c.found, byLane[id] = nil, 0, c
		underWay, most = append(underWay, c.query.UnderWay...), max(most, c.query.Limit)
		questions[i] = [3]any{id, c.work.Webhook.Location, number(failed[id])}
	}
	lanes, _ := json.Marshal(questions)
	var lists []dueList
	due := `select * from (select q.delivery_id, q.due_at, q.paced, q.bytes from delivery_queue q
		where ` + dueOfLane + ` and q.delivery_id not in ` + x.s.db.JSONList("bigint") + ` and ` + dueFailed
	const first = ` order by q.due_at, q.delivery_id limit ?) as first`
	err = tx.Raw(`
		select cast(lane.value->>0 as bigint) as lane, (
			select count(*) || ':' || coalesce(string_agg(case when s.total <= ? or s.total = s.bytes then cast(s.delivery_id as text) end, ','), '') from (
				select u.delivery_id, u.bytes, sum(u.bytes) over (order by u.paced, u.due_at, u.delivery_id) as total from (
					`+due+` and q.paced = false and `+noneBefore+first+`
					union all `+due+` and q.paced = true`+first+`
				) as u
			) as s
		) as ids from `+x.s.db.JSONEach()+` as lane`,
		x.dueBytes, now, db.JSON(underWay), most, now, db.JSON(underWay), min(most, pacedMost), string(lanes)).Find(&lists).Error
	if err != nil {
		return err
	}
	var ids []int64
	for _, l := range lists {
		count, list, _ := strings.Cut(l.IDs, ":")
		byLane[l.Lane].found, _ = strconv.Atoi(count) // the database wrote it, and the ids
		for id := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' }) {
			n, _ := strconv.ParseInt(id, 10, 64)
			ids = append(ids, n)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var rows []Delivery
	err = tx.Table("delivery_queue q").Joins("join deliveries d on d.id = q.delivery_id").Joins(withPassage).
		Select(deliveryColumns+bodyColumns+", q.due_at, q.resend, q.scheduled_at, q.tries, q.round, q.paced, q.subject, "+
			"case when "+onSchedule+" then case when q.round > 0 then '"+DeliveryRetrying+"' else '"+DeliveryPending+"' end "+
			"else coalesce((select e.state from delivery_ends e where e.delivery_id = q.delivery_id), '"+DeliveryDelivered+"') end as state").
		Order("q.due_at, q.delivery_id").Find(&rows, x.s.db.InIDs("q.delivery_id"), db.JSON(ids)).Error
	if err != nil {
		return err
	}
	err = x.s.withBodies(tx, rows)
	for _, d := range rows {
		c := byLane[d.WebhookID]
		c.rows = append(c.rows, d)
	}
	return err
}

// failed are the lanes, of those questions for failed deliveries, that have some
// left.
func (x *Lanes) failed(tx *gorm.DB, calls []*laneDue) (map[int64]bool, error) {
	var ids []int64
	for _, c := range calls {
		if c.query.OneFailed {
			ids = append(ids, c.work.Webhook.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	var have []int64
	err := tx.Raw(`select l.webhook_id from lanes l where `+x.s.db.InIDs("l.webhook_id")+` and (
		select 1 from delivery_queue f where f.webhook_id = l.webhook_id and f.round > 0 limit 1) is not null`, db.JSON(ids)).Find(&have).Error
	failed := make(map[int64]bool, len(have))
	for _, id := range have {
		failed[id] = true
	}
	return failed, err
}

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
