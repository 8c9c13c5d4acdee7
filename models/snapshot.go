package models

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Snapshot is the state of the installation at a moment. Nearly every page
// reads it first, in one query, and passes it on to the queries that follow.
type Snapshot struct {
	Settings Settings
	Now      time.Time // the clock that decides
	// SwitchedAt is when EnableGenericWebhooks was changed last; zero: never.
	SwitchedAt time.Time

	// ClockOff says that the clock of a running instance is off by more than
	// ClockOffMax.
	ClockOff bool

	version  int64      // of all webhooks: every change of one makes a new one
	oldest   *time.Time // when the oldest event that waits for dispatch was received; nil: none does
	troubled bool       // a webhook is stopped or broken
	sources  bool       // a source fails, is silent or is far behind
}

// Snapshot reads the state of the installation.
func (s *Store) Snapshot(ctx context.Context) (_ Snapshot, err error) {
	defer wrap(&err, "read snapshot")
	return s.snapshot(s.db.WithContext(ctx))
}

func (s *Store) snapshot(db *gorm.DB) (Snapshot, error) {
	var row struct {
		Version  int64
		Oldest   *time.Time
		Switched *time.Time
		Troubled bool
		Sources  bool       // one fails or is silent
		CaughtUp *time.Time // of the follower that is furthest behind
		ClockOff *time.Time // when the last instance with a wrong clock said that it is alive
		Settings string
		Now      time.Time
	}
	err := db.Raw(`select m.version, c.at as switched, (`+oldestPending+`) as oldest, exists (select 1 from webhooks where state <> 'active' and deleted_at is null) as troubled,
		exists (select 1 from source_states where error <> '' or silent_since is not null) as sources,
		(select caught_up_at from source_cursors order by caught_up_at limit 1) as caught_up,
		(select seen_at from instances where abs(clock_ahead_ms) > ? order by seen_at desc limit 1) as clock_off,
		coalesce((select string_agg(name || '=' || value, ',') from settings), '') as settings`+s.db.ClockColumn()+`
		from match_versions m
		left join setting_changes c on c.id = (select max(id) from setting_changes where name = ?) where m.id = 1`, "", ClockOffMax.Milliseconds(), EnableGenericWebhooks).Scan(&row).Error
	if err != nil {
		return Snapshot{}, err
	}
	values := defaults()
	for setting := range strings.SplitSeq(row.Settings, ",") {
		name, value, _ := strings.Cut(setting, "=")
		values[name] = value
	}
	at := Snapshot{Settings: settingsOf(values), Now: s.db.ReadClock(row.Now), version: row.Version, oldest: row.Oldest, troubled: row.Troubled}
	at.ClockOff = row.ClockOff != nil && row.ClockOff.After(at.Now.Add(-instanceAlive))
	at.sources = row.Sources || row.CaughtUp != nil && at.Now.Sub(*row.CaughtUp) >= BehindMax
	if row.Switched != nil {
		at.SwitchedAt = *row.Switched
	}
	return at, nil
}
