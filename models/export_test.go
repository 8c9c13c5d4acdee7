package models

import (
	"context"

	"gorm.io/gorm"
)

// DB lets tests ask the database itself.
func (s *Store) DB() *gorm.DB { return s.db.WithContext(context.Background()) }

// Records are all tables of ours, as gorm sees them.
func Records() []any {
	return []any{
		&User{}, &LoginFailure{}, &Session{}, &Token{}, &Location{}, &Community{}, &tagRow{}, &settingRow{},
		&SettingChange{}, &AuditEntry{}, &Webhook{}, &WebhookVersion{}, &Event{}, &pendingEvent{}, &dispatch{}, &dispatchedEvent{}, &Rest{}, &Body{}, &Delivery{}, &Attempt{},
		&Trigger{}, &Lane{}, &dispatchRun{}, &WebhookHour{}, &Instance{}, &installation{}, &versionRow{},
	}
}

// Recording counts the calls of Record that wait for their turn.
func (x *Events) Recording() int { return x.records.Waiting() }
