package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Claim takes for a holder the leases of those lanes that have something due
// and that no worker has, and reads the lanes. The others are left out, also
// those whose rows another transaction has locked: the sweep finds them again.
func (x *Lanes) Claim(ctx context.Context, ids []int64, holder string, lease time.Duration) (works map[int64]Work, err error) {
	defer wrap(&err, "claim lanes")
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		var lanes []Lane
		err = tx.Raw(`
			update lanes set leased_by = ?, leased_until = ?
			where webhook_id in (select l.webhook_id from lanes l where `+x.s.db.InIDs("l.webhook_id")+` and `+dueAndFree+`
				order by l.webhook_id`+x.s.db.SkipLockedKeys()+`)
			returning *`, slices.Concat([]any{holder, now.Add(lease), db.JSON(ids)}, freeArgs(now))...).Find(&lanes).Error
		if err != nil {
			return err
		}
		works, err = x.works(tx, now, lanes)
		return err
	})
	return works, err
}

// Lease is a holder's claim on a lane.
type Lease struct {
	WebhookID int64
	Holder    string
}

// Renew prolongs leases and returns those that are still held.
func (x *Lanes) Renew(ctx context.Context, leases []Lease, lease time.Duration) (held []Lease, err error) {
	defer wrap(&err, "renew leases")
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		held = nil
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		for chunk := range slices.Chunk(leases, x.s.db.MaxRows()) {
			list, args := x.s.db.Values(
				db.ColumnOf(chunk, func(l Lease) int64 { return l.WebhookID }),
				db.ColumnOf(chunk, func(l Lease) string { return l.Holder }))
			var renewed []Lease
			err = tx.Raw(`
				update lanes set leased_until = ?
				from (select v.* from `+list+` as v join lanes l on l.webhook_id = v.column1 and l.leased_by = v.column2
					where l.leased_until > ? order by l.webhook_id`+x.s.db.ForUpdate("l")+`) as v
				where lanes.webhook_id = v.column1
				returning lanes.webhook_id, lanes.leased_by as holder`,
				slices.Concat([]any{now.Add(lease)}, args, []any{now})...).Find(&renewed).Error
			if err != nil {
				return err
			}
			held = append(held, renewed...)
		}
		return nil
	})
	return held, err
}
