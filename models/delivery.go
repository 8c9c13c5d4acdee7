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

// Delivery is one notification to one webhook. Its row is written once; the
// fields from State on follow from its rows in delivery_queue and
// delivery_ends, and from its attempts.
type Delivery struct {
	ID        int64
	PublicID  string // msg_… or a GUID, as the type has it; equal on every attempt
	WebhookID int64
	Location  string
	// EventTypes are the distinct types of its events, as ",a.b,c.d,".
	EventTypes string
	Via        string    // installations that its events came through, as Event.Via
	Items      int       // events inside
	CreatedAt  time.Time `gorm:"autoCreateTime:false"`
	// Body is its body exactly as signed and sent or, with Shared, the parts of
	// its own that belong into Shared in place of each NUL byte there.
	Body []byte
	// Shared is what it has in common with other deliveries, or all but the
	// passage that its event's payload has.
	Shared *Body `gorm:"-"`
	BodyID *int64
	// PayloadAt and PayloadBytes say where in its event's payload the passage is
	// that stands in its body too, and that is not stored twice. The stored body
	// has a NUL byte in its place. No bytes: there is none.
	PayloadAt, PayloadBytes int32
	Passage                 []byte `gorm:"->"`
	// EventID is the Event.ID of the only event inside; nil: there are several.
	EventID    *int64
	DispatchID int64

	// SentBy is the name of the member that sent it by hand; empty: an event
	// triggered it.
	SentBy string `gorm:"-"`

	State string `gorm:"->"`
	// DueAt is when the next attempt may start; nil: nothing more to do.
	DueAt *time.Time `gorm:"->"`
	// Resend asks for one attempt by hand, in any state. ScheduledAt is when
	// the schedule continues if it fails; nil: there is no schedule.
	Resend      bool       `gorm:"->"`
	ScheduledAt *time.Time `gorm:"->"`
	// Tries counts all attempts; Round those since the schedule last began.
	Tries int `gorm:"->"`
	Round int `gorm:"->"`
	// Paced: it was released with many others, which go out slowly.
	Paced bool `gorm:"->"`
	// Subject is a hash of the subject whose deliveries keep their order; 0:
	// they need not.
	Subject int64 `gorm:"->"`
	// LastAt, LastCode, LastError and LastMS repeat the newest attempt.
	LastAt    *time.Time `gorm:"-"`
	LastCode  int        `gorm:"-"` // HTTP status; 0: none came
	LastError string     `gorm:"-"` // error class; empty: none
	LastMS    int        `gorm:"-"`
	// FinishedAt is when it was delivered, failed or dropped.
	FinishedAt *time.Time `gorm:"->"`
	Reason     string     `gorm:"->"` // why it failed or was dropped, in words
}

// queuedDelivery is a delivery that waits to be sent. Its row is deleted when
// that is done.
type queuedDelivery struct {
	DeliveryID int64 `gorm:"primaryKey;autoIncrement:false"`
	WebhookID  int64
	// The fields are those of Delivery.
	DueAt       time.Time
	Round       int
	Tries       int
	Resend      bool
	ScheduledAt *time.Time
	Paced       bool
	Subject     int64
	Bytes       int // of the body
}

// TableName is where those are that wait.
func (queuedDelivery) TableName() string { return "delivery_queue" }

// deliveryEnd says that a delivery failed or was dropped.
type deliveryEnd struct {
	DeliveryID int64 `gorm:"primaryKey;autoIncrement:false"`
	WebhookID  int64
	State      string // DeliveryFailed or DeliveryDropped
	At         time.Time
	Reason     string
}

// SharedBytes are those of Shared; nil: Body is all of it.
func (d Delivery) SharedBytes() []byte {
	if d.Shared == nil {
		return nil
	}
	return d.Shared.Body
}

// Erased tells a delivery whose body was erased, or that never had one.
func (d Delivery) Erased() bool { return len(d.Body) == 0 && d.BodyID == nil }

// Attempt is one HTTP request of a delivery and its response.
type Attempt struct {
	DeliveryID int64     `gorm:"primaryKey;autoIncrement:false"`
	StartedAt  time.Time `gorm:"primaryKey"`
	WebhookID  int64
	Number     int `gorm:"-"` // from 1
	Manual     bool
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
	Arrived         bool // the receiver took it
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
	// Paced: deliveries that were released together wait, which go out slowly.
	Paced bool
	// Released is how many of these a resume released; 0: none wait.
	Released int64
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
