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
)

// WebhookFailing selects active webhooks whose last attempt failed. It is not
// a state that is stored.
const WebhookFailing = "failing"

// WebhookQuery selects and orders the list of webhooks; empty: any.
type WebhookQuery struct {
	Search   string // in name and what is shown of the URL
	Type     string
	Location string
	State    string // a stored state, or WebhookFailing
	Owner    string // an owner's id; "0": webhooks without one
	Tag      string // asked for by name
	// Activities are the option values that cover an activity, by type; a
	// webhook needs one of its type's. Nil: any activity.
	Activities map[string][]string
	Sort       string // type, team or created
	Desc       bool
	// After and Before come from the page before this one and after it. One
	// that means nothing is the first page.
	After, Before string
	Limit         int
}

// narrows tells whether the query may leave webhooks out.
func (q WebhookQuery) narrows() bool {
	return q.Search+q.Type+q.Location+q.State+q.Owner+q.Tag != "" || q.Activities != nil
}

func (q WebhookQuery) where(db *gorm.DB) *gorm.DB {
	db = db.Model(&Webhook{}).Joins("left join locations on locations.slug = webhooks.location").
		Where("webhooks.deleted_at is null")
	if q.State == WebhookFailing {
		db = db.Where("webhooks.state = ? and webhooks.id in (select webhook_id from lanes where failures_in_row > 0)", WebhookActive)
		q.State = ""
	}
	for _, is := range [][2]string{{"type", q.Type}, {"location", q.Location}, {"state", q.State}} {
		if is[1] != "" {
			db = db.Where("webhooks."+is[0]+" = ?", is[1])
		}
	}
	if q.Owner != "" {
		id, err := strconv.ParseInt(q.Owner, 10, 64)
		if err != nil {
			id = -1 // nobody's
		}
		db = db.Where("webhooks.owner_id = ?", id)
	}
	if q.Tag != "" {
		db = db.Where("webhooks.tag_mode = ? and webhooks.tags like ? escape '!'", TagsSpecific, likeItem(strings.ToLower(q.Tag)))
	}
	if q.Activities != nil {
		text, args := q.activities()
		db = db.Where(text, args...)
	}
	if q.Search != "" {
		like := likeContains(strings.ToLower(q.Search))
		db = db.Where("(lower(webhooks.name) like ? escape '!' or lower(webhooks.url_shown) like ? escape '!')", like, like)
	}
	return db
}

// activities is the condition that one of the values is chosen.
func (q WebhookQuery) activities() (text string, args []any) {
	types := make([]string, 0, len(q.Activities))
	for name := range q.Activities {
		types = append(types, name)
	}
	slices.Sort(types)
	parts := []string{"false"}
	for _, name := range types {
		for _, value := range q.Activities[name] {
			parts = append(parts, "webhooks.type = ? and webhooks.events like ? escape '!'")
			args = append(args, name, likeItem(value))
		}
	}
	return "(" + strings.Join(parts, " or ") + ")", args
}

// likeItem finds a word in a JSON list of words.
func likeItem(word string) string {
	text, err := json.Marshal(word)
	if err != nil {
		return "" // cannot happen: a string
	}
	return likeContains(string(text))
}

// teamKey is what sorting by team compares.
const teamKey = "lower(coalesce(locations.name, webhooks.location))"

func (q WebhookQuery) column() string {
	switch q.Sort {
	case "type":
		return "webhooks.type"
	case "team":
		return teamKey
	default:
		return "webhooks.created_at"
	}
}

// falling tells the direction; what is sorted by nothing is newest first.
func (q WebhookQuery) falling() bool {
	return q.Desc || q.column() == "webhooks.created_at" && q.Sort != "created"
}

func (q WebhookQuery) order(back bool) string {
	if q.falling() != back {
		return q.column() + " desc, webhooks.id desc"
	}
	return q.column() + ", webhooks.id"
}

// edge is a row at the end of a page: what it is sorted by, and its id.
type edge struct {
	Key string `json:"k"`
	ID  int64  `json:"i"`
}

func (q WebhookQuery) edgeOf(row WebhookRow) string {
	e := edge{ID: row.ID}
	switch q.column() {
	case "webhooks.type":
		e.Key = row.Type
	case teamKey:
		e.Key = row.SortKey
	default:
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
	if _, err = time.Parse(time.RFC3339Nano, e.Key); err != nil && q.column() == "webhooks.created_at" {
		return edge{}, false, false
	}
	return e, back, true
}

func (q WebhookQuery) beyond(db *gorm.DB, e edge, back bool) *gorm.DB {
	var key any = e.Key
	if at, err := time.Parse(time.RFC3339Nano, e.Key); err == nil && q.column() == "webhooks.created_at" {
		key = at
	}
	sign := ">"
	if q.falling() != back {
		sign = "<"
	}
	return db.Where("("+q.column()+", webhooks.id) "+sign+" (?, ?)", key, e.ID)
}

// turn puts the rows into the list's order and names the pages beside them.
func (q WebhookQuery) turn(page *WebhookPage, back, more, given bool) {
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
