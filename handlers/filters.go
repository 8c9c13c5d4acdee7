package handlers

import (
	"fmt"
	"net/url"
	"strconv"
)

// filterChip is a filter that is on, with the address of the page without it.
type filterChip struct{ Name, Value, Without string }

// without is the page's address with one filter less, from the newest on.
func without(path string, v url.Values, name string) string {
	rest := url.Values{}
	for key, value := range v {
		if key != name {
			rest[key] = value
		}
	}
	return olderURL(path, rest, 0)
}

func readNumber(value string, into *int64) bool {
	n, ok := positive(value)
	if ok {
		*into = n
	}
	return ok
}

func positive(value string) (int64, bool) {
	n, err := strconv.ParseInt(value, 10, 64)
	return n, err == nil && n > 0
}

func formatID(id int64) string { return strconv.FormatInt(id, 10) }

// olderURL is the page's own address with a place to go on from.
func olderURL(path string, v url.Values, before int64) string {
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

// leftOut says of a value that it was not understood.
func leftOut(value, what string) string {
	return fmt.Sprintf("“%s” is no %s, so it was left out.", cut(value, 60), what)
}
