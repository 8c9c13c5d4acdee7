package models

import (
	"context"
	"strings"
)

// Found are the hits of a search for one thing that somebody has in hand.
type Found struct {
	Events     []Event // with this id, or about this question
	Deliveries []DeliveryRow
	Webhooks   []WebhookRow // whose name contains the text
	More       bool         // there are more than the limit of one kind
}

// Hits is how many there are.
func (f Found) Hits() int { return len(f.Events) + len(f.Deliveries) + len(f.Webhooks) }

// Find looks a text up as an event's id, a delivery's id, the number of a
// question or a link to it, and a part of a webhook's name; at most limit of
// each. Of a question it finds the events among the newest ScanMax.
func (s *Store) Find(ctx context.Context, within LocationSet, text string, limit int) (f Found, err error) {
	defer wrap(&err, "find %q", text)
	db := s.db.WithContext(ctx)
	err = within.where(db.Select(eventColumns).Where("event_id = ?", text), "location").Order("id desc").Limit(limit + 1).Find(&f.Events).Error
	if err != nil {
		return f, err
	}
	if len(f.Events) == 0 && questionOf(text) != "" {
		page, err := s.Events.Search(ctx, EventQuery{Within: within, Search: text, Limit: limit + 1})
		if err != nil {
			return f, err
		}
		f.Events = page.Rows
	}
	if f.Deliveries, _, err = s.Deliveries.List(ctx, DeliveryQuery{Within: within, PublicID: text, Limit: limit}); err != nil {
		return f, err
	}
	err = within.where(db.Model(&Webhook{}).Select("webhooks.id, webhooks.name, webhooks.type, webhooks.location, locations.name as location_name"), "webhooks.location").
		Joins("left join locations on locations.slug = webhooks.location").
		Where("webhooks.deleted_at is null and lower(webhooks.name) like ? escape '!'", likeContains(strings.ToLower(text))).
		Order("lower(webhooks.name), webhooks.id").Limit(limit + 1).Find(&f.Webhooks).Error
	f.Events, f.More = f.Events[:min(len(f.Events), limit)], len(f.Events) > limit || len(f.Webhooks) > limit
	f.Webhooks = f.Webhooks[:min(len(f.Webhooks), limit)]
	for i, w := range f.Webhooks { // the one of this very name
		if strings.EqualFold(w.Name, text) {
			f.Webhooks = append([]WebhookRow{w}, append(f.Webhooks[:i:i], f.Webhooks[i+1:]...)...)
			break
		}
	}
	return f, err
}
