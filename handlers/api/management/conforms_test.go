package management_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
)

// TestConformsFindsFaults: what every answer of these tests goes through refuses
// one that is otherwise than described.
func TestConformsFindsFaults(t *testing.T) {
	d := newDesk(t)
	read := d.do("GET", d.created(map[string]any{"secret_1": "a secret of this webhook"}).path(), nil).want(http.StatusOK)
	refused := func(what, body string, change func(*webtest.Answer), says string) {
		t.Helper()
		a := *read.Answer
		a.Body, a.Header = body, read.Header.Clone()
		if change != nil {
			change(&a)
		}
		err := conforms(d.Request("GET", "/api/v1"+read.path(), http.NoBody), "", &a)
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", what, err, says)
		}
	}
	with := func(field string, value any) string {
		changed := map[string]any{}
		webtest.OK(t, json.Unmarshal([]byte(read.Body), &changed))
		if changed[field] = value; value == absent {
			delete(changed, field)
		}
		text, err := json.Marshal(changed)
		webtest.OK(t, err)
		return string(text)
	}
	refused("as it came", read.Body, nil, "")
	refused("a secret sent back", with("secret_1", "a secret of this webhook"), nil, "secret_1")
	refused("a time without its zone", with("created_at", "2026-11-21T01:39:18"), nil, "date-time")
	refused("a time as SQL has it", with("created_at", "2026-11-21 01:39:18Z"), nil, "date-time")
	refused("a day that there is not", with("created_at", "2026-02-30T01:39:18Z"), nil, "date-time")
	refused("a time as a number", with("updated_at", 1795224358), nil, "updated_at")
	refused("a time inside", with("secrets", []any{map[string]any{"set_at": "yesterday"}, nil}), nil, "/secrets/0")
	refused("no name", with("name", absent), nil, "name")
	refused("a null that is none", with("name", nil), nil, "name")
	refused("an odd state", with("state", "asleep"), nil, "state")
	refused("a status of no operation", read.Body, func(a *webtest.Answer) { a.Status = http.StatusTeapot }, "status is not supported")
	for _, path := range []string{"/api/v1/odd", "/api/v1" + read.path() + "/odd"} {
		if err := conforms(d.Request("GET", path, http.NoBody), "", read.Answer); err == nil || !strings.Contains(err.Error(), "is not described") {
			t.Errorf("%s: %v", path, err)
		}
	}
	refused("no JSON", read.Body, func(a *webtest.Answer) { a.Header.Set("Content-Type", "text/html") }, "Content-Type")
}
