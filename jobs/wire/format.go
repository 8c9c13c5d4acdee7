// Package wire has the format of each type of webhook: one file a type, which
// ends by registering its Format.
//
// It promises that everything in it is pure: no network, no clock, no database.
// The result depends only on the input, apart from ids and secrets from
// crypto/rand. A body that it built is valid JSON in UTF-8, compact, with <, >
// and & written as themselves; built again from the same events it is the same,
// byte for byte.
//
// It does not know how requests are sent or stored, or the webhooks of an
// event.
package wire

import "time"

// Version is the product's version as receivers see it in User-Agent. The app
// sets it once, before anything is sent.
var Version = "dev"

// Field is a form field that only this type has.
type Field struct {
	Key         string
	Label       string
	Help        string
	Pattern     string // regular expression the whole value must match; empty: anything
	PatternHelp string // sentence for people whose value does not
	Required    bool
	Choices     []string // the values there are, the first one the default; empty: free text
	// Multiline says that it may be typed on several lines.
	Multiline bool
	// Check turns the input into the value to store, on one line. The error is
	// a sentence for people about the fault. A nil Check stores the input
	// unchanged.
	Check func(typed string) (kept string, err error)
}

// SecretField is one signing secret of a type. Key is "secret_1" or "secret_2".
type SecretField struct{ Key, Label, Help string }

// Draft has the data that a body may need besides its events.
type Draft struct {
	ID          string // the delivery's
	WebhookName string
	Target      string            // the webhook's URL, which a test notification may name
	Options     map[string]string // values of the type's own fields
}

// Format is one type of webhook: the fields of its form, the building of
// requests, and the meaning of responses.
type Format struct {
	Name  string // in URLs, the API and the database
	Label string // for people
	// NeedsFeature says that Webhooks.EnableGenericWebhooks must be on to
	// create one or to send.
	NeedsFeature bool
	SecretURL    bool // the target URL is a credential
	PingOnSave   bool // a save is refused unless the receiver answers a test
	HTTPSOnly    bool
	// AlwaysSigns says that the vendor signs every request: such a webhook has
	// at least one secret.
	AlwaysSigns bool
	Order       int // in menus, ascending
	Options     []Option
	Custom      *CustomOption // nil: there are no activities but Options
	Fields      []Field
	Secrets     []SecretField
	// OwnHeaders are the header names that this type writes itself and no
	// custom header may take. A name that ends in "-" stands for all that
	// begin so.
	OwnHeaders []string

	// NewSecret makes a signing secret; nil when the type has none.
	NewSecret func() string
	// CheckSecret describes the fault of a typed secret in a sentence for
	// people; nil when the type has no secret.
	CheckSecret func(string) error
	// NewID makes a delivery's id.
	NewID func() string
	// Build writes one body from the front of events and says how many it
	// used, at least one. It fails when the first event is of a type that no
	// option covers, and stops before a later one that is.
	Build func(events []Event, d Draft) (body []byte, used int, err error)
	// Headers are those of one attempt, signature and all.
	Headers func(Request) []Header
	// Samples are a test notification's events: one for each chosen option or,
	// where the type has a test of its own, always that one.
	Samples func(values []string) []Event
	Policy  Policy
}

// Header is one header line of a request or an answer.
type Header struct{ Name, Value string }

// Request has the data from which the headers of one attempt are built.
type Request struct {
	ID         string // the delivery's, equal on every attempt
	Body       []byte
	At         time.Time // of this attempt; signed
	Secrets    []string  // in clear, empty ones left out, secret 1 first
	Retries    int       // attempts made before this one
	EventTypes []string  // internal types of the events inside, without repeats
	Test       bool
	Options    map[string]string
}
