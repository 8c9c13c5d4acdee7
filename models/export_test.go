package models

import (
	"context"
	"reflect"

	"gorm.io/gorm"
)

// DB lets tests ask the database itself.
func (s *Store) DB() *gorm.DB { return s.db.WithContext(context.Background()) }

// Handles are what all statements go through: SQLite has one to read and one to
// write, PostgreSQL another one for long transactions.
func (s *Store) Handles() []*gorm.DB {
	handles := []*gorm.DB{s.DB()}
	_ = s.db.TxLong(context.Background(), func(tx *gorm.DB) error {
		handles = append(handles, tx)
		return nil
	})
	return handles
}

// Records are all tables of ours, as gorm sees them.
func Records() []any {
	return []any{
		&User{}, &LoginFailure{}, &Session{}, &Token{}, &Location{}, &Community{}, &Tag{}, &settingRow{},
		&SettingChange{}, &AuditEntry{}, &Webhook{}, &WebhookVersion{}, &Event{}, &pendingEvent{}, &dispatch{}, &dispatchedEvent{}, &Rest{}, &ManualSend{}, &Body{},
		&Delivery{}, &queuedDelivery{}, &deliveryEnd{}, &Attempt{},
		&Trigger{}, &Lane{}, &dispatchRun{}, &WebhookHour{}, &eventHour{}, &locationHour{}, &Instance{}, &installation{}, &versionRow{},
		&Source{}, &SourceState{}, &SourceHour{}, &SourceCursor{}, &SourceRequest{},
	}
}

// AddDeliveries stores deliveries in the states that the rows say, those that
// were delivered with an attempt.
func (s *Store) AddDeliveries(ctx context.Context, rows ...Delivery) error {
	tx := s.db.WithContext(ctx)
	if err := tx.Create(&rows).Error; err != nil {
		return err
	}
	var queue []queuedDelivery
	var ends []deliveryEnd
	var attempts []Attempt
	for _, d := range rows {
		switch d.State {
		case DeliveryPending, DeliveryRetrying:
			q := queuedDelivery{DeliveryID: d.ID, WebhookID: d.WebhookID, DueAt: *d.DueAt}
			if d.State == DeliveryRetrying {
				q.Round = 1
			}
			queue = append(queue, q)
		case DeliveryFailed, DeliveryDropped:
			ends = append(ends, deliveryEnd{DeliveryID: d.ID, WebhookID: d.WebhookID, State: d.State, At: *d.FinishedAt})
		case DeliveryDelivered:
			attempts = append(attempts, Attempt{
				DeliveryID: d.ID, WebhookID: d.WebhookID, StartedAt: *d.FinishedAt, Code: 200, Arrived: true,
				RequestHeaders: []byte("[]"), ResponseHeaders: []byte("[]"), ResponseBody: []byte{},
			})
		}
	}
	for _, list := range []any{&queue, &ends, &attempts} {
		if reflect.ValueOf(list).Elem().Len() == 0 {
			continue
		}
		if err := tx.CreateInBatches(list, 100).Error; err != nil {
			return err
		}
	}
	return nil
}

// Recording counts the calls of Record that wait for their turn.
func (x *Events) Recording() int { return x.records.Waiting() }

// SummedHours is how many hours of locations are added up.
func (s *Store) SummedHours(ctx context.Context) (n int64) {
	s.db.WithContext(ctx).Model(&locationHour{}).Distinct("hour").Count(&n)
	return n
}
