package models

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"
)

// WebhookFailing selects active webhooks that are failing, as Lane.Failing has
// it. It is not a state that is stored.
const WebhookFailing = "failing"

// WebhookQuery selects and orders the list of webhooks; empty: any.
type WebhookQuery struct {
	Within   LocationSet
	Search   string // in the name and the shown part of the URL
	Type     string
	Location string
	State    string // a stored state, or WebhookFailing
	Owner    string // an owner's id; "0": webhooks without one
	Tag      string // asked for by name
	// Activities are the option values that cover an activity, by type; a
	// webhook needs one of its type's. Nil: any activity.
	Activities map[string][]string
	Sort       string // type, team, created, health or failed
	Desc       bool
	// FailedSince is the time from which the sort failed counts failed attempts.
	FailedSince time.Time
	// After and Before come from the page before this one and after it. One
	// that means nothing is the first page.
	After, Before string
	Limit         int
	// Brief leaves out columns that only a webhook's own page shows.
	Brief bool
	At    Snapshot // zero: it is asked for

	off []string // types that are switched off
}

// narrows tells whether the query may leave out webhooks of its locations.
func (q WebhookQuery) narrows() bool {
	return q.Search+q.Type+q.Location+q.State+q.Owner+q.Tag != "" || q.Activities != nil
}

func (q WebhookQuery) where(db *gorm.DB) *gorm.DB {
	db = q.Within.where(db, "webhooks.location").Model(&Webhook{}).
		Joins("left join locations on locations.slug = webhooks.location").Where("webhooks.deleted_at is null")
	if q.State == WebhookFailing {
		db = db.Where("webhooks.state = ? and webhooks.type not in ? and webhooks.id in (select webhook_id from lanes where failures_in_row > 0 and "+laneFailing+")",
			slices.Concat([]any{WebhookActive, append(q.off, "")}, laneFailingArgs(q.At.Now))...)
		q.State = ""
	}
	if q.State == WebhookStopped || q.State == WebhookBroken {
		db = db.Where("webhooks.state <> 'active'") // the words of the index
	}
	for _, is := range [][2]string{{"type", q.Type}, {"location", q.Location}, {"state", q.State}} {
		if is[1] != "" {
			db = db.Where("webhooks."+is[0]+" = ?", is[1])
		}
	}
	if q.Owner != "" {
		id, err := strconv.ParseInt(q.Owner, 10, 64)
		if err != nil {
			id = -1 // matches no webhook
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
