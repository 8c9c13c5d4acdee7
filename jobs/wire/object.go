package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// object is a JSON object whose members are read one by one and by their
// exact names: decoding into a struct would take "Title" for "title". The
// first fault met stays in fault, and names the member.
type object struct {
	path    string
	members map[string]json.RawMessage
	fault   *error
}

func parseObject(raw []byte) (object, error) {
	o := object{fault: new(error)}
	err := json.Unmarshal(raw, &o.members)
	if err == nil && o.members == nil {
		err = errors.New("not an object")
	}
	return o, err
}

// has says whether the member is there and not null.
func (o object) has(name string) bool {
	raw, ok := o.members[name]
	return ok && !bytes.Equal(raw, []byte("null"))
}

// read fills dst from the member, and leaves dst alone when it is not there.
func (o object) read(name string, dst any) {
	if !o.has(name) {
		return
	}
	raw := o.members[name]
	if readPlain(raw, dst) {
		return
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		o.fail(name, err)
	}
}

// readPlain reads what nearly all members are, a string without escapes or a
// whole number, as json.Unmarshal would; false: it is neither. raw is valid.
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
	default:
		return false
	}
	return true
}

// inner is the member as an object; an empty one when it is not there.
func (o object) inner(name string) object {
	in := object{path: o.path + name + ".", fault: o.fault}
	o.read(name, &in.members)
	return in
}

func (o object) fail(name string, err error) {
	if *o.fault == nil {
		*o.fault = fmt.Errorf("%s%s: %w", o.path, name, err)
	}
}
