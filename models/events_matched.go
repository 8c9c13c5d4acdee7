package models

import (
	"context"

	"gorm.io/gorm"
)

// Values of EventQuery.Matched.
const (
	MatchedSome = "some" // at least one webhook
	MatchedNone = "none"
	// MatchedWaiting are events that wait for dispatch, which matches them.
	MatchedWaiting = "waiting"
)

// MatchedWebhook is a webhook that an event matched.
type MatchedWebhook struct {
	ID      int64
	Name    string
	Deleted bool
	Moved   bool // to a location that may not be seen; it has no name here
}

// Matches are the webhooks that an event matched.
type Matches struct {
	N     int64
	First []MatchedWebhook // at most MatchedNamed, the oldest
}

// MatchedNamed is how many of the webhooks that an event matched are named.
const MatchedNamed = 3

// Matched returns the webhooks that each of these events matched, as the trigger
// history has it, without those it was sent to by hand; one that matched none is
// left out. Webhooks that are outside of the locations now are not named. With a webhook it looks at that one alone; 0: all.
func (x *Events) Matched(ctx context.Context, within LocationSet, ids []int64, webhook int64) (_ map[int64]Matches, err error) {
	defer wrap(&err, "find matched webhooks")
	matched := map[int64]Matches{}
	if len(ids) == 0 {
		return matched, nil
	}
	var rows []struct {
		EventID, N, WebhookID int64
		Name, Location        string
		Deleted               bool
	}
	// gorm has no union.
	which := "event_id in ? and (? = 0 or webhook_id = ?)"
	err = x.s.db.WithContext(ctx).Raw(`
		select r.event_id, r.n, r.webhook_id, coalesce(w.name, '') as name, coalesce(w.location, '') as location, w.deleted_at is not null as deleted
		from (select m.*, count(*) over (partition by event_id) as n, row_number() over (partition by event_id order by webhook_id) as k
			from (select event_id, webhook_id from deliveries d where `+which+` and `+matchedByFilter+`
				union all select event_id, webhook_id from triggers where `+which+`) m) r
		left join webhooks w on w.id = r.webhook_id where r.k <= ? order by r.event_id, r.k`,
		ids, webhook, webhook, ids, webhook, webhook, MatchedNamed).Scan(&rows).Error
	for _, r := range rows {
		m, one := matched[r.EventID], MatchedWebhook{ID: r.WebhookID, Moved: true}
		if within.Has(r.Location) {
			one = MatchedWebhook{ID: r.WebhookID, Name: r.Name, Deleted: r.Deleted}
		}
		m.N, m.First = r.N, append(m.First, one)
		matched[r.EventID] = m
	}
	return matched, err
}

// matchedByFilter is the condition that a delivery d was made because its event
// matched, and that this was logged.
const matchedByFilter = "(select logged from dispatches p where p.id = d.dispatch_id and p.sent_by = '')"

// isPending is the condition that one of the events waits for dispatch.
var isPending = eachHas("pending_events p where p.location = events.location and p.received_at = events.received_at and p.event_id = events.id")

// isMerged is the condition that one of the events was merged into another.
var isMerged = eachHas("dispatched_events x where x.event_id = events.id and x.merged_into is not null")

// eachHas is the condition that a table has a row for each one of a query. It is
// looked up row by row: with exists PostgreSQL may rather read the whole table
// once, however long it is.
func eachHas(rows string) string { return "(select 1 from " + rows + " limit 1) is not null" }

// whereMatched selects events by the webhooks that they matched. Each event is
// looked up by its number.
func (q EventQuery) whereMatched(db *gorm.DB) *gorm.DB {
	if q.Webhook == 0 && q.Matched == "" {
		return db
	}
	if q.Matched == MatchedWaiting {
		return db.Where(isPending)
	}
	one, args := "", []any(nil)
	if q.Webhook != 0 {
		one, args = " and webhook_id = ?", []any{q.Webhook, q.Webhook}
	}
	matched := "(" + eachHas("deliveries d where d.event_id = events.id and "+matchedByFilter+one) +
		" or " + eachHas("triggers where event_id = events.id"+one) + ")"
	if q.Matched != MatchedNone {
		return db.Where(matched, args...)
	}
	if q.Webhook == 0 { // of no delivery tells, so that its dispatch has a row
		return db.Where("coalesce((select x.merged_into is null from dispatched_events x where x.event_id = events.id), false) and not "+matched, args...)
	}
	return db.Where("not ("+isPending+") and not ("+isMerged+") and not "+matched, args...)
}
