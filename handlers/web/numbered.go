package web

import (
	"maps"
	"net/url"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/wording"
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

// NumberedFilter is the query of a page with such lists.
type NumberedFilter struct {
	Search      string `form:"q"`
	Page        Number `form:"page" binding:"omitempty,min=1,max=1000000"` // of the one list there is
	Communities Number `form:"communities" binding:"omitempty,min=1,max=1000000"`
	Tags        Number `form:"tags" binding:"omitempty,min=1,max=1000000"`
}

// NewNumberedFilter reads the query. A number that means nothing is 1, and a
// long search is cut.
func NewNumberedFilter(v url.Values) NumberedFilter {
	var f NumberedFilter
	rules.BindFilters(v, &f)
	f.Search = wording.Cut(f.Search, 200)
	for _, n := range []*Number{&f.Page, &f.Communities, &f.Tags} {
		*n = max(*n, 1)
	}
	return f
}

// NameQuery asks for page at of a list, counted from 1, with so many rows shown
// on each.
func NameQuery(search string, at Number, shown int) models.NameQuery {
	return models.NameQuery{Search: search, Offset: (int(at) - 1) * shown, Limit: shown}
}

// NewNumbered describes page at of a list, whose number has that name in the
// URL.
func NewNumbered(path string, v url.Values, name string, at Number, shown int, matched int64) Numbered {
	n := Numbered{Matched: matched}
	first := int64(at-1)*int64(shown) + 1
	if last := min(matched, first+int64(shown)-1); first <= last {
		n.First, n.Last = first, last
	}
	to := func(at Number) string {
		rest := maps.Clone(v)
		rest.Set(name, FormatID(int64(at)))
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
