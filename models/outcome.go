package models

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Outcome is the consequence of an attempt for its delivery.
type Outcome struct {
	Attempt Attempt
	State   string     // of the delivery from now on
	DueAt   *time.Time // of the next attempt; nil: none
	Round   int
	Reason  string
}

// LaneHealth is how a webhook fares after some attempts.
type LaneHealth struct {
	FailuresInRow int
	FailingSince  *time.Time
	LastFailureAt *time.Time
	LastSuccessAt *time.Time // nil: keep
	LastAt        *time.Time
	LastCode      int
	LastError     string
	Broken        string // the reason in words when it is to be broken
	SecretsUsed   bool
}

// laneOutcomes are the outcomes of one webhook on their way.
type laneOutcomes struct {
	id       int64
	holder   string
	outcomes []Outcome
	health   LaneHealth
}

// recordTogether is how many outcomes of several webhooks are stored in one
// transaction; every KiB that they hold counts as one more.
const recordTogether = 500

func (c *laneOutcomes) size() int {
	bytes := 0
	for i := range c.outcomes {
		a := &c.outcomes[i].Attempt
		bytes += len(a.RequestHeaders) + len(a.ResponseHeaders) + len(a.ResponseBody)
	}
	return len(c.outcomes) + bytes>>10
}

// Record stores the attempts of one webhook with their consequences, in one
// transaction. A delivery that was dropped meanwhile stays so unless it
// arrived. When the holder has lost the lane's lease, the attempts are stored
// and nothing else: another holder decides by now.
func (x *Lanes) Record(ctx context.Context, id int64, holder string, outcomes []Outcome, h LaneHealth) (err error) {
	defer wrap(&err, "record attempts of webhook %d", id)
	c := &laneOutcomes{id, holder, outcomes, h}
	if h.Broken != "" { // which waits for dispatch
		return x.record(ctx, []*laneOutcomes{c}, false)
	}
	return x.records.Do(ctx, c)
}

func (x *Lanes) record(ctx context.Context, calls []*laneOutcomes, shared bool) error {
	slices.SortStableFunc(calls, func(a, b *laneOutcomes) int { return cmp.Compare(a.id, b.id) }) // all transactions lock in the same order
	return x.s.db.TxBatch(ctx, shared, func(tx *gorm.DB) error {
		held, lost, err := x.stillHeld(tx, calls)
		if err != nil {
			return err
		}
		for _, c := range held {
			if c.health.Broken == "" {
				continue
			}
			if err := x.s.breakIn(tx, c.id, c.health.Broken); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		if err := x.s.useSecrets(tx, held, now); err != nil {
			return err
		}
		if _, err := x.s.insertAttempts(tx, outcomesOf(lost)); err != nil {
			return err
		}
		fresh, err := x.s.insertAttempts(tx, outcomesOf(held))
		if err != nil {
			return err
		}
		if err := x.s.applyOutcomes(tx, fresh, now); err != nil {
			return err
		}
		if err := x.s.countHours(tx, fresh); err != nil {
			return err
		}
		return x.updateLanes(tx, held)
	})
}

func outcomesOf(calls []*laneOutcomes) (all []Outcome) {
	for _, c := range calls {
		all = append(all, c.outcomes...)
	}
	return all
}

// stillHeld locks the lanes, and before them the webhooks that are to change,
// as all transactions do. It tells the calls of holders who still have their
// lease from those of the others.
func (x *Lanes) stillHeld(tx *gorm.DB, calls []*laneOutcomes) (held, lost []*laneOutcomes, err error) {
	var ids, hooks []int64
	for _, c := range calls {
		ids = append(ids, c.id)
		if c.health.Broken != "" || c.health.SecretsUsed {
			hooks = append(hooks, c.id)
		}
	}
	if lock := x.s.db.ForUpdate(); len(hooks) > 0 && lock != "" {
		if err := tx.Exec("select id from webhooks where "+x.s.db.InIDs("id")+" order by id"+lock, db.JSON(hooks)).Error; err != nil {
			return nil, nil, err
		}
	}
	var leases []Lease
	err = tx.Raw("select webhook_id, leased_by as holder from lanes where "+x.s.db.InIDs("webhook_id")+" order by webhook_id"+x.s.db.ForNoKeyUpdate(), db.JSON(ids)).Find(&leases).Error
	for _, c := range calls {
		if slices.Contains(leases, Lease{c.id, c.holder}) {
			held = append(held, c)
		} else {
			lost = append(lost, c)
		}
	}
	return held, lost, err
}

// applyOutcomes takes the deliveries whose attempts these were out of the queue, or
// moves them there. One that was dropped meanwhile stays so unless it arrived,
// and so does one that was dropped and is to be resent.
func (s *Store) applyOutcomes(tx *gorm.DB, outcomes []Outcome, now time.Time) error {
	var arrived, over, next []Outcome
	for _, o := range outcomes {
		switch {
		case o.Attempt.Arrived:
			arrived = append(arrived, o)
		case o.DueAt == nil:
			over = append(over, o)
		default:
			next = append(next, o)
		}
	}
	if err := s.deliver(tx, arrived); err != nil {
		return err
	}
	if err := s.fail(tx, over, now); err != nil {
		return err
	}
	for chunk := range slices.Chunk(next, s.db.MaxRows()) {
		list, args := s.db.Values(
			db.ColumnOf(chunk, func(o Outcome) int64 { return o.Attempt.DeliveryID }),
			db.ColumnOf(chunk, func(o Outcome) *time.Time { return o.DueAt }),
			db.ColumnOf(chunk, func(o Outcome) int { return o.Round }))
		err := tx.Exec(`
			update delivery_queue as q set due_at = v.column2, round = v.column3, tries = q.tries + 1, resend = false, scheduled_at = null
			from `+list+` as v where q.delivery_id = v.column1 and `+onSchedule, args...).Error
		if err != nil {
			return err
		}
	}
	return nil
}

// deliver ends deliveries that arrived, also those that had failed or were
// dropped.
func (s *Store) deliver(tx *gorm.DB, outcomes []Outcome) error {
	if len(outcomes) == 0 {
		return nil
	}
	ids := deliveryIDs(outcomes)
	gone := tx.Exec("delete from delivery_queue where "+s.db.InIDs("delivery_id"), ids)
	resent := slices.ContainsFunc(outcomes, func(o Outcome) bool { return o.Attempt.Manual })
	if gone.Error != nil || gone.RowsAffected == int64(len(outcomes)) && !resent {
		return gone.Error
	}
	return tx.Exec("delete from delivery_ends where "+s.db.InIDs("delivery_id"), ids).Error
}

// fail ends deliveries after their last attempt. One that had ended before and
// was resent keeps its state.
func (s *Store) fail(tx *gorm.DB, outcomes []Outcome, now time.Time) error {
	for _, o := range outcomes {
		if o.Attempt.Manual {
			if err := tx.Delete(&queuedDelivery{}, o.Attempt.DeliveryID).Error; err != nil {
				return err
			}
			continue
		}
		gone := tx.Exec("delete from delivery_queue as q where q.delivery_id = ? and "+onSchedule, o.Attempt.DeliveryID)
		if gone.Error != nil {
			return gone.Error
		}
		if gone.RowsAffected == 0 {
			continue
		}
		err := tx.Create(&deliveryEnd{DeliveryID: o.Attempt.DeliveryID, WebhookID: o.Attempt.WebhookID, State: o.State, At: now, Reason: o.Reason}).Error
		if err != nil {
			return err
		}
	}
	return nil
}

func deliveryIDs(outcomes []Outcome) string {
	ids := make([]int64, len(outcomes))
	for i, o := range outcomes {
		ids[i] = o.Attempt.DeliveryID
	}
	return db.JSON(ids)
}

// insertAttempts returns the outcomes whose attempts were new. One that a
// transaction stored whose commit was not answered is not.
func (s *Store) insertAttempts(tx *gorm.DB, outcomes []Outcome) ([]Outcome, error) {
	stored := make(map[int64]bool, len(outcomes))
	scan := func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		stored[id] = true
		return err
	}
	err := db.Chunks(s.db, outcomes, func(chunk []Outcome) error {
		insert := db.Insertion{
			Into: "insert into attempts (delivery_id, started_at, webhook_id, manual, duration_us, code, " +
				"error_class, error, url, request_headers, response_headers, response_body, truncated, reconnected, arrived)",
			After: " on conflict do nothing returning delivery_id",
		}
		return s.db.Insert(tx, insert, scan,
			db.ColumnOf(chunk, func(o Outcome) int64 { return o.Attempt.DeliveryID }),
			db.ColumnOf(chunk, func(o Outcome) time.Time { return o.Attempt.StartedAt }),
			db.ColumnOf(chunk, func(o Outcome) int64 { return o.Attempt.WebhookID }),
			db.ColumnOf(chunk, func(o Outcome) bool { return o.Attempt.Manual }),
			db.ColumnOf(chunk, func(o Outcome) int64 { return o.Attempt.DurationUS }),
			db.ColumnOf(chunk, func(o Outcome) int { return o.Attempt.Code }),
			db.ColumnOf(chunk, func(o Outcome) string { return o.Attempt.ErrorClass }),
			db.ColumnOf(chunk, func(o Outcome) string { return o.Attempt.Error }),
			db.ColumnOf(chunk, func(o Outcome) string { return o.Attempt.URL }),
			db.ColumnOf(chunk, func(o Outcome) []byte { return o.Attempt.RequestHeaders }),
			db.ColumnOf(chunk, func(o Outcome) []byte { return o.Attempt.ResponseHeaders }),
			db.ColumnOf(chunk, func(o Outcome) []byte { return o.Attempt.ResponseBody }),
			db.ColumnOf(chunk, func(o Outcome) bool { return o.Attempt.Truncated }),
			db.ColumnOf(chunk, func(o Outcome) bool { return o.Attempt.Reconnected }),
			db.ColumnOf(chunk, func(o Outcome) bool { return o.Attempt.Arrived }))
	})
	return slices.DeleteFunc(slices.Clone(outcomes), func(o Outcome) bool { return !stored[o.Attempt.DeliveryID] }), err
}

// useSecrets notes that the secrets signed something, at most once a minute;
// the webhooks' rows are locked.
func (s *Store) useSecrets(tx *gorm.DB, calls []*laneOutcomes, now time.Time) error {
	var ids []int64
	for _, c := range calls {
		if c.health.SecretsUsed {
			ids = append(ids, c.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	old := now.Add(-time.Minute)
	const used1 = "secret_1 <> '' and (secret_1_used_at is null or secret_1_used_at < ?)"
	const used2 = "secret_2 <> '' and (secret_2_used_at is null or secret_2_used_at < ?)"
	return tx.Exec(`update webhooks set
			secret_1_used_at = case when `+used1+` then cast(? as timestamptz) else secret_1_used_at end,
			secret_2_used_at = case when `+used2+` then cast(? as timestamptz) else secret_2_used_at end
		where `+s.db.InIDs("id")+` and (`+used1+` or `+used2+`)`,
		old, now, old, now, db.JSON(ids), old, old).Error
}

// updateLanes writes how the webhooks fare, whose lanes are locked.
func (x *Lanes) updateLanes(tx *gorm.DB, calls []*laneOutcomes) error {
	for chunk := range slices.Chunk(calls, x.s.db.MaxRows()) {
		list, args := x.s.db.Values(
			db.ColumnOf(chunk, func(c *laneOutcomes) int64 { return c.id }),
			db.ColumnOf(chunk, func(c *laneOutcomes) int { return c.health.FailuresInRow }),
			db.ColumnOf(chunk, func(c *laneOutcomes) *time.Time { return c.health.FailingSince }),
			db.ColumnOf(chunk, func(c *laneOutcomes) *time.Time { return c.health.LastFailureAt }),
			db.ColumnOf(chunk, func(c *laneOutcomes) *time.Time { return c.health.LastAt }),
			db.ColumnOf(chunk, func(c *laneOutcomes) int { return c.health.LastCode }),
			db.ColumnOf(chunk, func(c *laneOutcomes) string { return c.health.LastError }),
			db.ColumnOf(chunk, func(c *laneOutcomes) *time.Time { return c.health.LastSuccessAt }))
		err := tx.Exec(`
			update lanes set
				failures_in_row = v.column2, failing_since = v.column3, last_failure_at = v.column4,
				last_at = v.column5, last_code = v.column6, last_error = v.column7,
				last_success_at = coalesce(v.column8, lanes.last_success_at)
			from `+list+` as v where lanes.webhook_id = v.column1`, args...).Error
		if err != nil {
			return err
		}
	}
	return nil
}
