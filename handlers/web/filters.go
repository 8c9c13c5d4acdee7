package web

import (
	"net/url"
	"strconv"

	"github.com/sitehooks/sitehooks/handlers/rules"
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

// Positive is rules.Positive.
func Positive(value string) (int64, bool) { return rules.Positive(value) }

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
	return WithQuery(path, next)
}

// WithQuery is an address with a query, if there is any.
func WithQuery(path string, v url.Values) string {
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}
