package models

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Outcome is what an attempt means for its delivery.
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

// Record stores the attempts of one webhook with what they mean, in one
// transaction. A delivery that was dropped meanwhile stays so unless it
// arrived.
func (x *Lanes) Record(ctx context.Context, id int64, outcomes []Outcome, h LaneHealth) error {
	return x.s.tx(ctx, func(tx *gorm.DB) error {
		if h.Broken != "" {
			// The webhook's row first, as everybody locks it first.
			if err := x.s.breakIn(tx, id, h.Broken); err != nil && !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		now, err := x.s.now(tx)
		if err != nil {
			return err
		}
		if h.SecretsUsed {
			if err := useSecrets(tx, id, now); err != nil {
				return err
			}
		}
		for chunk := range slices.Chunk(outcomes, storeChunk) { // few lengths, so few statements to prepare
			if err := updateDeliveries(tx, chunk, now); err != nil {
				return err
			}
		}
		attempts := make([]Attempt, len(outcomes))
		for i, o := range outcomes {
			attempts[i] = o.Attempt
		}
		if err := tx.CreateInBatches(attempts, storeChunk).Error; err != nil {
			return err
		}
		if err := countHours(tx, id, outcomes); err != nil {
			return err
		}
		return updateLane(tx, id, h)
	})
}

// updateDeliveries writes all outcomes in one statement, which both databases
// understand: the columns of a VALUES list are called column1, column2, …
func updateDeliveries(tx *gorm.DB, outcomes []Outcome, now time.Time) error {
	const row = "(cast(? as bigint), cast(? as text), cast(? as timestamptz), cast(? as bigint), cast(? as text), " +
		"cast(? as timestamptz), cast(? as bigint), cast(? as text), cast(? as bigint))"
	args := []any{now}
	for _, o := range outcomes {
		a := o.Attempt
		args = append(args, a.DeliveryID, o.State, o.DueAt, o.Round, o.Reason,
			a.StartedAt, a.Code, a.ErrorClass, a.DurationUS/1000)
	}
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
		from (values `+strings.TrimSuffix(strings.Repeat(row+", ", len(outcomes)), ", ")+`) as v
		where deliveries.id = v.column1`, args...).Error
}

const stillWaits = "deliveries.state in ('pending', 'retrying')"

// useSecrets notes that the secrets signed something, at most once a minute.
func useSecrets(tx *gorm.DB, id int64, now time.Time) error {
	for _, slot := range []string{"secret_1", "secret_2"} {
		err := tx.Model(&Webhook{}).
			Where("id = ? and "+slot+" <> '' and ("+slot+"_used_at is null or "+slot+"_used_at < ?)", id, now.Add(-time.Minute)).
			Update(slot+"_used_at", now).Error
		if err != nil {
			return err
		}
	}
	return nil
}

func updateLane(tx *gorm.DB, id int64, h LaneHealth) error {
	set := map[string]any{
		"failures_in_row": h.FailuresInRow, "failing_since": h.FailingSince, "last_failure_at": h.LastFailureAt,
		"last_at": h.LastAt, "last_code": h.LastCode, "last_error": h.LastError,
	}
	if h.LastSuccessAt != nil {
		set["last_success_at"] = h.LastSuccessAt
	}
	return tx.Model(&Lane{}).Where("webhook_id = ?", id).Updates(set).Error
}
