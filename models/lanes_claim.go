package models

import (
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// laneClaim is a worker's claim on a lane, and its result.
type laneClaim struct {
	id      int64
	holder  string
	lease   time.Duration
	work    Work
	claimed bool
}

const leaseFree = "(l.leased_until is null or l.leased_until <= ? or l.leased_until > ?)"

// Claim takes a lane's lease for a holder and reads the lane; false: another
// worker has it.
func (x *Lanes) Claim(ctx context.Context, id int64, holder string, lease time.Duration) (Work, bool, error) {
	c := &laneClaim{id: id, holder: holder, lease: lease}
	err := x.claims.Do(ctx, c)
	return c.work, c.claimed && err == nil, err
}

func (x *Lanes) claim(ctx context.Context, calls []*laneClaim, turn bool) error {
	first := map[int64]*laneClaim{} // of two for a lane the first gets it
	for _, c := range calls {
		if c.claimed = false; first[c.id] == nil {
			first[c.id] = c
		}
	}
	return x.s.db.TxBatch(ctx, turn, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		claims := slices.Collect(maps.Values(first))
		list, args := x.s.db.Values(
			db.ColumnOf(claims, func(c *laneClaim) int64 { return c.id }),
			db.ColumnOf(claims, func(c *laneClaim) string { return c.holder }),
			db.ColumnOf(claims, func(c *laneClaim) time.Time { return now.Add(c.lease) }))
		var lanes []Lane
		err = tx.Raw(`
			update lanes set leased_by = v.column2, leased_until = v.column3, queued_until = null
			from (select v.* from `+list+` as v join lanes l on l.webhook_id = v.column1
				where `+leaseFree+` order by l.webhook_id`+x.s.db.ForUpdate("l")+`) as v
			where lanes.webhook_id = v.column1
			returning *`, append(args, now, now.Add(markMax))...).Find(&lanes).Error
		if err != nil {
			return err
		}
		works, err := x.works(tx, now, lanes)
		if err != nil {
			return err
		}
		for id, c := range first {
			c.work, c.claimed = works[id]
		}
		return nil
	})
}

// Renew prolongs a holder's lease; false: it was lost.
func (x *Lanes) Renew(ctx context.Context, id int64, holder string, lease time.Duration) (bool, error) {
	now, err := x.s.Now(ctx)
	if err != nil {
		return false, err
	}
	held := false
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		res := tx.Model(&Lane{}).Where("webhook_id = ? and leased_by = ? and leased_until > ?", id, holder, now).
			Update("leased_until", now.Add(lease))
		held = res.RowsAffected == 1
		return res.Error
	})
	return held, err
}
