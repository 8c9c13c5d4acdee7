package models

import (
	"strconv"
	"time"

	"github.com/sitehooks/sitehooks/models/secret"
)

// KindFollower is the kind of a source that posts to the ingest API and keeps
// its place here; it is registered when it first does so.
const KindFollower = "follower"

// Source is where events come from beside the tokens: another system whose
// webhooks are received at /in/NAME, or a follower.
type Source struct {
	Name     string `gorm:"primaryKey"` // slug; it stays
	Kind     string // of a reader in jobs/wire, or KindFollower
	Location string // slug; its events belong there
	// Fields are the values of the kind's own fields, by key.
	Fields  map[string]string `gorm:"serializer:json"`
	Program string            // of the kind custom
	// Secrets are sealed; empty: none.
	Secret1      secret.Sealed `gorm:"column:secret_1"`
	Secret1SetAt *time.Time    `gorm:"column:secret_1_set_at"`
	Secret2      secret.Sealed `gorm:"column:secret_2"`
	Secret2SetAt *time.Time    `gorm:"column:secret_2_set_at"`
	// Address is the sealed token in the address /in/NAME/TOKEN, which a source
	// without secrets has; empty: none.
	Address      secret.Sealed
	AddressHash  string
	AddressSetAt *time.Time
	// ExpectHours is after how many hours without an event the source counts as
	// silent; 0: never.
	ExpectHours int64
	CreatedAt   time.Time `gorm:"autoCreateTime:false"`
	UpdatedAt   time.Time `gorm:"autoUpdateTime:false"`
	UpdatedBy   string
}

// Follows tells whether a follower reports for the source.
func (s Source) Follows() bool { return s.Kind == KindFollower }

// Signed tells whether the source has a signing secret.
func (s Source) Signed() bool { return s.Secret1 != "" || s.Secret2 != "" }

// RightAddress tells whether a token of an address is the source's.
func (s Source) RightAddress(token string) bool {
	return s.AddressHash != "" && equalHash(s.AddressHash, hashToken(token))
}

func (s *Source) secretSlot(i int) (sealed *secret.Sealed, setAt **time.Time) {
	if i == 0 {
		return &s.Secret1, &s.Secret1SetAt
	}
	return &s.Secret2, &s.Secret2SetAt
}

// SourceState is how a source or a token fares.
type SourceState struct {
	Source      string     `gorm:"primaryKey"` // name, or TokenSource
	LastEventAt *time.Time // nil: none came so far
	LastReadAt  *time.Time // of a request that was verified and read, or ignored
	Error       string     // why its newest request was refused, in words; empty: it was not
	ErrorAt     *time.Time // since when it fails
	SilentSince *time.Time // nil: it is not silent
}

// TokenSource names an ingest token among the states and hours of sources. No
// source has a colon in its name.
func TokenSource(id int64) string { return "token:" + strconv.FormatInt(id, 10) }

// SourceHour is how many events a source or token reported in an hour.
type SourceHour struct {
	Source string    `gorm:"primaryKey"`
	Hour   time.Time `gorm:"primaryKey"` // its start, in UTC
	Events int64
}

// SourceCursor is the place that a follower has reached.
type SourceCursor struct {
	Source        string `gorm:"primaryKey"`
	Place         string // in the follower's own words
	BehindSeconds int64  // as it said at ReportedAt
	Skipped       int64  // events that were refused and passed over, since its beginning
	LastSkipped   string // the newest of them and why, in words
	LeasedBy      string // the follower that works; empty: none
	LeasedUntil   *time.Time
	ReportedAt    time.Time
	CaughtUpAt    time.Time // ReportedAt less BehindSeconds
}

// reportsEvery is how often a follower reports at least; until then it is as far
// behind as it said.
const reportsEvery = time.Minute

// Behind is how far the follower is behind. One that reports no more falls
// behind from then on.
func (c SourceCursor) Behind(now time.Time) time.Duration {
	if now.Sub(c.ReportedAt) <= reportsEvery {
		return time.Duration(c.BehindSeconds) * time.Second
	}
	return now.Sub(c.CaughtUpAt)
}

// States of a request that a source received.
const (
	RequestAccepted = "accepted"
	RequestIgnored  = "ignored" // the kind has no use for it
	RequestRefused  = "refused"
	RequestWaiting  = "waiting" // for look-ups
)

// SourceRequest is one request that a source received.
type SourceRequest struct {
	ID         int64
	Source     string
	At         time.Time
	Verified   bool   // it was signed, or came to the right address
	State      string // RequestAccepted …
	Reason     string // in words, why it was ignored or refused, or the look-up failed
	Accepted   int64  // new events
	Duplicates int64
	EventIDs   []string `gorm:"serializer:json"` // of both, as the sender's ids
	FromAddr   string   // address
	Headers    []byte   // JSON, sensitive values hidden
	Body       []byte   // empty unless it was verified
	Tries      int64    // look-ups so far
	Location   string   `gorm:"-"` // that its source had when it came; Keep reads it, empty: any
	NextAt     *time.Time
}
