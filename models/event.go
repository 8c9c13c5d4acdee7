package models

import "time"

// WebhookBrokenEvent is the type of the event that Sitehooks itself records
// when a webhook breaks; its subject is the webhook's id.
const WebhookBrokenEvent = "webhook.broken"

// NewEvent is an event as the ingest API hands it over: checked, not yet stored.
type NewEvent struct {
	EventID    string    // idempotency key, unique in the installation
	Type       string    // question.created …
	Location   string    // slug
	Community  string    // slug or empty
	Tags       []string  // lower case, without repeats
	OccurredAt time.Time // zero: when it was received
	// MergeKey is equal for events of which only the newest is sent; empty: never merged.
	MergeKey string
	Subject  string // id of the thing: for a Q&A event its own post id
	Title    string // what a person recognises it by, for lists and search
	// Payload is what the site sent, compact JSON.
	Payload []byte
	// Duplicate is set by Record: the event was known already.
	Duplicate bool
}

// Event is one thing that happened on the site, as the site reported it.
type Event struct {
	ID         int64 // order of storing; not the site's id
	EventID    string
	Type       string
	Location   string
	Community  string
	Tags       []string `gorm:"serializer:json"`
	MergeKey   string
	Subject    string
	Title      string
	OccurredAt time.Time
	ReceivedAt time.Time // by the database's clock; within one request in the request's order
	Payload    []byte
	// PayloadBytes is the length of the payload where that was asked for.
	PayloadBytes int `gorm:"-"`
	// DispatchedAt is when it was merged and matched; nil: not yet. This and
	// what follows stand in a row of their own.
	DispatchedAt *time.Time `gorm:"-"`
	// MergedInto is the Event.ID of the newer event that was sent instead.
	MergedInto *int64 `gorm:"-"`
	// MatchVersion is the version of the webhooks it was matched against.
	MatchVersion *int64 `gorm:"-"`
	// Logged is false when trigger history was switched off at its dispatch.
	Logged bool `gorm:"-"`

	acceptedBefore bool // by the release before
}

// Trigger is one event inside one delivery.
type Trigger struct {
	EventID    int64
	WebhookID  int64
	DeliveryID int64
	At         time.Time
}
