package models

import (
	"context"
	"strings"
	"time"

	"gorm.io/gorm"
)

// AuditQuery selects entries of the audit log; empty: any.
type AuditQuery struct {
	// Within are the locations whose entries are found. Unless it holds all, other
	// entries are left out but those about site settings.
	Within   LocationSet
	Who      string // a name in full
	Subject  string // kind of the action's target: webhook, member …
	Search   string // words of target or detail
	From, To time.Time
	Before   int64 // AuditEntry.ID below this; 0: from the newest
	Limit    int
}

// Search returns entries, newest first, and where to go on: 0 means that there
// is nothing more. A search by words looks at most at ScanMax entries.
func (a *Audit) Search(ctx context.Context, q AuditQuery) (rows []AuditEntry, next int64, err error) {
	defer wrap(&err, "search the audit log")
	db := a.s.db.WithContext(ctx)
	query := db.Model(&AuditEntry{})
	if q.Before > 0 {
		query = query.Where("id < ?", q.Before)
	}
	floor := int64(0)
	if q.filtered() {
		if floor, err = scanFloor(query, "id"); err != nil {
			return nil, 0, err
		}
		query = query.Where("id >= ?", floor)
	}
	query = auditWithin(query, q.Within)
	if q.Who != "" {
		query = query.Where("by_name = ?", q.Who)
	}
	if q.Subject != "" {
		query = query.Where("action like ? escape '!'", likePrefix(q.Subject+"."))
	}
	if q.Search != "" {
		words := likeContains(strings.ToLower(q.Search))
		query = query.Where("(lower(target) like ? escape '!' or lower(detail) like ? escape '!')", words, words)
	}
	if !q.From.IsZero() {
		query = query.Where("at >= ?", q.From)
	}
	if !q.To.IsZero() {
		query = query.Where("at < ?", q.To)
	}
	if err := query.Order("id desc").Limit(q.Limit + 1).Find(&rows).Error; err != nil {
		return nil, 0, err
	}
	if len(rows) > q.Limit {
		rows = rows[:q.Limit]
		return rows, rows[q.Limit-1].ID, nil
	}
	return rows, floor, nil
}

func (q AuditQuery) filtered() bool {
	return !q.Within.All() || q.Who != "" || q.Subject != "" || q.Search != "" || !q.From.IsZero() || !q.To.IsZero()
}

// auditWithin leaves out entries that concern other locations or, but for site
// settings, the installation.
func auditWithin(db *gorm.DB, within LocationSet) *gorm.DB {
	if within.All() {
		return db
	}
	return db.Where("(location in ? or action like 'setting.%')", within.Slugs())
}

// People returns the names that the newest entries have, to choose from.
func (a *Audit) People(ctx context.Context, within LocationSet) (_ []string, err error) {
	defer wrap(&err, "list names in the audit log")
	var names []string
	db := a.s.db.WithContext(ctx)
	newest := auditWithin(db.Model(&AuditEntry{}), within).Select("by_name").Order("id desc").Limit(ScanMax)
	return names, db.Table("(?) as newest", newest).Distinct("by_name").Order("by_name").Scan(&names).Error
}
