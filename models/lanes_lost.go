package models

import (
	"context"
	"slices"

	"github.com/sitehooks/sitehooks/models/db"
)

// lostLanes is how many lanes one step of finding lost ones wakes.
const lostLanes = 1000

// FindLost wakes lanes whose rows say that there is nothing to do although
// something waits that their webhooks can send. There should be none: it
// corrects errors of the code that let them sleep.
func (x *Lanes) FindLost(ctx context.Context) (_ int64, err error) {
	defer wrap(&err, "find lost lanes")
	tx := x.s.db.WithContext(ctx)
	settings, err := x.s.Settings.get(tx)
	if err != nil {
		return 0, err
	}
	can, args, err := x.s.canSend(tx, settings)
	if err != nil {
		return 0, err
	}
	now, err := x.s.db.Now(tx)
	if err != nil {
		return 0, err
	}
	var ids []int64
	err = tx.Raw(`select l.webhook_id from lanes l join webhooks w on w.id = l.webhook_id
		where l.next_due_at is null and `+can+`
		and exists (select 1 from delivery_queue q where q.webhook_id = l.webhook_id)
		order by l.webhook_id limit ?`, slices.Concat(args, []any{lostLanes})...).Scan(&ids).Error
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	res := tx.Exec("update lanes set next_due_at = ? where next_due_at is null and webhook_id in "+x.s.db.JSONList("bigint"), now, db.JSON(ids))
	return res.RowsAffected, res.Error
}
