package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// AuditEntry is one action, with its author and its target.
type AuditEntry struct {
	ID     int64
	At     time.Time
	ByID   int64
	ByName string
	From   string `gorm:"column:from_addr"` // address, of an API also its token; empty: not over the network
	// Location is the one that the action concerns; empty: the installation, or
	// several locations.
	Location string
	Action   string // webhook.created …
	Target   string // in words, with its id
	Detail   string // never a secret, never a URL with its query
}

// Audit is the log of changes.
type Audit struct{ s *Store }

// audit logs an action that concerns the installation or several locations.
func audit(tx *gorm.DB, by Actor, now time.Time, action, target, detail string) error {
	return auditAt(tx, by, now, "", action, target, detail)
}

// auditAt logs an action that concerns one location.
func auditAt(tx *gorm.DB, by Actor, now time.Time, location, action, target, detail string) error {
	if by.Name == "" {
		by.Name = "Sitehooks"
	}
	return tx.Create(&AuditEntry{
		At: now, ByID: by.UserID, ByName: by.Name, From: by.From, Action: action, Target: target, Detail: detail, Location: location,
	}).Error
}

// oneLocation is the location that a change concerns; empty: it moves something
// to another one, which members limited to one of them may not know of.
func oneLocation(from, to string) string {
	if from != to {
		return ""
	}
	return to
}

// Note logs an action that changed no record.
func (a *Audit) Note(ctx context.Context, by Actor, action, target, detail string) (err error) {
	defer wrap(&err, "write to the audit log")
	return a.s.db.Tx(ctx, func(tx *gorm.DB) error {
		now, err := a.s.db.Now(tx)
		if err != nil {
			return err
		}
		return audit(tx, by, now, action, target, detail)
	})
}
