package management

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api"
)

// answer is the result of a request.
type answer struct {
	status int
	value  any    // nil: no content
	tag    string // its ETag; empty: none
	at     string // address of what was created; empty: nothing was
}

// Page is a page of a list. Next goes into cursor for the page that follows;
// null: there is none.
type Page[T any] struct {
	Data []T     `json:"data"`
	Next *string `json:"next"`
}

func (a answer) send(w http.ResponseWriter, q *api.Request) error {
	var body []byte
	if a.value != nil {
		body = api.PlainJSON(a.value)
	}
	return q.Send(w, body, func() {
		for name, value := range map[string]string{"ETag": a.tag, "Location": a.at} {
			if value != "" {
				w.Header().Set(name, value)
			}
		}
		if body != nil {
			w.Header().Set("Content-Type", api.TypeJSON)
		}
		w.WriteHeader(a.status)
	})
}

// tagOf is the ETag of something as programs see it.
func tagOf(view any) string {
	sum := sha256.Sum256(api.PlainJSON(view))
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// unchanged refuses a request that is for another version than that with a tag;
// empty: there is nothing yet.
func (c *call) unchanged(tag string) error {
	match, none := tags(c.request.Header.Values("If-Match")), tags(c.request.Header.Values("If-None-Match"))
	switch {
	case len(match) > 0 && !matches(match, tag), len(none) > 0 && matches(none, tag):
		return errChanged
	}
	return nil
}

// seen is the time of the version that a request is for, given that of what was
// read, so that nothing saved in between is changed; empty: it is for any.
func (c *call) seen(updatedAt time.Time) []time.Time {
	if match := tags(c.request.Header.Values("If-Match")); len(match) == 0 || slices.Contains(match, "*") {
		return nil
	}
	return []time.Time{updatedAt}
}

// conditional tells whether a request is for one version only.
func (c *call) conditional() bool {
	return c.request.Header.Get("If-Match") != "" || c.request.Header.Get("If-None-Match") != ""
}

func matches(wanted []string, tag string) bool {
	return tag != "" && (slices.Contains(wanted, "*") || slices.Contains(wanted, tag))
}

// tags are those of a header. Weak ones never match.
func tags(values []string) (list []string) {
	for _, value := range values {
		for one := range strings.SplitSeq(value, ",") {
			list = append(list, strings.TrimSpace(one))
		}
	}
	return list
}
