package models

import (
	"context"
	"slices"
	"time"
)

// StateChange is a state that a webhook was in from a time on.
type StateChange struct {
	WebhookID int64
	At        time.Time
	State     string
	Deleted   bool
}

// StateChanges returns the states that webhooks were in since a time, oldest
// first, by webhook: the first is the one it was in then, unless it is younger.
func (x *Webhooks) StateChanges(ctx context.Context, ids []int64, since time.Time) (_ map[int64][]StateChange, err error) {
	defer wrap(&err, "list state changes of webhooks")
	byID := map[int64][]StateChange{}
	for chunk := range slices.Chunk(ids, insertChunk) {
		var rows []StateChange
		// gorm has no union.
		err := x.s.db.WithContext(ctx).Raw(`
			select v.webhook_id, v.at, v.state, v.deleted from webhook_versions v
			join (select webhook_id, max(id) as id from webhook_versions where webhook_id in ? and at < ? group by webhook_id) was
			  on was.id = v.id
			union all
			select webhook_id, at, state, deleted from webhook_versions where webhook_id in ? and at >= ?
			order by at`, chunk, since, chunk, since).Scan(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			byID[row.WebhookID] = append(byID[row.WebhookID], row)
		}
	}
	return byID, nil
}
