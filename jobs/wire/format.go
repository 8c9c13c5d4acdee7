// Package wire has the format of each type of webhook: one file a type, which
// ends by registering its Format. What other systems write is read in its package
// read.
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

import (
	"bytes"
	"crypto/sha256"
	"time"
)

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
	Check func(typed string) (stored string, err error)
}

// SecretField is one signing secret of a type. Key is "secret_1" or "secret_2".
type SecretField struct{ Key, Label, Help string }

// Draft has the data of a webhook that its bodies may need besides the events.
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
	// DeriveID makes the id of a delivery from the time of its event and a hash
	// of event and webhook: from the same ones the same id. It is nil for types
	// that may put several events into one body.
	DeriveID func(at time.Time, hash [sha256.Size]byte) string
	// Compose writes one body from the front of events and says how many it
	// used, at least one. It fails when the first event is of a type that no
	// option covers, and stops before a later one that is. The body is the same
	// for every webhook of the type; a NUL byte stands where it has a part that
	// differs between webhooks.
	Compose func(events []Event) (shared []byte, used int, err error)
	// Parts are those that replace the NUL bytes of a body, in their order; nil:
	// bodies of this type have none.
	Parts func(d Draft) [][]byte
	// Headers are those of one attempt, signature and all.
	Headers func(Request) []Header
	// Samples are a test notification's events: one for each chosen option or,
	// where the type has a test of its own, always that one.
	Samples func(values []string) []Event
	// OwnTest says that the vendor has a test of its own, which looks like no
	// event. A test can be sent of a chosen event too: see Option.Sample.
	OwnTest bool
	// URLHelp says where people get the target URL from, in sentences; empty:
	// the receiver's own documents do.
	URLHelp string
	Policy  Policy
}

// Build writes one whole body. See Compose.
func (f *Format) Build(events []Event, d Draft) (body []byte, used int, err error) {
	shared, used, err := f.Compose(events)
	if err != nil {
		return nil, 0, err
	}
	return JoinBody(shared, f.OwnParts(shared, d)), used, nil
}

// OwnParts are the parts of a body that Compose left out for a webhook, with a
// NUL byte between them; nil: it left out none.
func (f *Format) OwnParts(shared []byte, d Draft) []byte {
	if f.Parts == nil || bytes.IndexByte(shared, 0) < 0 {
		return nil
	}
	return bytes.Join(f.Parts(d), []byte{0})
}

// JoinBody puts a body together from the bytes that webhooks share and the
// parts of one webhook; nil shared: own is the whole body.
func JoinBody(shared, own []byte) []byte {
	if shared == nil {
		return own
	}
	if bytes.IndexByte(shared, 0) < 0 {
		return shared
	}
	segments, parts := bytes.Split(shared, []byte{0}), bytes.Split(own, []byte{0})
	body := make([]byte, 0, len(shared)+len(own))
	for i, segment := range segments {
		body = append(body, segment...)
		if i < len(segments)-1 && i < len(parts) {
			body = append(body, parts[i]...)
		}
	}
	return body
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
	// Via are the ids of the installations that it came through, this one last.
	Via string
}
