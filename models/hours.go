package models

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// WebhookHour is how a webhook fared in one hour: its attempts by outcome and
// how long they took. An hour without attempts has no row.
type WebhookHour struct {
	WebhookID int64     `gorm:"primaryKey;autoIncrement:false"`
	Hour      time.Time `gorm:"primaryKey"` // its start, in UTC
	Delivered int64
	Failed    int64
	MSSum     int64 `gorm:"column:ms_sum"` // of all attempts, in milliseconds
	MSMax     int64 `gorm:"column:ms_max"`
}

// Hours returns the hours of webhooks since a time, oldest first, by webhook.
func (x *Webhooks) Hours(ctx context.Context, ids []int64, since time.Time) (_ map[int64][]WebhookHour, err error) {
	defer wrap(&err, "read hours of webhooks")
	byID := map[int64][]WebhookHour{}
	for chunk := range slices.Chunk(ids, insertChunk) {
		var rows []WebhookHour
		err := x.s.db.WithContext(ctx).Order("webhook_id, hour").
			Find(&rows, "webhook_id in ? and hour >= ?", chunk, since.UTC().Truncate(time.Hour)).Error
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			byID[row.WebhookID] = append(byID[row.WebhookID], row)
		}
	}
	return byID, nil
}

// countHours adds attempts to the hours in which they began.
func (s *Store) countHours(tx *gorm.DB, outcomes []Outcome) error {
	type key struct {
		id   int64
		hour time.Time
	}
	hours := map[key]*WebhookHour{}
	for _, o := range outcomes {
		k := key{o.Attempt.WebhookID, o.Attempt.StartedAt.UTC().Truncate(time.Hour)}
		h := hours[k]
		if h == nil {
			h = &WebhookHour{WebhookID: k.id, Hour: k.hour}
			hours[k] = h
		}
		ms := o.Attempt.DurationUS / 1000
		h.MSSum, h.MSMax = h.MSSum+ms, max(h.MSMax, ms)
		if o.Attempt.Arrived {
			h.Delivered++
		} else {
			h.Failed++
		}
	}
	sorted := slices.SortedFunc(maps.Values(hours), func(a, b *WebhookHour) int {
		return cmp.Or(cmp.Compare(a.WebhookID, b.WebhookID), a.Hour.Compare(b.Hour))
	})
	for chunk := range slices.Chunk(sorted, s.db.MaxRows()) {
		if err := s.addHours(tx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) addHours(tx *gorm.DB, hours []*WebhookHour) error {
	list, args := s.db.Values(
		db.ColumnOf(hours, func(h *WebhookHour) int64 { return h.WebhookID }),
		db.ColumnOf(hours, func(h *WebhookHour) time.Time { return h.Hour }),
		db.ColumnOf(hours, func(h *WebhookHour) int64 { return h.Delivered }),
		db.ColumnOf(hours, func(h *WebhookHour) int64 { return h.Failed }),
		db.ColumnOf(hours, func(h *WebhookHour) int64 { return h.MSSum }),
		db.ColumnOf(hours, func(h *WebhookHour) int64 { return h.MSMax }))
	// gorm does not insert from a table of values.
	return tx.Exec(`
		insert into webhook_hours (webhook_id, hour, delivered, failed, ms_sum, ms_max)
		select v.* from `+list+` as v where v.column1 is not null
		on conflict (webhook_id, hour) do update set
			delivered = webhook_hours.delivered + excluded.delivered, failed = webhook_hours.failed + excluded.failed,
			ms_sum = webhook_hours.ms_sum + excluded.ms_sum,
			ms_max = case when excluded.ms_max > webhook_hours.ms_max then excluded.ms_max else webhook_hours.ms_max end`, args...).Error
}
