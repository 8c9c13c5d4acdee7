package ingest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestHostileEvents sends each hostile content between two good events: the
// answer names the place, and none of the three is stored.
func TestHostileEvents(t *testing.T) {
	question := func(members string) string {
		return `{"type":"question.created","question":{"question_id":1,"title":"T","link":"http://s/q",` + members + `}}`
	}
	custom := func(data string) string { return `{"type":"lead.scored","data":` + data + `}` }
	for name, c := range map[string]struct {
		event, field string
		status       int
	}{
		"1,000 levels":                  {custom(strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)), "data.a.a", 400},
		"1,000 levels of lists":         {custom(`{"a":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`), "data.a[0][0]", 400},
		"a string of 10 MB":             {custom(`{"a":"` + strings.Repeat("x", 10<<20) + `"}`), "", 413},
		"a string of 300 KB":            {custom(`{"a":"` + strings.Repeat("x", 300<<10) + `"}`), "", 413},
		"2^53 as an id":                 {strings.Replace(question(`"score":1`), `"question_id":1`, `"question_id":9007199254740992`, 1), "question.question_id", 400},
		"2^64 as a score":               {question(`"score":18446744073709551616`), "question.score", 400},
		"a number with a point":         {question(`"score":1.0`), "question.score", 400},
		"duplicate keys":                {question(`"score":1,"score":2`), "question.score", 400},
		"duplicate keys, one escaped":   {question(`"score":1,"s\u0063ore":2`), "question.score", 400},
		"duplicate keys in what passes": {custom(`{"a":{"b":1,"b":2}}`), "data.a.b", 400},
		"51 tags":                       {question(`"tags":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 51), ",") + `]`), "question.tags", 400},
		"100,000 tags":                  {question(`"tags":[` + strings.TrimSuffix(strings.Repeat(`"a",`, 100_000), ",") + `]`), "", 413},
		"NUL":                           {question(`"body":"a\u0000b"`), "question.body", 400},
		"a lone surrogate":              {question(`"tags":["a","\ud800"]`), "question.tags[1]", 400},
		"surrogates the wrong way":      {question(`"body":"\udc00\ud800"`), "question.body", 400},
		"invalid UTF-8":                 {question("\"body\":\"\xff\""), "question.body", 400},
		"a control character":           {question("\"body\":\"a\x01b\""), "question.body", 400},
		"a title of spaces":             {strings.Replace(question(`"score":1`), `"T"`, `" \t "`, 1), "question.title", 400},
		"an id of two lines":            {`{"type":"lead.scored","id":"a\r\nX-Injected: b"}`, "id", 400},
		"a location that is a path":     {`{"type":"lead.scored","location":"../main"}`, "location", 400},
		"a link that is a script":       {strings.Replace(question(`"score":1`), "http://s/q", "javascript:alert(1)", 1), "question.link", 400},
		"year 0":                        {`{"type":"lead.scored","occurred_at":"0000-01-01T00:00:00Z"}`, "occurred_at", 400},
		"year 9999":                     {`{"type":"lead.scored","occurred_at":"9999-12-31T23:59:59Z"}`, "occurred_at", 400},
		"creation in year 9999":         {question(`"creation_date":253402300799999`), "question.creation_date", 400},
	} {
		t.Run(name, func(t *testing.T) {
			store := &fakeStore{}
			url := serve(t, newTestEvents(store))
			good := `{"type":"lead.scored"}`
			r := post(t, url, `{"events":[`+good+`,`+c.event+`,`+good+`]}`)
			if r.status != c.status {
				t.Fatalf("%d %.300s", r.status, r.body)
			}
			p := r.problem(t)
			first := p.Errors[0]
			if !strings.HasPrefix(first.Field, c.field) || c.field != "" && (first.Index == nil || *first.Index != 1) {
				t.Errorf("the fault is at %v %q: %s", first.Index, first.Field, first.Message)
			}
			if store.calls > 0 {
				t.Error("something was stored")
			}
			if len(r.body) > 4096 {
				t.Errorf("the answer has %d bytes", len(r.body))
			}
		})
	}
}

// TestNumbersPassUnchanged: numbers too large for programs are passed on digit
// by digit.
func TestNumbersPassUnchanged(t *testing.T) {
	store := &fakeStore{}
	const data = `{"big":123456789012345678901234567890,"small":1e-400,"zero":-0,"exact":1.10}`
	if r := post(t, serve(t, newTestEvents(store)), fmt.Sprintf(`{"type":"lead.scored","data":%s}`, data)); r.status != http.StatusAccepted {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var stored struct{ Data json.RawMessage }
	if err := json.Unmarshal(store.events[0].Payload, &stored); err != nil || string(stored.Data) != data {
		t.Errorf("kept %s, %v", stored.Data, err)
	}
}
