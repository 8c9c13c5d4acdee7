package models

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Outcome is the consequence of an attempt for its delivery.
type Outcome struct {
	Attempt Attempt
	Arrived bool       // the receiver took it
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
func (x *Lanes) Record(ctx context.Context, id int64, holder string, outcomes []Outcome, h LaneHealth) error {
	c := &laneOutcomes{id, holder, outcomes, h}
	if h.Broken != "" { // which waits for dispatch
		return x.record(ctx, []*laneOutcomes{c}, false)
	}
	return x.records.Do(ctx, c)
}

func (x *Lanes) record(ctx context.Context, calls []*laneOutcomes, turn bool) error {
	slices.SortStableFunc(calls, func(a, b *laneOutcomes) int { return cmp.Compare(a.id, b.id) }) // all transactions lock in the same order
	return x.s.db.TxBatch(ctx, turn, func(tx *gorm.DB) error {
		held, err := x.stillHeld(tx, calls)
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
		outcomes := outcomesOf(held)
		for chunk := range slices.Chunk(outcomes, x.s.db.MaxRows()) {
			if err := x.s.updateDeliveries(tx, chunk, now); err != nil {
				return err
			}
		}
		if err := x.s.insertAttempts(tx, outcomesOf(calls)); err != nil {
			return err
		}
		if err := x.s.countHours(tx, outcomes); err != nil {
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
// as all transactions do. It returns the calls of those whose holders still
// have their lease.
func (x *Lanes) stillHeld(tx *gorm.DB, calls []*laneOutcomes) ([]*laneOutcomes, error) {
	var ids, hooks []int64
	for _, c := range calls {
		ids = append(ids, c.id)
		if c.health.Broken != "" || c.health.SecretsUsed {
			hooks = append(hooks, c.id)
		}
	}
	if lock := x.s.db.ForUpdate(); len(hooks) > 0 && lock != "" {
		if err := tx.Exec("select id from webhooks where "+x.s.db.InIDs("id")+" order by id"+lock, db.JSON(hooks)).Error; err != nil {
			return nil, err
		}
	}
	var leases []Lease
	err := tx.Raw("select webhook_id, leased_by as holder from lanes where "+x.s.db.InIDs("webhook_id")+" order by webhook_id"+x.s.db.ForNoKeyUpdate(), db.JSON(ids)).Find(&leases).Error
	return slices.DeleteFunc(slices.Clone(calls), func(c *laneOutcomes) bool {
		return !slices.Contains(leases, Lease{c.id, c.holder})
	}), err
}

// updateDeliveries writes all outcomes in one statement.
func (s *Store) updateDeliveries(tx *gorm.DB, outcomes []Outcome, now time.Time) error {
	list, args := s.db.Values(
		db.ColumnOf(outcomes, func(o Outcome) int64 { return o.Attempt.DeliveryID }),
		db.ColumnOf(outcomes, func(o Outcome) string { return o.State }),
		db.ColumnOf(outcomes, func(o Outcome) *time.Time { return o.DueAt }),
		db.ColumnOf(outcomes, func(o Outcome) int { return o.Round }),
		db.ColumnOf(outcomes, func(o Outcome) string { return o.Reason }),
		db.ColumnOf(outcomes, func(o Outcome) time.Time { return o.Attempt.StartedAt }),
		db.ColumnOf(outcomes, func(o Outcome) int { return o.Attempt.Code }),
		db.ColumnOf(outcomes, func(o Outcome) string { return o.Attempt.ErrorClass }),
		db.ColumnOf(outcomes, func(o Outcome) int64 { return o.Attempt.DurationUS / 1000 }))
	return tx.Exec(`
		update deliveries set
			tries = deliveries.tries + 1, resend = false, scheduled_at = null,
			last_at = v.column6, last_code = v.column7, last_error = v.column8, last_ms = v.column9,
			due_at = case when `+stillWaits+` then v.column3 else null end,
			round = case when `+stillWaits+` then v.column4 else deliveries.round end,
			reason = case when `+stillWaits+` or v.column2 = 'delivered' then v.column5 else deliveries.reason end,
			finished_at = case when `+stillWaits+` and v.column3 is not null then null
				when `+stillWaits+` or v.column2 = 'delivered' then cast(? as timestamptz) else deliveries.finished_at end,
			state = case when `+stillWaits+` or v.column2 = 'delivered' then v.column2 else deliveries.state end
		from `+list+` as v
		where deliveries.id = v.column1`, slices.Concat([]any{now}, args)...).Error
}

const stillWaits = "deliveries.state in ('pending', 'retrying')"

func (s *Store) insertAttempts(tx *gorm.DB, outcomes []Outcome) error {
	return db.Chunks(s.db, outcomes, func(part []Outcome) error {
		insert := db.Insertion{Into: "insert into attempts (delivery_id, webhook_id, number, manual, started_at, duration_us, code, " +
			"error_class, error, url, request_headers, response_headers, response_body, truncated, reconnected)"}
		return s.db.Insert(tx, insert, nil,
			db.ColumnOf(part, func(o Outcome) int64 { return o.Attempt.DeliveryID }),
			db.ColumnOf(part, func(o Outcome) int64 { return o.Attempt.WebhookID }),
			db.ColumnOf(part, func(o Outcome) int { return o.Attempt.Number }),
			db.ColumnOf(part, func(o Outcome) bool { return o.Attempt.Manual }),
			db.ColumnOf(part, func(o Outcome) time.Time { return o.Attempt.StartedAt }),
			db.ColumnOf(part, func(o Outcome) int64 { return o.Attempt.DurationUS }),
			db.ColumnOf(part, func(o Outcome) int { return o.Attempt.Code }),
			db.ColumnOf(part, func(o Outcome) string { return o.Attempt.ErrorClass }),
			db.ColumnOf(part, func(o Outcome) string { return o.Attempt.Error }),
			db.ColumnOf(part, func(o Outcome) string { return o.Attempt.URL }),
			db.ColumnOf(part, func(o Outcome) []byte { return o.Attempt.RequestHeaders }),
			db.ColumnOf(part, func(o Outcome) []byte { return o.Attempt.ResponseHeaders }),
			db.ColumnOf(part, func(o Outcome) []byte { return o.Attempt.ResponseBody }),
			db.ColumnOf(part, func(o Outcome) bool { return o.Attempt.Truncated }),
			db.ColumnOf(part, func(o Outcome) bool { return o.Attempt.Reconnected }))
	})
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
