package handlers

import (
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/models"
)

// numbered is one page of a list whose pages have numbers.
type numbered struct {
	First, Last    int64 // of the rows on this page, from 1; both 0: there is none
	Matched        int64 // rows on all pages
	Previous, Next string
}

// Several tells whether there is more than this page.
func (n numbered) Several() bool { return n.Previous != "" || n.Next != "" }

// numberOf is the number of the page that is asked for, 1 unless it is a
// number above.
func numberOf(v url.Values, name string) int {
	n, err := strconv.Atoi(v.Get(name))
	if err != nil || n < 1 || n > 1_000_000 {
		return 1
	}
	return n
}

// searchOf is what a list's search field holds.
func searchOf(v url.Values) string { return cut(strings.TrimSpace(v.Get("q")), 200) }

func nameQuery(search string, at, shown int) models.NameQuery {
	return models.NameQuery{Search: search, Offset: (at - 1) * shown, Limit: shown}
}

// newNumbered describes page at of a list, whose number has that name in the
// URL.
func newNumbered(path string, v url.Values, name string, at, shown int, matched int64) numbered {
	n := numbered{Matched: matched}
	first := int64(at-1)*int64(shown) + 1
	if last := min(matched, first+int64(shown)-1); first <= last {
		n.First, n.Last = first, last
	}
	to := func(at int) string {
		rest := maps.Clone(v)
		rest.Set(name, strconv.Itoa(at))
		if at == 1 {
			rest.Del(name)
		}
		return olderURL(path, rest, 0)
	}
	switch {
	case at > 1 && n.First == 0:
		n.Previous = to(1)
	case at > 1:
		n.Previous = to(at - 1)
	}
	if n.Last < matched && n.First > 0 {
		n.Next = to(at + 1)
	}
	return n
}
