// Package read is the reading half of the wire formats: one file a kind of
// source, which ends by registering its Reader. A Reader verifies a request that
// another system sent, and turns it into events of the ingest API.
//
// Like the writing half, jobs/wire, it is pure: no network, no clock, no
// database. It does not know how requests arrive, how look-ups are made or how
// events are stored.
package read

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// MaxEvents is the most events that one request of a source may hold.
const MaxEvents = 1000

// Received is one request that another system made to a source, and the
// source's own settings.
type Received struct {
	Header  http.Header
	Body    []byte
	At      time.Time         // when it was received
	Secrets []string          // the source's, in clear, empty ones left out, secret 1 first
	Fields  map[string]string // values of the kind's own fields, by Field.Key
	// Answers are those to the look-ups that an earlier Read of this request
	// asked for, by path.
	Answers map[string]LookupAnswer
	// Output is what the source's program yielded for the body, of a kind with
	// HasProgram.
	Output []json.RawMessage
}

// LookupAnswer is what the system's instance answered to a look-up without a
// login. The caller repeats a look-up until its answer is final, so a Reader
// sees only answers that are.
type LookupAnswer struct {
	Status int
	Body   []byte
}

// Final says whether the answer tells something about what was asked for. One
// that is not tells only that the instance is busy or broken at the moment.
func (a LookupAnswer) Final() bool {
	return a.Status >= 200 && a.Status < 500 && a.Status != http.StatusRequestTimeout && a.Status != http.StatusTooManyRequests
}

// Result is what a request says.
type Result struct {
	// Events are JSON objects as the ingest API takes them, each with an id
	// that is the same whenever the sender repeats the request. They name no
	// location but where the sender wrote the event itself. They are not
	// checked further: the ingest API's own check does.
	Events []json.RawMessage
	// Ignored says in a sentence why there are no events, or why some things in
	// the request became none; empty: all became events.
	Ignored string
	// Lookups are the paths on the source's instance (Reader.InstanceField)
	// whose answers Read needs; with them there are neither events nor a reason.
	Lookups []string
}

// Reader is one kind of source: the reading half of a format.
type Reader struct {
	// Kind is its name in URLs, the API and the database. A kind that is also a
	// Format has its name, and takes the label, the place in menus and the rules
	// of secrets from it.
	Kind  string
	Label string // for people
	Help  string // what it reads, as a sentence for people
	Order int    // in menus, ascending
	// Fields are those of the source's form that only this kind has.
	Fields []wire.Field
	// InstanceField is the key of the field with the instance's URL; empty: the
	// kind looks nothing up.
	InstanceField string
	// HasProgram says that a jq program turns the body into events. The caller
	// runs it before Read.
	HasProgram bool
	// Success is the status of the answer to a request whose events are stored,
	// for senders that take no other one for a success; 0: 202.
	Success int
	// Secrets are those that the sender may sign with. A source without a secret
	// is verified by the token in its address alone.
	Secrets []wire.SecretField
	// NewSecret makes a signing secret; nil: the sender makes it, or the kind
	// has none.
	NewSecret func() string
	// CheckSecret describes the fault of a typed secret in a sentence for
	// people; nil when the kind has no secret.
	CheckSecret func(string) error
	// Verify says, in a sentence for people, why the request was not signed with
	// one of its secrets, of which it has at least one; nil: it was. What is
	// signed with a time must be received within five minutes of it.
	Verify func(Received) error
	// Read turns the request into events. The error names the field and its
	// fault. Verify has accepted the request before, or a token did.
	Read func(Received) (Result, error)
}

// readers holds the kinds in menu order. It is filled by init functions and
// only read afterwards.
var readers []*Reader

// Register makes a kind of source known. It is called from init
// functions, and panics when the kind is incomplete or its name is taken: both
// are mistakes in the program that no user can mend.
func Register(r Reader) {
	if f, writes := wire.Lookup(r.Kind); writes {
		r.Label, r.Order, r.NewSecret, r.CheckSecret = f.Label, f.Order, f.NewSecret, f.CheckSecret
	}
	if r.Kind == "" || r.Label == "" || r.Help == "" || r.Read == nil {
		panic(fmt.Sprintf("read: kind %q is incomplete", r.Kind))
	}
	if len(r.Secrets) > 0 && (r.CheckSecret == nil || r.Verify == nil) {
		panic(fmt.Sprintf("read: kind %q has secrets but cannot check them", r.Kind))
	}
	if _, taken := ReaderOf(r.Kind); taken {
		panic(fmt.Sprintf("read: kind %q is registered twice", r.Kind))
	}
	readers = append(readers, &r)
	slices.SortStableFunc(readers, func(a, b *Reader) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Kind, b.Kind))
	})
}

// ReaderOf finds a kind of source by its name.
func ReaderOf(kind string) (*Reader, bool) {
	for _, r := range readers {
		if r.Kind == kind {
			return r, true
		}
	}
	return nil, false
}

// Readers are all kinds of sources in menu order.
func Readers() []*Reader { return slices.Clone(readers) }
