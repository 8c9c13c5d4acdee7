package models

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// teamKey is the sort key for teams.
const teamKey = "lower(coalesce(locations.name, webhooks.location))"

// healthKey is the sort key for health: the worst first, and stopped webhooks
// before healthy ones. The first mark is for the types that are switched off,
// the others are laneFailing's.
const healthKey = `case when webhooks.state = 'broken' then 0
	when webhooks.state <> 'active' or webhooks.type in ? then 3
	when ` + laneFailing + ` then 1
	when lanes.failures_in_row > 0 then 2
	when lanes.last_at is not null then 4 else 5 end`

// failedKey is the sort key for the attempts that failed since a time. It reads
// the hours with failures and no others.
const failedKey = `coalesce((select cast(sum(h.failed) as bigint) from webhook_hours h
	where h.webhook_id = webhooks.id and h.hour >= ? and h.failed > 0), 0)`

// laneFailing is Lane.Failing in SQL, with laneFailingArgs for its marks.
const laneFailing = "lanes.failures_in_row >= ? and (lanes.last_success_at is null or lanes.last_success_at <= ?)"

func laneFailingArgs(now time.Time) []any { return []any{failingFailures, now.Add(-failingAfter)} }

// key is the sort key of the list.
func (q WebhookQuery) key() clause.Expr {
	switch q.Sort {
	case "type":
		return clause.Expr{SQL: "webhooks.type"}
	case "team":
		return clause.Expr{SQL: teamKey}
	case "health":
		return clause.Expr{SQL: healthKey, Vars: slices.Concat([]any{append(q.off, "")}, laneFailingArgs(q.At.Now))}
	case "failed":
		return clause.Expr{SQL: failedKey, Vars: []any{q.FailedSince.UTC().Truncate(time.Hour)}}
	default:
		return clause.Expr{SQL: "webhooks.created_at"}
	}
}

// byTime tells a list in order of creation.
func (q WebhookQuery) byTime() bool {
	return q.Sort != "type" && q.Sort != "team" && q.Sort != "health" && q.Sort != "failed"
}

// falling reports whether the order is descending; without a sort key the
// newest come first.
func (q WebhookQuery) falling() bool {
	return q.Desc || q.byTime() && q.Sort != "created"
}

// briefly are the columns that a row of the list needs. Sealed values are among
// them because they name their key.
const briefly = "webhooks.id, webhooks.type, webhooks.name, webhooks.location, webhooks.url_shown, webhooks.url, webhooks.secret_1, webhooks.secret_2, " +
	"webhooks.headers, webhooks.state, webhooks.state_reason, webhooks.state_at, webhooks.state_by, webhooks.owner_id, webhooks.owner_name, webhooks.created_at"

// sorted adds the columns, and the sort key of the list.
func (q WebhookQuery) sorted(db *gorm.DB, back bool) *gorm.DB {
	key, name := q.key(), "sort_key"
	if q.byTime() {
		key, name = clause.Expr{SQL: "null"}, "webhooks.created_at"
	}
	columns := "webhooks.*"
	if q.Brief {
		columns = briefly
	}
	if q.Sort == "health" {
		db = db.Joins("left join lanes on lanes.webhook_id = webhooks.id")
	}
	db = db.Select(key.SQL+" as sort_key, locations.name as location_name, "+columns, key.Vars...)
	if q.falling() != back {
		return db.Order(name + " desc, webhooks.id desc")
	}
	return db.Order(name + ", webhooks.id")
}

// edge is a row at the end of a page: its sort key and its id.
type edge struct {
	Key string `json:"k"`
	ID  int64  `json:"i"`
}

func (q WebhookQuery) edgeOf(row WebhookRow) string {
	e := edge{ID: row.ID, Key: row.SortKey}
	if q.byTime() {
		e.Key = row.CreatedAt.UTC().Format(time.RFC3339Nano)
	}
	text, err := json.Marshal(e)
	if err != nil {
		return "" // cannot happen: a string and a number
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// from is the row that the page begins beyond; false: none, it is the first page.
func (q WebhookQuery) from() (e edge, back, given bool) {
	text := q.After
	if text == "" {
		text, back = q.Before, true
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if text == "" || err != nil || json.Unmarshal(raw, &e) != nil || e.ID <= 0 ||
		!utf8.ValidString(e.Key) || strings.ContainsRune(e.Key, 0) {
		return edge{}, false, false
	}
	if _, err = q.value(e); err != nil {
		return edge{}, false, false
	}
	return e, back, true
}

// HasPlace tells whether After, if it is given, names a place in the list.
func (q WebhookQuery) HasPlace() bool {
	_, _, given := q.from()
	return given || q.After == ""
}

// value is an edge's key as the database has it.
func (q WebhookQuery) value(e edge) (any, error) {
	switch {
	case q.byTime():
		return time.Parse(time.RFC3339Nano, e.Key)
	case q.Sort == "health", q.Sort == "failed":
		return strconv.ParseInt(e.Key, 10, 64)
	default:
		return e.Key, nil
	}
}

func (q WebhookQuery) beyond(db *gorm.DB, e edge, back bool) *gorm.DB {
	value, err := q.value(e)
	if err != nil {
		return db // cannot happen: from looked at it
	}
	sign, key := ">", q.key()
	if q.falling() != back {
		sign = "<"
	}
	return db.Where("("+key.SQL+", webhooks.id) "+sign+" (?, ?)", append(key.Vars, value, e.ID)...)
}

// arrange puts the rows into the list's order and names the pages beside them.
func (q WebhookQuery) arrange(page *WebhookPage, back, more, given bool) {
	if back {
		slices.Reverse(page.Rows)
	}
	if len(page.Rows) == 0 {
		return
	}
	if back || more {
		page.Next = q.edgeOf(page.Rows[len(page.Rows)-1])
	}
	if given && (!back || more) {
		page.Prev = q.edgeOf(page.Rows[0])
	}
}
