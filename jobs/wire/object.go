package wire

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

// object is a JSON object whose members are read one by one and by their
// exact names: decoding into a struct would take "Title" for "title". The
// first fault met stays in fault, and names the member.
type object struct {
	path    string
	members []objectMember
	fault   *error
}

type objectMember struct {
	name []byte
	raw  json.RawMessage
}

var errNoObject = errors.New("must be an object")

func parseObject(raw []byte) (object, error) {
	o := object{fault: new(error)}
	return o, o.parse(raw)
}

var decoders = sync.Pool{New: func() any {
	return jsontext.NewDecoder(bytes.NewReader(nil), jsontext.AllowDuplicateNames(true))
}}

// parse reads the members, whose values are parts of raw.
func (o *object) parse(raw []byte) error {
	d := decoders.Get().(*jsontext.Decoder) //nolint:forcetypeassert // the pool holds nothing else
	defer decoders.Put(d)
	d.Reset(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true))
	value := func() (json.RawMessage, error) {
		v, err := d.ReadValue()
		end := int(d.InputOffset())
		return raw[end-len(v) : end : end], err
	}
	if d.PeekKind() != '{' {
		return errNoObject
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	o.members = make([]objectMember, 0, 12)
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
		o.members = append(o.members, objectMember{name[1 : len(name)-1], member})
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return errNoObject
	}
	return nil
}

// raw is the member's value, nil when it is not there; of several of a name
// the last counts.
func (o object) raw(name string) json.RawMessage {
	for _, m := range slices.Backward(o.members) {
		if string(m.name) == name {
			return m.raw
		}
	}
	return nil
}

// has says whether the member is there and not null.
func (o object) has(name string) bool {
	raw := o.raw(name)
	return raw != nil && !bytes.Equal(raw, []byte("null"))
}

// read fills dst from the member, and leaves dst alone when it is not there.
func (o object) read(name string, dst any) {
	if !o.has(name) {
		return
	}
	raw := o.raw(name)
	if readPlain(raw, dst) {
		return
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		o.fail(name, plainFault(err))
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

// inner is the member as an object; an empty one when it is not there.
func (o object) inner(name string) object {
	in := object{path: o.path + name + ".", fault: o.fault}
	if o.has(name) {
		if err := in.parse(o.raw(name)); err != nil {
			o.fail(name, err)
		}
	}
	return in
}

func (o object) fail(name string, err error) {
	if *o.fault == nil {
		*o.fault = fmt.Errorf("%s%s: %w", o.path, name, err)
	}
}
