package models

import (
	"time"

	"github.com/sitehooks/sitehooks/models/secret"
)

// States of a webhook.
const (
	WebhookActive  = "active"
	WebhookStopped = "stopped" // paused by an administrator
	WebhookBroken  = "broken"  // kept failing, or answered 410; Reason says so in words
)

// Ways to filter on tags.
const (
	TagsAll      = "all"
	TagsSpecific = "specific"
)

// Webhook is one subscription.
type Webhook struct {
	ID        int64
	Type      string
	Name      string
	Location  string   // slug
	Events    []string `gorm:"serializer:json"` // option values of the type, in the type's own words
	TagMode   string   // TagsAll or TagsSpecific
	Tags      []string `gorm:"serializer:json"` // lower case, sorted
	Community string   // slug; empty: any
	// URL is always sealed; URLShown is the part that pages, logs and searches
	// may show: without user information, query and fragment, and for a type
	// whose URL is a secret only host and last four characters.
	URL      secret.Sealed
	URLShown string
	// Secrets are sealed; empty: none. The times say when each was set, and
	// (at most once a minute) when it last signed a request; nil: never.
	Secret1       secret.Sealed `gorm:"column:secret_1"`
	Secret1SetAt  *time.Time    `gorm:"column:secret_1_set_at"`
	Secret1UsedAt *time.Time    `gorm:"column:secret_1_used_at"`
	Secret2       secret.Sealed `gorm:"column:secret_2"`
	Secret2SetAt  *time.Time    `gorm:"column:secret_2_set_at"`
	Secret2UsedAt *time.Time    `gorm:"column:secret_2_used_at"`
	// Headers is a sealed JSON object of custom header names and values.
	Headers secret.Sealed
	// Options are the values of the type's own fields, by key.
	Options map[string]string `gorm:"serializer:json"`

	State       string
	StateReason string     // in words, for people
	StateAt     *time.Time // since when it is in that state; nil: since creation
	StateBy     string     // name of the member that paused or resumed it; empty: Sitehooks itself

	OwnerID   int64
	OwnerName string
	CreatedAt time.Time  `gorm:"autoCreateTime:false"`
	UpdatedAt time.Time  `gorm:"autoUpdateTime:false"`
	UpdatedBy string     // name of the member that saved it last
	DeletedAt *time.Time // kept for the history under its old name
	// Key is the name by which programs find the webhook, unique among those
	// that are not deleted; empty: it has none.
	Key string
	// AfterEvent is the number of the newest event when it was created.
	AfterEvent int64
}

// WebhookVersion is a webhook's filter and state as they stood from Version
// on, so that the history can explain a match or its absence later.
type WebhookVersion struct {
	ID        int64
	WebhookID int64
	Version   int64 // of the match index: every change of any webhook makes a new one
	At        time.Time
	By        string
	Type      string
	Name      string
	Location  string
	Events    []string `gorm:"serializer:json"`
	TagMode   string
	Tags      []string `gorm:"serializer:json"`
	Community string
	State     string
	Reason    string
	Deleted   bool
	Changes   string // by the save that made it, old → new and without secrets; empty: it was no save
}

// SameState tells whether the state of two readings of a webhook was set at the
// same time.
func (w Webhook) SameState(other Webhook) bool {
	a, b := w.StateAt, other.StateAt
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}
