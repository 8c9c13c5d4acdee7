package object

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// List are the elements of a member that is an array, of at most so many; none
// when it is not there.
func (o Object) List(name string, most int) []json.RawMessage {
	var elements []json.RawMessage
	o.Read(name, &elements)
	if len(elements) > most {
		o.Fail(name, fmt.Errorf("has %d elements, more than %d", len(elements), most))
		return nil
	}
	return elements
}

// Element is element i of a list as an object.
func (o Object) Element(list string, i int, raw json.RawMessage) Object {
	in := Object{path: fmt.Sprintf("%s%s[%d].", o.path, list, i), fault: o.fault}
	if err := in.parse(raw); err != nil {
		o.Fail(fmt.Sprintf("%s[%d]", list, i), err)
	}
	return in
}

// Need is a text that must be there.
func (o Object) Need(name string) (text string) {
	o.Read(name, &text)
	if text == "" {
		o.Fail(name, ErrMissing)
	}
	return text
}

// NeedNumber is a whole number of at least 1 that must be there.
func (o Object) NeedNumber(name string) (n int64) {
	if !o.Has(name) {
		o.Fail(name, ErrMissing)
	}
	o.Read(name, &n)
	if n < 1 {
		o.Fail(name, errors.New("must be at least 1"))
	}
	return n
}

// Data is a member that must be an object, compact; nil: it is not there.
func (o Object) Data(name string) json.RawMessage {
	if !o.Has(name) {
		return nil
	}
	o.Inner(name)
	return Compact(o.Raw(name))
}

// ID is a member that is a text or a whole number, as text; empty when it is
// neither.
func (o Object) ID(name string) string {
	var n int64
	var text string
	raw := o.Raw(name)
	switch {
	case raw == nil:
	case json.Unmarshal(raw, &text) == nil && raw[0] == '"':
		return text
	case json.Unmarshal(raw, &n) == nil && o.Has(name):
		return strconv.FormatInt(n, 10)
	}
	return ""
}

// When is a member that is a time as text, or instead when it is not there.
func (o Object) When(name string, instead time.Time) time.Time {
	var text string
	o.Read(name, &text)
	if text == "" {
		return instead
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05 MST"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	o.Fail(name, errors.New("must be a time such as 2026-11-21T01:39:18.123Z"))
	return instead
}
