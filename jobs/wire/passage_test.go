package wire

import (
	"strings"
	"testing"
	"time"
)

// A body is the same after it was shortened by its event's payload and put
// together again, whatever the payload looks like.
func TestShorten(t *testing.T) {
	long := strings.Repeat("many words <b>and</b> \u00fc ", 10)
	question := func(body string) string {
		return `{"type":"question.created","question":{"question_id":7,"title":"T","body":` + body + `,"link":"https://s.example/q/7","tags":["go"]}}`
	}
	for _, c := range []struct {
		name, format, payload string
		passage               string // in the payload; empty: none
	}{
		{"data at the end", "stackauth", `{"type":"user.created","subject":"u1","data":{"id":"` + long + `"}}`, `{"id":"` + long + `"}`},
		{"data at the front", "stackauth", `{"data":{"id":"` + long + `"},"type":"user.created"}`, `{"id":"` + long + `"}`},
		{"short data", "stackauth", `{"type":"user.created","data":{"id":"u1"}}`, ""},
		{"no data", "stackauth", `{"type":"user.created","subject":"` + long + `"}`, ""},
		{"a post", "generic", question(`"` + long + `"`), `"` + long + `"`},
		{"a post written otherwise", "generic", question(`"` + strings.ReplaceAll(long, "<", `\u003c`) + `"`), ""},
		{"a post that the body has in part", "slack", question(`"` + strings.Repeat("long ", 2000) + `"`), ""},
	} {
		f, _ := Lookup(c.format)
		e, err := Decode([]byte(c.payload), time.Unix(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		body, _, err := f.Build([]Event{e}, Draft{ID: "one"})
		if err != nil {
			t.Fatal(err)
		}
		short, at, n := e.Shorten(body, []byte(c.payload))
		if got := c.payload[at : at+n]; got != c.passage {
			t.Errorf("%s: the passage is %s", c.name, got)
		}
		if n > 0 && len(short) != len(body)-n+1 || n == 0 && string(short) != string(body) {
			t.Errorf("%s: %d bytes of %d are left, the passage has %d", c.name, len(short), len(body), n)
		}
		if whole := JoinBody(short, []byte(c.payload[at:at+n])); string(whole) != string(body) {
			t.Errorf("%s: put together again it is %s\nnot %s", c.name, whole, body)
		}
	}
}
