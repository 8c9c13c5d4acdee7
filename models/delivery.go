package models

import "time"

// States of a delivery. Held is not among them: pages show it for pending and
// retrying while the webhook cannot send.
const (
	DeliveryPending   = "pending"
	DeliveryRetrying  = "retrying"
	DeliveryDelivered = "delivered"
	DeliveryFailed    = "failed"
	DeliveryDropped   = "dropped"
)

// Delivery is one notification to one webhook.
type Delivery struct {
	ID        int64
	PublicID  string // msg_… or a GUID, as the type has it; equal on every attempt
	WebhookID int64
	Location  string
	// EventTypes are the distinct types of its events, as ",a.b,c.d,".
	EventTypes string
	Items      int // events inside
	State      string
	// DueAt is when the next attempt may start; nil: nothing more to do.
	DueAt *time.Time
	// Resend asks for one attempt by hand, in any state. ScheduledAt is when
	// the schedule continues if it fails; nil: there is no schedule.
	Resend      bool
	ScheduledAt *time.Time
	// Tries counts all attempts; Round those since the schedule last began.
	Tries     int
	Round     int
	CreatedAt time.Time `gorm:"autoCreateTime:false"`
	// LastAt, LastCode, LastError and LastMS repeat the newest attempt.
	LastAt    *time.Time
	LastCode  int    // HTTP status; 0: none came
	LastError string // error class; empty: none
	LastMS    int
	// FinishedAt is when it was delivered, failed or dropped.
	FinishedAt *time.Time
	Reason     string // why it failed or was dropped, in words
	// Body is its body exactly as signed and sent or, with a BodyID, the parts
	// of its own: those in common with other deliveries are in Shared.
	Body   []byte
	Shared []byte `gorm:"-"`
	BodyID *int64
	// EventID is the Event.ID of the only event inside; nil: there are several.
	EventID    *int64
	DispatchID int64
}

// Erased tells a delivery whose body was erased, or that never had one.
func (d Delivery) Erased() bool { return len(d.Body) == 0 && d.BodyID == nil }

// Attempt is one HTTP request of a delivery and its response.
type Attempt struct {
	ID         int64
	DeliveryID int64
	WebhookID  int64
	Number     int // from 1
	Manual     bool
	StartedAt  time.Time
	DurationUS int64
	Code       int    // 0: no answer
	ErrorClass string // empty: an answer came
	Error      string
	// URL as shown: without query. Headers are JSON arrays of [name, value],
	// sensitive values starred.
	URL             string
	RequestHeaders  []byte
	ResponseHeaders []byte
	ResponseBody    []byte
	Truncated       bool // the response was longer than the kept part
	Reconnected     bool // the request was sent a second time, on a new connection
}

// Lane is the queue of one webhook: its worker and its health.
type Lane struct {
	WebhookID int64 `gorm:"primaryKey;autoIncrement:false"`
	// NextDueAt is when there is something to send; nil: nothing, or it may not.
	NextDueAt   *time.Time
	LeasedBy    string
	LeasedUntil *time.Time
	// Slow lanes have a share of their own, so that they do not delay others.
	Slow bool
	// PacedThrough is the highest Delivery.ID of those released together,
	// which go out slowly; 0: none.
	PacedThrough int64
	// FailuresInRow counts failed attempts since the last success.
	FailuresInRow int
	FailingSince  *time.Time
	LastFailureAt *time.Time
	LastSuccessAt *time.Time
	LastAt        *time.Time
	LastCode      int
	LastError     string
}

const (
	failingFailures = 3         // attempts in a row
	failingAfter    = time.Hour // without a success
)

// Failing tells whether the webhook's last three attempts failed and none has
// arrived for an hour. It is not stored: an active webhook is tried on.
func (l Lane) Failing(now time.Time) bool {
	return l.FailuresInRow >= failingFailures && (l.LastSuccessAt == nil || !l.LastSuccessAt.After(now.Add(-failingAfter)))
}
