package models

import (
	"context"
	"time"
)

// Scan calls each with the newest events of a location received since, newest
// first and at most limit, until it returns false. It reads only the fields
// that filters use, the merge key and the id: no payload, no title.
func (x *Events) Scan(ctx context.Context, location string, since time.Time, limit int, each func(Event) bool) (err error) {
	defer wrap(&err, "scan events of %s", location)
	rows, err := x.s.db.WithContext(ctx).Model(&Event{}).Select("id, type, family, community, tags, merge_key, received_at").
		Where("location = ? and received_at >= ?", location, since).Order("received_at desc, id desc").Limit(limit).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	known := map[string][]string{} // few lists of tags occur again and again
	for rows.Next() {
		e := Event{Location: location}
		var tags string
		if err := rows.Scan(&e.ID, &e.Type, &e.Family, &e.Community, &tags, &e.MergeKey, &e.ReceivedAt); err != nil {
			return err
		}
		if e.Tags, err = tagList(known, tags); err != nil {
			return err
		}
		if !each(e) {
			return nil
		}
	}
	return rows.Err()
}

// ByIDs returns events with payload, in the order of the ids. One that is gone
// meanwhile is left out.
func (x *Events) ByIDs(ctx context.Context, ids []int64) (_ []Event, err error) {
	defer wrap(&err, "get events")
	if len(ids) == 0 {
		return nil, nil
	}
	var found []Event
	db := x.s.db.WithContext(ctx)
	if err := db.Find(&found, "id in ?", ids).Error; err != nil {
		return nil, err
	}
	if err := x.withDispatches(db, found); err != nil {
		return nil, err
	}
	at := make(map[int64]Event, len(found))
	for _, e := range found {
		at[e.ID] = e
	}
	var rows []Event
	for _, id := range ids {
		if e, ok := at[id]; ok {
			rows = append(rows, e)
		}
	}
	return rows, nil
}

// CountSince counts the events of the locations received since.
func (x *Events) CountSince(ctx context.Context, within LocationSet, since time.Time) (n int64, err error) {
	defer wrap(&err, "count events")
	// By location, because that is how the index finds them.
	return n, within.where(x.s.db.WithContext(ctx), "location").Model(&Event{}).
		Where("location in (select slug from locations) and received_at >= ?", since).Count(&n).Error
}
