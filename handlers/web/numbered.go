package web

import (
	"maps"
	"net/url"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/models"
)

// Numbered is one page of a list whose pages have numbers.
type Numbered struct {
	First, Last    int64 // of the rows on this page, from 1; both 0: there is none
	Matched        int64 // rows on all pages
	Previous, Next string
}

// Several tells whether there is more than this page.
func (n Numbered) Several() bool { return n.Previous != "" || n.Next != "" }

// NumberOf is the number of the page that is asked for, 1 unless it is a
// number above.
func NumberOf(v url.Values, name string) int {
	n, err := strconv.Atoi(v.Get(name))
	if err != nil || n < 1 || n > 1_000_000 {
		return 1
	}
	return n
}

// SearchOf is the input of a list's search field.
func SearchOf(v url.Values) string { return Cut(strings.TrimSpace(v.Get("q")), 200) }

// NameQuery asks for page at of a list, counted from 1, with so many rows shown
// on each.
func NameQuery(search string, at, shown int) models.NameQuery {
	return models.NameQuery{Search: search, Offset: (at - 1) * shown, Limit: shown}
}

// NewNumbered describes page at of a list, whose number has that name in the
// URL.
func NewNumbered(path string, v url.Values, name string, at, shown int, matched int64) Numbered {
	n := Numbered{Matched: matched}
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
		return OlderURL(path, rest, 0)
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
