// Package object reads JSON objects member by member, and writes JSON as all
// bodies of webhooks are written. Both halves of jobs/wire do it through here.
//
// It is pure, and knows neither events nor types of webhooks.
package object

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// Object is a JSON object whose members are read one by one and by their
// exact names: decoding into a struct would take "Title" for "title". The
// first fault found stays: see Fault.
type Object struct {
	path    string
	members []Member
	fault   *error
}

// Member is one member of an object: its name without quotes and escapes, and
// its value as JSON.
type Member struct {
	Name  []byte
	Value json.RawMessage
}

// The faults of a member that is not there, and of a value that is not an
// object.
var (
	ErrMissing   = errors.New("is missing")
	ErrNotObject = errors.New("must be an object")
)

// Of is an object of these members.
func Of(members ...Member) Object { return Object{fault: new(error), members: members} }

// Parse reads an object, whose values are parts of raw. It fails with
// ErrNotObject on other JSON, and on what is not JSON.
func Parse(raw []byte) (Object, error) {
	o := Object{fault: new(error)}
	return o, o.parse(raw)
}

var decoders = sync.Pool{New: func() any {
	return jsontext.NewDecoder(bytes.NewReader(nil), jsontext.AllowDuplicateNames(true))
}}

func (o *Object) parse(raw []byte) error {
	d := decoders.Get().(*jsontext.Decoder) //nolint:forcetypeassert // the pool holds nothing else
	defer decoders.Put(d)
	d.Reset(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true))
	value := func() (json.RawMessage, error) {
		v, err := d.ReadValue()
		end := int(d.InputOffset())
		return raw[end-len(v) : end : end], err
	}
	if d.PeekKind() != '{' {
		return ErrNotObject
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	o.members = make([]Member, 0, 12)
	for d.PeekKind() != '}' {
		name, err := value()
		if err != nil {
			return err
		}
		if bytes.IndexByte(name, '\\') >= 0 {
			text, _ := jsontext.AppendUnquote(nil, []byte(name)) // valid, so no error
			name = slices.Concat([]byte{'"'}, text, []byte{'"'})
		}
		member, err := value()
		if err != nil {
			return err
		}
		o.members = append(o.members, Member{name[1 : len(name)-1], member})
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return ErrNotObject
	}
	return nil
}

// Raw is the member's value, nil when it is not there; of several of a name
// the last counts.
func (o Object) Raw(name string) json.RawMessage {
	for _, m := range slices.Backward(o.members) {
		if string(m.Name) == name {
			return m.Value
		}
	}
	return nil
}

// Has says whether the member is there and not null.
func (o Object) Has(name string) bool {
	raw := o.Raw(name)
	return raw != nil && !bytes.Equal(raw, []byte("null"))
}

// Read fills dst from the member, and leaves dst alone when it is not there. A
// value of another kind is a fault.
func (o Object) Read(name string, dst any) {
	if !o.Has(name) {
		return
	}
	raw := o.Raw(name)
	if readPlain(raw, dst) {
		return
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		o.Fail(name, plainFault(err))
	}
}

// plainFault says without Go's own words that a value is of another kind than
// it must be.
func plainFault(err error) error {
	var fault *json.UnmarshalTypeError
	if !errors.As(err, &fault) {
		return err
	}
	want := map[reflect.Kind]string{
		reflect.String: "a string", reflect.Int64: "a whole number of at most 64 bits", reflect.Bool: "true or false", reflect.Slice: "an array",
	}[fault.Type.Kind()]
	if want == "" {
		return err
	}
	got := map[string]string{"string": "a string", "bool": "true or false", "object": "an object", "array": "an array", "number": "a number"}
	value, _, _ := strings.Cut(fault.Value, " ") // a number's digits follow
	return fmt.Errorf("must be %s, not %s", want, cmp.Or(got[value], value))
}

// readPlain reads the most common values, a string without escapes or a whole
// number, as json.Unmarshal would; false: it is neither. raw is valid.
func readPlain(raw []byte, dst any) bool {
	switch dst := dst.(type) {
	case *string:
		if raw[0] != '"' || raw[len(raw)-1] != '"' || bytes.IndexByte(raw, '\\') >= 0 {
			return false
		}
		*dst = string(raw[1 : len(raw)-1])
	case *int64:
		n, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil {
			return false
		}
		*dst = n
	case *[]string:
		return readPlainList(raw, dst)
	default:
		return false
	}
	return true
}

// readPlainList reads a list of strings without escapes.
func readPlainList(raw []byte, dst *[]string) bool {
	if raw[0] != '[' || bytes.IndexByte(raw, '\\') >= 0 {
		return false
	}
	list := []string{}
	for rest := raw[1:]; ; {
		rest = bytes.TrimLeft(rest, " \t\r\n,")
		if rest[0] == ']' {
			*dst = list
			return true
		}
		end := bytes.IndexByte(rest[1:], '"')
		if rest[0] != '"' || end < 0 {
			return false
		}
		list = append(list, string(rest[1:end+1]))
		rest = rest[end+2:]
	}
}

// Inner is the member as an object; an empty one when it is not there.
func (o Object) Inner(name string) Object {
	in := Object{path: o.path + name + ".", fault: o.fault}
	if o.Has(name) {
		if err := in.parse(o.Raw(name)); err != nil {
			o.Fail(name, err)
		}
	}
	return in
}

// Fail notes a fault of a member, unless there was one before.
func (o Object) Fail(name string, err error) {
	if *o.fault == nil {
		*o.fault = fmt.Errorf("%s%s: %w", o.path, name, err)
	}
}

// Fault is the first fault found in the object, in those that hold it or in
// those inside it. It names the member by its path; nil: none was found.
func (o Object) Fault() error { return *o.fault }

// Members are the members in the order in which they stand.
func (o Object) Members() []Member { return o.members }
