package models

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// How many requests of a source are kept, and for how long. Those that were not
// verified are kept apart, so that nobody outside can push the others out.
const (
	RequestsMax        = 100
	unverifiedMax      = 20
	requestsRetention  = 7 * 24 * time.Hour
	RequestsWaitingMax = 1000 // of a source, for look-ups
)

// keepMost is how large a group of requests may be that is stored in one
// transaction, where each groupBytes of their bodies count as one more.
const keepMost = 500

func (r *SourceRequest) size() int { return 1 + len(r.Body)/groupBytes }

// Keep stores a request of a source and how the source fares from now on, and
// sets its number and time; with NextAt it waits for look-ups. Requests that
// come at the same time share a transaction. Error: ErrNotFound when the source
// is gone or has moved to another location since, ErrManyWaiting.
func (x *Sources) Keep(ctx context.Context, r *SourceRequest) (err error) {
	defer wrap(&err, "keep request of source %s", r.Source)
	r.ID = 0
	if err := x.requests.Do(ctx, r); err != nil {
		return err
	}
	if r.ID == 0 {
		return ErrNotFound
	}
	return nil
}

// keep stores requests; one whose source is gone or has moved keeps the number 0.
func (x *Sources) keep(ctx context.Context, requests []*SourceRequest, _ bool) error {
	bySource := map[string][]*SourceRequest{}
	for _, r := range requests {
		bySource[r.Source] = append(bySource[r.Source], r)
	}
	names := make([]string, 0, len(bySource))
	for name := range bySource {
		names = append(names, name)
	}
	slices.Sort(names) // so that two instances cannot wait for each other
	return x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		for _, r := range requests {
			r.ID = 0
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		for _, name := range names {
			src, err := sourceLocked(tx, name)
			if errors.Is(err, ErrNotFound) {
				continue
			} else if err != nil {
				return err
			}
			here := slices.DeleteFunc(slices.Clone(bySource[name]), func(r *SourceRequest) bool { return r.Location != "" && r.Location != src.Location })
			if len(here) == 0 {
				continue
			}
			if err := x.keepOf(tx, name, here, now); err != nil {
				return err
			}
		}
		return nil
	})
}

func (x *Sources) keepOf(tx *gorm.DB, name string, requests []*SourceRequest, now time.Time) error {
	if slices.ContainsFunc(requests, func(r *SourceRequest) bool { return r.NextAt != nil }) {
		var waiting int64
		if err := tx.Model(&SourceRequest{}).Where("source = ? and next_at is not null", name).Count(&waiting).Error; err != nil {
			return err
		}
		if waiting+int64(len(requests)) > RequestsWaitingMax {
			return ErrManyWaiting
		}
	}
	for i, r := range requests {
		r.At = now.Add(time.Duration(i) * time.Microsecond)
		r.EventIDs, r.Headers, r.Body = orEmpty(r.EventIDs), orNoBytes(r.Headers), orNoBytes(r.Body)
		if r.NextAt != nil {
			r.NextAt = &now
		}
	}
	if err := tx.CreateInBatches(requests, 100).Error; err != nil {
		return err
	}
	for verified, most := range map[bool]int{true: RequestsMax, false: unverifiedMax} {
		err := tx.Exec(`delete from source_requests where source = ? and verified = ? and next_at is null and id <=
			(select id from source_requests where source = ? and verified = ? order by id desc limit 1 offset ?)`,
			name, verified, name, verified, most).Error
		if err != nil {
			return err
		}
	}
	return x.recordUse(tx, name, requests, false, now)
}

// orNoBytes keeps nil bytes from becoming a null in the database.
func orNoBytes(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// Requests returns the last requests of a source, newest first, without bodies.
func (x *Sources) Requests(ctx context.Context, name string) (_ []SourceRequest, err error) {
	defer wrap(&err, "list requests of source %s", name)
	var rows []SourceRequest
	return rows, x.s.db.WithContext(ctx).Omit("headers", "body").Order("id desc").Limit(RequestsMax).Find(&rows, "source = ?", name).Error
}

// Request returns one request of a source, or ErrNotFound.
func (x *Sources) Request(ctx context.Context, name string, id int64) (_ SourceRequest, err error) {
	defer wrap(&err, "get request %d of source %s", id, name)
	var r SourceRequest
	return r, found(x.s.db.WithContext(ctx).Take(&r, "id = ? and source = ?", id, name))
}

// NewestRequest returns the newest verified request of a source, or ErrNotFound.
func (x *Sources) NewestRequest(ctx context.Context, name string) (_ SourceRequest, err error) {
	defer wrap(&err, "get newest request of source %s", name)
	var r SourceRequest
	return r, found(x.s.db.WithContext(ctx).Order("id desc").Limit(1).Take(&r, "source = ? and verified = ?", name, true))
}

// Waiting claims requests that are due for their look-ups, oldest first; another
// instance does not get them for lease.
func (x *Sources) Waiting(ctx context.Context, limit int, lease time.Duration) (rows []SourceRequest, err error) {
	defer wrap(&err, "claim requests that wait for look-ups")
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		rows = nil
		err = tx.Raw("select * from source_requests where next_at is not null and next_at <= ? order by next_at, id limit ?"+x.s.db.SkipLocked(), now, limit).
			Scan(&rows).Error
		if err != nil || len(rows) == 0 {
			return err
		}
		ids := make([]int64, len(rows))
		for i, r := range rows {
			ids[i] = r.ID
		}
		return tx.Model(&SourceRequest{}).Where(x.s.db.InIDs("id"), db.JSON(ids)).Update("next_at", now.Add(lease)).Error
	})
	return rows, err
}

// Again stores what became of a request that was read again. With NextAt it is
// tried again after that time, by the database's clock. Error: ErrNotFound when
// it is gone.
func (x *Sources) Again(ctx context.Context, r *SourceRequest, in time.Duration) (err error) {
	defer wrap(&err, "keep request %d of source %s", r.ID, r.Source)
	return x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		var older bool // and it did not wait: it was read again by hand
		err = tx.Raw(`select count(*) > 0 from source_requests r where r.id = ? and r.next_at is null and exists
			(select 1 from source_requests n where n.source = r.source and n.verified and n.id > r.id)`, r.ID).Scan(&older).Error
		if err != nil {
			return err
		}
		r.NextAt = nil
		if r.State == RequestWaiting {
			at := now.Add(in)
			r.NextAt = &at
		}
		r.EventIDs = orEmpty(r.EventIDs)
		res := tx.Select("state", "reason", "accepted", "duplicates", "event_ids", "tries", "next_at").Updates(r)
		if res.Error == nil && res.RowsAffected == 0 {
			return ErrNotFound
		}
		if res.Error != nil {
			return res.Error
		}
		return x.recordUse(tx, r.Source, []*SourceRequest{r}, older, now)
	})
}

// pruneSources forgets requests and hours that are too old.
func (s *Store) pruneSources(tx *gorm.DB, now time.Time) error {
	return errors.Join(
		tx.Where("at < ? and next_at is null", now.Add(-requestsRetention)).Delete(&SourceRequest{}).Error,
		tx.Where("hour < ?", now.Add(-hoursRetention)).Delete(&SourceHour{}).Error)
}
