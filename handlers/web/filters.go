package web

import (
	"fmt"
	"net/url"
	"strconv"
)

// FilterChip is a filter that is on, with the address of the page without it.
type FilterChip struct{ Name, Value, Without string }

// Without is the page's address with one filter less, from the newest on.
func Without(path string, v url.Values, name string) string {
	rest := url.Values{}
	for key, value := range v {
		if key != name {
			rest[key] = value
		}
	}
	return OlderURL(path, rest, 0)
}

// ReadNumber stores a number above 0 in into; false: the value is not one, and
// into is unchanged.
func ReadNumber(value string, into *int64) bool {
	n, ok := Positive(value)
	if ok {
		*into = n
	}
	return ok
}

// Positive reads a decimal number of 64 bits; false: the value is not one, or
// below 1.
func Positive(value string) (int64, bool) {
	n, err := strconv.ParseInt(value, 10, 64)
	return n, err == nil && n > 0
}

// FormatID writes a number in decimal, as addresses and forms have it.
func FormatID(id int64) string { return strconv.FormatInt(id, 10) }

// OlderURL is the page's own address with a place to go on from.
func OlderURL(path string, v url.Values, before int64) string {
	next := url.Values{}
	for name := range v {
		if value := v.Get(name); value != "" && name != "before" {
			next.Set(name, value)
		}
	}
	if before > 0 {
		next.Set("before", strconv.FormatInt(before, 10))
	}
	if len(next) == 0 {
		return path
	}
	return path + "?" + next.Encode()
}

// LeftOut says of a value that it was not understood.
func LeftOut(value, what string) string {
	return fmt.Sprintf("“%s” is not a valid %s, so it was ignored.", Cut(value, 60), what)
}
