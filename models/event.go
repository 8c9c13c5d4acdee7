package models

import (
	"cmp"
	"strings"
	"time"
)

// WebhookBrokenEvent is the type of the event that Sitehooks itself records
// when a webhook breaks; its subject is the webhook's id.
const WebhookBrokenEvent = "webhook.broken"

// EventKind is an event type with its family, because two families may have a
// type of the same name: a Q&A site and a feedback forum both report
// comment.created. It is the same type as in jobs/wire, which knows them all.
type EventKind = struct{ Family, Type string }

// NewEvent is an event as the ingest API hands it over: checked, not yet stored.
type NewEvent struct {
	EventID    string    // idempotency key, unique in its location
	Type       string    // question.created …
	Family     string    // see EventKind; empty: the type's first part
	Location   string    // slug
	Community  string    // slug or empty
	Tags       []string  // lower case, without repeats
	OccurredAt time.Time // zero: when it was received
	// MergeKey is equal for events of a source of which only the newest is sent;
	// empty: never merged. Record adds the source.
	MergeKey string
	Subject  string // id of the thing: for a Q&A event its own post id
	Title    string // title for people, for lists and search
	Source   string // name of the source; empty: a token of the ingest API
	Via      string // ids of the installations that it came through, oldest first, with commas between
	// Payload is the site's data, as compact JSON.
	Payload []byte
	// Duplicate is set by Record: the event was known already.
	Duplicate bool
}

// Event is one thing that happened on the site, as the site reported it.
type Event struct {
	ID         int64  // our own number, in the order of storing
	EventID    string // the sender's, unique in its location
	Type       string
	Family     string // see EventKind; empty: the type's first part
	Location   string
	Community  string
	Tags       []string `gorm:"serializer:json"`
	MergeKey   string
	Subject    string
	Title      string
	Source     string // name; empty: a token of the ingest API
	Via        string // ids of the installations that it came through
	OccurredAt time.Time
	ReceivedAt time.Time // by the database's clock; within one request in the request's order
	Payload    []byte
	// PayloadBytes is the length of the payload where that was asked for.
	PayloadBytes int `gorm:"-"`
	// DispatchedAt is when it was merged and matched; nil: not yet. This and
	// the fields below are in a row of their own.
	DispatchedAt *time.Time `gorm:"-"`
	// MergedInto is the Event.ID of the newer event that was sent instead.
	MergedInto *int64 `gorm:"-"`
	// MatchVersion is the version of the webhooks it was matched against.
	MatchVersion *int64 `gorm:"-"`
	// Unfinished says that not all its deliveries are stored yet.
	Unfinished bool `gorm:"-"`
	// Logged is false when trigger history was switched off at its dispatch.
	Logged bool `gorm:"-"`
}

// Kind is the event's type with its family.
func (e Event) Kind() EventKind {
	first, _, _ := strings.Cut(e.Type, ".")
	return EventKind{cmp.Or(e.Family, first), e.Type}
}

// eventKey is how a sender names an event: its id belongs to one location.
type eventKey struct{ location, id string }

func (e Event) key() eventKey { return eventKey{e.Location, e.EventID} }

// compare orders as the index of the keys does.
func (k eventKey) compare(other eventKey) int {
	return cmp.Or(strings.Compare(k.id, other.id), strings.Compare(k.location, other.location))
}

// Trigger is one event inside a delivery with several.
type Trigger struct {
	EventID    int64
	WebhookID  int64
	DeliveryID int64
}
