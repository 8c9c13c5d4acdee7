package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
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
func (x *Webhooks) Hours(ctx context.Context, ids []int64, since time.Time) (map[int64][]WebhookHour, error) {
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
func countHours(tx *gorm.DB, id int64, outcomes []Outcome) error {
	hours := map[time.Time]*WebhookHour{}
	for _, o := range outcomes {
		at := o.Attempt.StartedAt.UTC().Truncate(time.Hour)
		h := hours[at]
		if h == nil {
			h = &WebhookHour{WebhookID: id, Hour: at}
			hours[at] = h
		}
		ms := o.Attempt.DurationUS / 1000
		h.MSSum, h.MSMax = h.MSSum+ms, max(h.MSMax, ms)
		if o.Arrived {
			h.Delivered++
		} else {
			h.Failed++
		}
	}
	for _, h := range hours {
		err := tx.Clauses(clause.OnConflict{
			Columns: []clause.Column{{Name: "webhook_id"}, {Name: "hour"}},
			DoUpdates: clause.Assignments(map[string]any{
				"delivered": gorm.Expr("webhook_hours.delivered + excluded.delivered"),
				"failed":    gorm.Expr("webhook_hours.failed + excluded.failed"),
				"ms_sum":    gorm.Expr("webhook_hours.ms_sum + excluded.ms_sum"),
				"ms_max":    gorm.Expr("case when excluded.ms_max > webhook_hours.ms_max then excluded.ms_max else webhook_hours.ms_max end"),
			}),
		}).Create(h).Error
		if err != nil {
			return err
		}
	}
	return nil
}
