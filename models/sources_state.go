package models

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"
)

// SourceSilentEvent is the type of the event that Sitehooks itself records when
// a source is silent for longer than expected; its subject is the source's name.
const SourceSilentEvent = "source.silent"

// strangersQuiet is for how long after a verified request one that is not says
// nothing about the source: anybody can send those.
const strangersQuiet = time.Hour

// recordUse records how a source fares after requests. Whether it fails is told by
// its newest one; with older it is not among these.
func (x *Sources) recordUse(tx *gorm.DB, name string, requests []*SourceRequest, older bool, now time.Time) error {
	var events int64
	var newest *SourceRequest // that says something about the source
	read := false
	for _, r := range requests {
		events += r.Accepted
		read = read || r.Verified && (r.State == RequestAccepted || r.State == RequestIgnored)
		if newest == nil || r.Verified || !newest.Verified {
			newest = r
		}
	}
	var was SourceState
	if err := tx.Limit(1).Find(&was, "source = ?", name).Error; err != nil {
		return err
	}
	is := was
	is.Source = name
	if events > 0 {
		is.LastEventAt, is.SilentSince = &now, nil
	}
	if read {
		is.LastReadAt = &now
	}
	failed := newest.State == RequestRefused || newest.State == RequestWaiting && newest.Reason != "" // its look-up failed
	switch known := was.LastReadAt != nil && now.Sub(*was.LastReadAt) < strangersQuiet; {
	case older, !newest.Verified && known:
	case failed:
		is.Error = newest.Reason
		if was.ErrorAt == nil {
			is.ErrorAt = &now
		}
	case newest.State != RequestWaiting:
		is.Error, is.ErrorAt = "", nil
	}
	if err := tx.Save(&is).Error; err != nil {
		return err
	}
	if events == 0 {
		return nil
	}
	return addSourceHours(tx, []SourceHour{{name, now.UTC().Truncate(time.Hour), events}})
}

func addSourceHours(tx *gorm.DB, rows []SourceHour) error {
	for _, h := range rows {
		err := tx.Exec(`insert into source_hours (source, hour, events) values (?, ?, ?)
			on conflict (source, hour) do update set events = source_hours.events + excluded.events`, h.Source, h.Hour, h.Events).Error
		if err != nil {
			return err
		}
	}
	return nil
}

type sourceHourKey struct {
	source string
	hour   time.Time
}

type sourceTally struct {
	events int64
	lastAt time.Time
}

// Count notes that a token or a follower reported new events. It asks the
// database nothing: Flush stores what was counted.
func (x *Sources) Count(source string, events int) {
	if events == 0 {
		return
	}
	now := x.s.ownClock().UTC().Truncate(time.Microsecond)
	key := sourceHourKey{source, now.Truncate(time.Hour)}
	x.mu.Lock()
	defer x.mu.Unlock()
	t := x.tally[key]
	x.tally[key] = sourceTally{t.events + int64(events), now}
}

// Flush stores what was counted since the last one. Each instance calls it every
// few seconds.
func (x *Sources) Flush(ctx context.Context) (err error) {
	defer wrap(&err, "store the counted events of sources")
	x.mu.Lock()
	tally := x.tally
	x.tally = map[sourceHourKey]sourceTally{}
	x.mu.Unlock()
	if len(tally) == 0 {
		return nil
	}
	err = x.s.db.Tx(ctx, func(tx *gorm.DB) error { return flushSources(tx, tally) })
	if err != nil { // the next one stores them
		x.mu.Lock()
		defer x.mu.Unlock()
		for key, t := range tally {
			now := x.tally[key]
			x.tally[key] = sourceTally{now.events + t.events, later(now.lastAt, t.lastAt)}
		}
	}
	return err
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func flushSources(tx *gorm.DB, tally map[sourceHourKey]sourceTally) error {
	keys := slices.SortedFunc(maps.Keys(tally), func(a, b sourceHourKey) int {
		if c := strings.Compare(a.source, b.source); c != 0 {
			return c
		}
		return a.hour.Compare(b.hour)
	})
	for _, key := range keys {
		t := tally[key]
		err := tx.Exec(`insert into source_states (source, last_event_at) values (?, ?)
			on conflict (source) do update set silent_since = null, last_event_at =
				case when source_states.last_event_at > excluded.last_event_at then source_states.last_event_at else excluded.last_event_at end`,
			key.source, t.lastAt).Error
		if err != nil {
			return err
		}
		if err := addSourceHours(tx, []SourceHour{{key.source, key.hour, t.events}}); err != nil {
			return err
		}
	}
	return nil
}

// Silence marks the sources that reported nothing for longer than expected, and
// records an event about each. One that has reported nothing at all is expected
// to since it was saved. It returns how many they are.
func (x *Sources) Silence(ctx context.Context) (n int, err error) {
	defer wrap(&err, "find silent sources")
	now, err := x.s.Now(ctx)
	if err != nil {
		return 0, err
	}
	var rows []struct {
		Source
		LastEventAt *time.Time
	}
	err = x.s.db.WithContext(ctx).Table("sources").Select("sources.*, s.last_event_at").
		Joins("left join source_states s on s.source = sources.name").
		Where("sources.expect_hours > 0 and s.silent_since is null").Scan(&rows).Error
	if err != nil {
		return 0, err
	}
	for _, row := range rows {
		since := row.UpdatedAt
		if row.LastEventAt != nil {
			since = *row.LastEventAt
		}
		if now.Before(since.Add(time.Duration(row.ExpectHours) * time.Hour)) {
			continue
		}
		err := x.silence(ctx, row.Name, since)
		if errors.Is(err, ErrNotFound) {
			continue // it has reported meanwhile, another instance was quicker, or it is gone
		}
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (x *Sources) silence(ctx context.Context, name string, since time.Time) error {
	return x.s.db.Tx(ctx, func(tx *gorm.DB) error {
		src, err := sourceLocked(tx, name)
		if err != nil {
			return err
		}
		now, err := x.s.db.Now(tx)
		if err != nil {
			return err
		}
		res := tx.Exec(`insert into source_states (source, silent_since) values (?, ?)
			on conflict (source) do update set silent_since = excluded.silent_since
			where source_states.silent_since is null and (source_states.last_event_at is null or source_states.last_event_at <= excluded.silent_since)`,
			name, since)
		if res.Error == nil && res.RowsAffected == 0 {
			return ErrNotFound
		}
		if res.Error != nil {
			return res.Error
		}
		return x.recordSilent(tx, src, since, now)
	})
}

// recordSilent records the event that webhooks of the location can be asked to
// report.
func (x *Sources) recordSilent(tx *gorm.DB, src Source, since, now time.Time) error {
	key := uuid.Must(uuid.NewV7()).String()
	payload, err := json.Marshal(map[string]any{
		"id": key, "type": SourceSilentEvent, "occurred_at": now.Format(time.RFC3339Nano), "location": src.Location, "subject": src.Name,
		"data": map[string]any{"name": src.Name, "kind": src.Kind, "silent_since": since.Format(time.RFC3339), "expect_hours": src.ExpectHours},
	})
	if err != nil {
		return err
	}
	_, err = x.s.recordIn(tx, []NewEvent{{
		EventID: key, Type: SourceSilentEvent, Location: src.Location, Subject: src.Name, Title: src.Name, OccurredAt: now, Payload: payload,
	}}, now)
	return err
}
