package ingest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

// FuzzEvents: no body makes the API panic, store anything beside an error, or
// store an event that the delivery cannot read.
func FuzzEvents(f *testing.F) {
	for _, seed := range []string{
		full, event, "", "{}", "[]", "null", "\xef\xbb\xbf{}", "{", "\"", `{"type":`, "\x00", "\xff",
		`{"events":[` + full + `,` + event + `]}`, full + "\n" + event, "{}\n{}\n",
		`{"type":"comment.created","question":{"question_id":1,"title":"T","link":"http://s"},"comment":{"comment_id":1,"body":""}}`,
		`{"type":"comment.created","data":{"header":"\ud83d\ude00"}}`,
		`{"type":"user.updated","subject":"u","data":{"a":{"b":[1.0,-0,1e5]}}}`,
		`{"type":"contact.changed","subject":"5","changes":["a","b"]}`,
		`{"ty\u0070e":"a.b","\u0069d":"\u0041","data":{"\\":"\\\\","\"":"\\\""}}`,
		`{"type":"a.b","x":"\u0000"}`, `{"type":"a.b","x":"\\u0000"}`, `{"type":"a.b","x":"\ud800"}`,
		`{"events":[[[[]]],{"events":[]}]}`, ` { "events" : [ ] } `, `{"events":[1,"a",true,null,{}]}`,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, lines bool) {
		store := &fakeStore{}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/events", bytes.NewReader(body))
		r.Header.Set("Authorization", "Bearer configured")
		if r.Header.Set("Content-Type", api.TypeJSON); lines {
			r.Header.Set("Content-Type", api.TypeNDJSON)
		}
		w := httptest.NewRecorder()
		answer(newTestEvents(store), w, r)
		if !json.Valid(w.Body.Bytes()) {
			t.Fatalf("answered %q", w.Body)
		}
		if (w.Code == http.StatusAccepted) != (store.calls == 1) || store.calls > 1 {
			t.Fatalf("answered %d and stored %d times", w.Code, store.calls)
		}
		for _, e := range store.events {
			var again bytes.Buffer
			if err := json.Compact(&again, e.Payload); err != nil || !bytes.Equal(again.Bytes(), e.Payload) {
				t.Fatalf("payload %q: %v", e.Payload, err)
			}
			if !utf8.Valid(e.Payload) || len(e.EventID) == 0 || e.Type == "" || e.Location == "" {
				t.Fatalf("stored %+v", e)
			}
			decoded, err := wire.Decode(e.Payload, testNow)
			if err != nil {
				t.Fatalf("payload %s: %v", e.Payload, err)
			}
			if decoded.Type != e.Type || decoded.Location != e.Location || decoded.Community != e.Community {
				t.Fatalf("payload %s read as %+v", e.Payload, decoded)
			}
			if q := decoded.Question; q != nil && (q.Title != e.Title || !slices.Equal(q.Tags, e.Tags)) {
				t.Fatalf("payload %s: title %q, tags %q", e.Payload, e.Title, e.Tags)
			}
		}
	})
}
