package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	if err := json.Unmarshal(o.members[name], dst); err != nil {
		o.fail(name, err)
	}
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
