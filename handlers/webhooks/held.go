package webhooks

import (
	"context"
	"time"

	"github.com/sitehooks/sitehooks/handlers/charts"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// webhooksHeld returns when each of some webhooks could not send since a time,
// oldest first: paused, broken, or with its type switched off.
func (s *Pages) webhooksHeld(ctx context.Context, rows []models.WebhookRow, at models.Snapshot, since time.Time) (map[int64][]charts.Span, error) {
	var changed []int64
	for _, w := range rows {
		if w.StateAt != nil && w.StateAt.After(since) {
			changed = append(changed, w.ID)
		}
	}
	states, err := s.Store.Webhooks.StateChanges(ctx, changed, since)
	if err != nil {
		return nil, err
	}
	var history []models.SettingChange
	if at.SwitchedAt.After(since) {
		if history, err = s.Store.Settings.History(ctx, models.EnableGenericWebhooks); err != nil {
			return nil, err
		}
	}
	now := at.Now
	off := charts.OffSpans(history, at.Settings.GenericEnabled, since, now)
	held := map[int64][]charts.Span{}
	for _, w := range rows {
		from := since
		if w.CreatedAt.After(from) {
			from = w.CreatedAt
		}
		spans := charts.StateSpans(w.Webhook, states[w.ID], from, now)
		if web.NeedsFeature(w.Type) {
			spans = append(spans, charts.Within(off, from, now)...)
		}
		held[w.ID] = charts.Join(spans)
	}
	return held, nil
}
