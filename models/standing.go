package models

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"
)

// Standing is how things stand at a moment: what nearly every page begins
// with, read in one question and handed on to those that follow.
type Standing struct {
	Settings Settings
	Now      time.Time // the clock that decides
	// SwitchedAt is when EnableGenericWebhooks was changed last; zero: never.
	SwitchedAt time.Time

	version  int64     // of all webhooks: every change of one makes a new one
	nextRun  time.Time // of dispatch
	troubled bool      // a webhook is stopped or broken
}

// Standing asks how things stand.
func (s *Store) Standing(ctx context.Context) (Standing, error) {
	return s.standing(s.db.WithContext(ctx))
}

func (s *Store) standing(db *gorm.DB) (Standing, error) {
	var row struct {
		Version  int64
		NextAt   time.Time
		Switched *time.Time
		Troubled bool
		Settings string
		Now      time.Time
	}
	err := db.Raw(`select m.version, r.next_at, c.at as switched, exists (select 1 from webhooks where state <> 'active' and deleted_at is null) as troubled,
		coalesce((select string_agg(name || '=' || value, ',') from settings), '') as settings`+s.clockColumn()+`
		from match_versions m join dispatch_runs r on r.id = m.id
		left join setting_changes c on c.id = (select max(id) from setting_changes where name = ?) where m.id = 1`, EnableGenericWebhooks).Scan(&row).Error
	if err != nil {
		return Standing{}, err
	}
	values := defaults()
	for setting := range strings.SplitSeq(row.Settings, ",") {
		name, value, _ := strings.Cut(setting, "=")
		values[name] = value
	}
	at := Standing{Settings: settingsOf(values), Now: s.read(row.Now), version: row.Version, nextRun: row.NextAt, troubled: row.Troubled}
	if row.Switched != nil {
		at.SwitchedAt = *row.Switched
	}
	return at, nil
}
