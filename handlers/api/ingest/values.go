package ingest

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/handlers/api"
)

const (
	// maxInteger is the largest integer that every receiver can read from JSON
	// exactly.
	maxInteger = 1<<53 - 1
	tomorrow   = 24 * time.Hour
)

// The checks below pass over an absent value, nil, which require is for. They
// take the object and the name of a field apart, since its full name is rarely
// needed.

func (k *checker) fault(object, name, format string, args ...any) {
	if object != "" && name != "" {
		name = object + "." + name
	} else {
		name = object + name
	}
	k.faults.Add(k.index, name, format, args...)
}

func (k *checker) isText(object, name string, v []byte) bool {
	if v != nil && v[0] != '"' {
		k.fault(object, name, "must be a string")
		return false
	}
	return v != nil
}

func (k *checker) isObject(object, name string, v []byte) bool {
	if v != nil && v[0] != '{' {
		k.fault(object, name, "must be an object")
		return false
	}
	return v != nil
}

// text returns a string; an absent or wrong one is empty.
func (k *checker) text(object, name string, v []byte) string {
	if !k.isText(object, name, v) {
		return ""
	}
	return api.Unquote(v)
}

// texts returns the strings of a list of at most so many, or nothing with a
// fault.
func (k *checker) texts(object, name string, v []byte, most int) []string {
	if v[0] != '[' {
		k.fault(object, name, "must be a list of strings")
		return nil
	}
	var all []string
	for element := range api.Elements(v) {
		if len(all) == most {
			k.fault(object, name, "must be at most %d", most)
			return nil
		}
		if element[0] != '"' {
			k.fault(object, api.Item(name, len(all)), "must be a string")
			return nil
		}
		all = append(all, api.Unquote(element))
	}
	return all
}

// name returns a string of 1 to maxName printable characters; an absent or
// wrong one is empty.
func (k *checker) name(field string, v []byte) string {
	if !k.isText("", field, v) {
		return ""
	}
	s := api.Unquote(v)
	if n := utf8.RuneCountInString(s); n == 0 || n > maxName {
		k.fault("", field, "must have 1 to %d characters, not %d", maxName, n)
		return ""
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		k.fault("", field, "must contain only printable characters")
		return ""
	}
	return s
}

// integer returns a whole number from least to most; an absent one is 0.
func (k *checker) integer(object, name string, v []byte, least, most int64) int64 {
	if v == nil {
		return 0
	}
	if v[0] != '-' && (v[0] < '0' || v[0] > '9') || bytes.ContainsAny(v, ".eE") {
		k.fault(object, name, "must be a whole number")
		return 0
	}
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || n < least || n > most {
		k.fault(object, name, "must be from %d to %d", least, most)
		return 0
	}
	return n
}

// millis checks a time in milliseconds since 1970.
func (k *checker) millis(object, name string, v []byte) {
	if v != nil {
		k.integer(object, name, v, 0, k.now.Add(tomorrow).UnixMilli())
	}
}

func (k *checker) link(object string, v []byte) {
	if !k.isText(object, "link", v) {
		return
	}
	if u, err := url.Parse(api.Unquote(v)); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		k.fault(object, "link", "must be a URL that starts with http:// or https://")
	}
}
