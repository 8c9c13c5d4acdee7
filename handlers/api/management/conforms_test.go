package management_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
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
	refused("a header of which nothing is said", read.Body, func(a *webtest.Answer) { a.Header.Set("Link", "</api/v1/webhooks?cursor=1>; rel=next") }, "Link")
	refused("an address of nothing new", read.Body, func(a *webtest.Answer) { a.Header.Set("Location", "/api/v1/webhooks/1") }, "Location")
	for _, path := range []string{"/api/v1/odd", "/api/v1" + read.path() + "/odd"} {
		if err := conforms(d.Request("GET", path, http.NoBody), "", read.Answer); err == nil || !strings.Contains(err.Error(), "is not described") {
			t.Errorf("%s: %v", path, err)
		}
	}
	refused("no JSON", read.Body, func(a *webtest.Answer) { a.Header.Set("Content-Type", "text/html") }, "Content-Type")
}

// TestHeadersOfFaults: those that a client goes by are sent, and do looks whether
// they are described.
func TestHeadersOfFaults(t *testing.T) {
	d := newDesk(t)
	header := func(a got, status int, name, value string) {
		t.Helper()
		if a.want(status); a.Header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, a.Header.Get(name), value)
		}
	}
	const text = "text/plain"
	header(d.do("POST", "/webhooks", "x", "Content-Type", text), http.StatusUnsupportedMediaType, "Accept", "application/json")
	header(d.do("POST", "/webhooks", "x", "Content-Type", text), http.StatusUnsupportedMediaType, "Accept-Encoding", "identity")
	d.token = d.newToken(models.ScopeIngest, "")
	header(d.do("POST", "/events", "x", "Content-Type", text), http.StatusUnsupportedMediaType, "Accept", "application/json, application/x-ndjson")
	header(d.do("PUT", "/sources/forum/cursor", "x", "Content-Type", text), http.StatusUnsupportedMediaType, "Accept", "application/json")
	d.do("PUT", "/sources/forum/cursor", `{"holder":"a","lease_seconds":15}`).want(http.StatusOK)
	header(d.do("PUT", "/sources/forum/cursor", `{"holder":"b","lease_seconds":15}`), http.StatusConflict, "Retry-After", "1")
	d.token = "unknown"
	header(d.do("GET", "/webhooks", nil), http.StatusUnauthorized, "WWW-Authenticate", `Bearer realm="sitehooks", error="invalid_token"`)
}
