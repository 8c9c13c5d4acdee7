package models

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// eventHour is how many events of a location, or of all of them together, were
// received in an hour. Those that still wait for dispatch are not counted yet.
type eventHour struct {
	Hour     time.Time `gorm:"primaryKey"` // its start, in UTC
	Location string    `gorm:"primaryKey"` // empty: all of them
	Events   int64
}

// locationHour is how the webhooks of a location, or of all of them together,
// fared in an hour that is over, as WebhookHour has it.
type locationHour struct {
	Hour      time.Time `gorm:"primaryKey"`
	Location  string    `gorm:"primaryKey"` // empty: all of them
	Delivered int64
	Failed    int64
	MSSum     int64 `gorm:"column:ms_sum"`
	MSMax     int64 `gorm:"column:ms_max"`
}

// SiteHour is how some locations fared together in one hour. An hour in which
// nothing happened has none.
type SiteHour struct {
	WebhookHour       // of all webhooks, without a WebhookID
	Events      int64 // that were received, without those that wait for dispatch
}

// SiteHours returns the hours from one to another, oldest first. Hours that are
// over were added up before, so that it does not read a row for each webhook; and
// each row is found by its hour and location, so that a week of all locations
// costs no more than one of one.
func (s *Store) SiteHours(ctx context.Context, within LocationSet, from, to time.Time) (_ []SiteHour, err error) {
	defer wrap(&err, "read the hours of the site")
	var rows []struct {
		Hour                                    int64 // since 1970
		Events, Delivered, Failed, Summed, Most int64
	}
	locations := within.Slugs()
	if within.All() {
		locations = []string{""}
	}
	var span []time.Time
	from = from.UTC().Truncate(time.Hour)
	for at := from; !at.After(to); at = at.Add(time.Hour) {
		span = append(span, at)
	}
	_, slugs := within.sql("location")
	// gorm has no union. With an upper bound beside one that it does not know,
	// PostgreSQL expects few hours of webhooks, and goes by their index.
	err = s.db.WithContext(ctx).Raw(`
		select `+s.db.EpochHours("hour")+` as hour, cast(sum(events) as bigint) as events, cast(sum(delivered) as bigint) as delivered,
			cast(sum(failed) as bigint) as failed, cast(sum(ms_sum) as bigint) as summed, max(ms_max) as most
		from (
			select hour, events, 0 as delivered, 0 as failed, 0 as ms_sum, 0 as ms_max from event_hours where hour in ? and location in ?
			union all
			select hour, 0, delivered, failed, ms_sum, ms_max from location_hours where hour in ? and location in ?
			union all
			select hour, 0, delivered, failed, ms_sum, ms_max from webhook_hours where hour > `+summedTo+` and hour <= ?
				and `+within.webhooks("webhook_id")+`
		) h group by hour order by hour`,
		append([]any{span, locations, span, locations, from.Add(-time.Hour), to}, slugs...)...).Scan(&rows).Error
	var hours []SiteHour
	for _, r := range rows {
		hour := time.Unix(r.Hour*3600, 0).UTC()
		if hour.Before(from) { // not added up yet; SQLite would look for it from there on
			continue
		}
		hours = append(hours, SiteHour{WebhookHour{
			Hour: hour, Delivered: r.Delivered, Failed: r.Failed, MSSum: r.Summed, MSMax: r.Most,
		}, r.Events})
	}
	return hours, err
}

// summedTo is the last hour that was added up, or the time that it is given.
const summedTo = "coalesce((select max(hour) from location_hours), cast(? as timestamptz))"

// sumHoursAfter is how long an hour must be over before it is added up: an
// attempt is stored well within that time.
const sumHoursAfter = time.Hour

// sumHours adds up the oldest hour that is over and that is not added up yet.
func (s *Store) sumHours(tx *gorm.DB, p *Pruned) error {
	now, err := s.db.Now(tx)
	if err != nil {
		return err
	}
	var next []time.Time
	err = tx.Raw("select hour from webhook_hours where hour > "+summedTo+" and hour < ? order by hour limit 1",
		now.Add(-hoursRetention), now.Add(-sumHoursAfter).Truncate(time.Hour)).Scan(&next).Error
	if err != nil || len(next) == 0 {
		return err
	}
	p.More = true
	return tx.Exec(`
		insert into location_hours (hour, location, delivered, failed, ms_sum, ms_max)
		select h.hour, w.location, sum(h.delivered), sum(h.failed), sum(h.ms_sum), max(h.ms_max)
		from webhook_hours h join webhooks w on w.id = h.webhook_id where h.hour = ? group by h.hour, w.location
		union all
		select hour, '', sum(delivered), sum(failed), sum(ms_sum), max(ms_max) from webhook_hours where hour = ? group by hour
		on conflict do nothing`, next[0], next[0]).Error
}

// countEvents adds dispatched events to the hours in which they were received.
// Dispatch runs on one instance at a time, so that nothing else writes there.
func (s *Store) countEvents(tx *gorm.DB, events []Event) error {
	counted := map[eventHour]int64{}
	for _, e := range events {
		hour := e.ReceivedAt.UTC().Truncate(time.Hour)
		counted[eventHour{Hour: hour, Location: e.Location}]++
		counted[eventHour{Hour: hour}]++
	}
	var hours []eventHour
	for h, n := range counted {
		h.Events = n
		hours = append(hours, h)
	}
	slices.SortFunc(hours, func(a, b eventHour) int { return cmp.Or(a.Hour.Compare(b.Hour), cmp.Compare(a.Location, b.Location)) })
	for chunk := range slices.Chunk(hours, s.db.MaxRows()) {
		list, args := s.db.Values(
			db.ColumnOf(chunk, func(h eventHour) time.Time { return h.Hour }),
			db.ColumnOf(chunk, func(h eventHour) string { return h.Location }),
			db.ColumnOf(chunk, func(h eventHour) int64 { return h.Events }))
		err := tx.Exec(`
			insert into event_hours (hour, location, events) select v.* from `+list+` as v where v.column1 is not null
			on conflict (hour, location) do update set events = event_hours.events + excluded.events`, args...).Error
		if err != nil {
			return err
		}
	}
	return nil
}
