package inbound_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/inbound"
	"github.com/sitehooks/sitehooks/handlers/api/ingest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// followersAPI is a server with the two APIs that followers use.
type followersAPI struct {
	t     *testing.T
	store *models.Store
	clock *modelstest.Clock
	url   string
	all   string // a token for all locations
}

func onBothFollowers(t *testing.T, test func(t *testing.T, a *followersAPI)) {
	t.Helper()
	modelstest.Each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		a := &followersAPI{t: t, store: s, clock: clock}
		log := slog.New(slog.DiscardHandler)
		access := api.NewAccess(api.AccessDeps{Tokens: a.store.Tokens, Log: log})
		cursors := inbound.NewCursors(inbound.CursorDeps{Sources: a.store.Sources, Access: access})
		events := ingest.New(ingest.Deps{Events: a.store.Events, Sources: a.store.Sources, Access: access, Log: log})
		r := gin.New()
		r.GET("/api/v1/sources/:name/cursor", cursors.Get)
		r.PUT("/api/v1/sources/:name/cursor", cursors.Put)
		r.POST("/api/v1/events", events.Post)
		server := httptest.NewServer(r)
		t.Cleanup(server.Close)
		a.url = server.URL
		a.all = a.token("", models.ScopeIngest)
		test(t, a)
	})
}

func (a *followersAPI) token(location, scope string) string {
	a.t.Helper()
	plain, err := a.store.Tokens.Create(a.t.Context(), models.Token{Name: "follower of " + location, Scope: scope, Location: location})
	ok(a.t, err)
	return plain
}

// do sends a request and decodes the answer.
func (a *followersAPI) do(token, method, path, body string, header ...string) (status int, answer map[string]any) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, strings.NewReader(body))
	ok(a.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	ok(a.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ok(a.t, err)
	if err := json.Unmarshal(text, &answer); err != nil {
		a.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	return resp.StatusCode, answer
}

func (a *followersAPI) put(body string) (int, map[string]any) {
	a.t.Helper()
	return a.do(a.all, http.MethodPut, "/api/v1/sources/forum/cursor", body)
}

// TestCursorIsKept: the first follower registers the source, its place comes
// back as it was, and another one stands by until the lease ends.
func TestCursorIsKept(t *testing.T) {
	onBothFollowers(t, func(t *testing.T, a *followersAPI) {
		if status, _ := a.do(a.all, http.MethodGet, "/api/v1/sources/forum/cursor", ""); status != http.StatusNotFound {
			t.Errorf("before: %d", status)
		}
		status, c := a.put(`{"holder":"a","lease_seconds":15}`)
		if status != http.StatusOK || c["place"] != nil || c["holder"] != "a" || c["name"] != "forum" {
			t.Errorf("acquired: %d %v", status, c)
		}
		status, c = a.put(`{"holder":"a","lease_seconds":15,"place":{"row":10010000000000012,"x":[1.50]},"behind_seconds":7,"skipped":2,"last_skipped":"q1: bad\nline","error":"away"}`)
		if status != http.StatusOK || c["behind_seconds"] != 7.0 || c["skipped"] != 2.0 || c["last_skipped"] != "q1: bad line" {
			t.Errorf("reported: %d %v", status, c)
		}
		cursor, src, err := a.store.Sources.Cursor(t.Context(), "forum")
		ok(t, err)
		if cursor.Place != `{"row":10010000000000012,"x":[1.50]}` || src.Kind != models.KindFollower || src.Location != "main" {
			t.Errorf("stored %+v of %+v", cursor, src)
		}
		if row, err := a.store.Sources.Row(t.Context(), "forum"); err != nil || row.State.Error != "away" {
			t.Errorf("%+v, %v", row.State, err)
		}
		status, c = a.put(`{"holder":"b","lease_seconds":15}`)
		fault := c["errors"].([]any)[0].(map[string]any)
		if status != http.StatusConflict || fault["field"] != "holder" || !strings.HasPrefix(fault["message"].(string), "a has the lease until ") {
			t.Errorf("a second follower: %d %v", status, c)
		}
		a.clock.Add(16 * time.Second)
		status, c = a.put(`{"holder":"b","lease_seconds":15}`)
		if status != http.StatusOK || c["place"] == nil || c["holder"] != "b" {
			t.Errorf("after its lease: %d %v", status, c)
		}
		if status, _ = a.put(`{"holder":"a","lease_seconds":15,"place":{}}`); status != http.StatusConflict {
			t.Errorf("the first follower comes too late: %d", status)
		}
		status, c = a.put(`{"holder":"b","lease_seconds":0}`)
		if status != http.StatusOK || c["holder"] != nil || c["leased_until"] != nil {
			t.Errorf("given back: %d %v", status, c)
		}
		if status, c = a.put(`{"name":"forum","leased_until":null,"holder":"b","lease_seconds":0}`); status != http.StatusOK {
			t.Errorf("what was read is sent back: %d %v", status, c)
		}
		status, c = a.do(a.all, http.MethodGet, "/api/v1/sources/forum/cursor", "")
		if status != http.StatusOK || c["place"].(map[string]any)["row"] != 10010000000000012.0 {
			t.Errorf("read: %d %v", status, c)
		}
	})
}

// TestCursorOfAnotherLocation: a bound token reaches no source of another one.
func TestCursorOfAnotherLocation(t *testing.T) {
	onBothFollowers(t, func(t *testing.T, a *followersAPI) {
		ok(t, a.store.Locations.Ensure(t.Context(), "team", "Team"))
		bound := a.token("team", models.ScopeIngest)
		status, c := a.do(bound, http.MethodPut, "/api/v1/sources/theirs/cursor", `{"holder":"a","lease_seconds":15}`)
		if status != http.StatusOK {
			t.Errorf("%d %v", status, c)
		}
		if _, src, err := a.store.Sources.Cursor(t.Context(), "theirs"); err != nil || src.Location != "team" {
			t.Errorf("%+v, %v", src, err)
		}
		if status, c := a.put(`{"holder":"a","lease_seconds":15}`); status != http.StatusOK {
			t.Errorf("%d %v", status, c)
		}
		for what, got := range map[string]int{
			"naming another location": first(a.do(bound, http.MethodPut, "/api/v1/sources/new-one/cursor", `{"holder":"a","lease_seconds":15,"location":"main"}`)),
			"a source of another":     first(a.do(bound, http.MethodPut, "/api/v1/sources/forum/cursor", `{"holder":"a","lease_seconds":15}`)),
			"another location":        first(a.put(`{"holder":"a","lease_seconds":15,"location":"team"}`)),
			"an unknown location":     first(a.do(a.all, http.MethodPut, "/api/v1/sources/new-one/cursor", `{"holder":"a","lease_seconds":15,"location":"nowhere"}`)),
			"the scope superoffice":   first(a.do(a.token("", models.ScopeSuperOffice), http.MethodGet, "/api/v1/sources/forum/cursor", "")),
		} {
			if got != http.StatusForbidden {
				t.Errorf("%s: %d", what, got)
			}
		}
		_, c = a.do(a.all, http.MethodPut, "/api/v1/sources/new-one/cursor", `{"holder":"a","lease_seconds":15,"location":"nowhere"}`)
		if says := fmt.Sprint(c["detail"]); !strings.Contains(says, "There is no location nowhere yet") || !strings.Contains(says, "Add the location on the page Locations") {
			t.Errorf("an unknown location: %v", c)
		}
		if status, _ := a.do(bound, http.MethodGet, "/api/v1/sources/forum/cursor", ""); status != http.StatusNotFound {
			t.Errorf("reading another's: %d", status)
		}
		if status, _ := a.do("shk_wrong", http.MethodGet, "/api/v1/sources/forum/cursor", ""); status != http.StatusUnauthorized {
			t.Errorf("a wrong token: %d", status)
		}
	})
}

func first(status int, _ map[string]any) int { return status }

// TestCursorFaults name the field, and nothing is stored.
func TestCursorFaults(t *testing.T) {
	onBothFollowers(t, func(t *testing.T, a *followersAPI) {
		for body, field := range map[string]string{
			`[]`:                                                    "",
			`{"holder":"a"}`:                                        "lease_seconds",
			`{"lease_seconds":15}`:                                  "holder",
			`{"holder":" ","lease_seconds":15}`:                     "holder",
			`{"holder":7,"lease_seconds":15}`:                       "holder",
			`{"holder":"a","lease_seconds":301}`:                    "lease_seconds",
			`{"holder":"a","lease_seconds":-1}`:                     "lease_seconds",
			`{"holder":"a","lease_seconds":1.5}`:                    "lease_seconds",
			`{"holder":"a","holder":"b"}`:                           "holder",
			`{"holder":"a","lease_seconds":1,"location":"Main"}`:    "location",
			`{"holder":"a","lease_seconds":1,"skipped":-1}`:         "skipped",
			`{"holder":"a","lease_seconds":1,"behind_seconds":"7"}`: "behind_seconds",
			`{"holder":"a","lease_seconds":1,"behind":7}`:           "behind",
			`{"holder":"a","lease_seconds":1,"Place":{}}`:           "Place",
			`{"holder":"a","lease_seconds":1,"place":"` + strings.Repeat("x", 512<<10) + `"}`: "place",
		} {
			status, c := a.put(body)
			if status != http.StatusBadRequest || c["errors"].([]any)[0].(map[string]any)["field"] != field {
				t.Errorf("%.60s: %d %v", body, status, c)
			}
		}
		if status, _ := a.do(a.all, http.MethodPut, "/api/v1/sources/new/cursor", `{"holder":"a","lease_seconds":1}`); status != http.StatusBadRequest {
			t.Errorf("the name new: %d", status)
		}
		if rows, err := a.store.Sources.List(t.Context(), models.AllLocations()); err != nil || len(rows) != 0 {
			t.Errorf("stored %+v, %v", rows, err)
		}
	})
}

// TestEventsNameTheirSource: only a registered follower's, and only with its
// token.
func TestEventsNameTheirSource(t *testing.T) {
	onBothFollowers(t, func(t *testing.T, a *followersAPI) {
		const event = `{"id":"e1","type":"lead.scored"}`
		post := func(token, source string) int {
			return first(a.do(token, http.MethodPost, "/api/v1/events", event, "Sitehooks-Source", source))
		}
		if got := post(a.all, "forum"); got != http.StatusForbidden {
			t.Errorf("not registered: %d", got)
		}
		a.put(`{"holder":"a","lease_seconds":15}`)
		ok(t, a.store.Locations.Ensure(t.Context(), "team", "Team"))
		theirs := `{"id":"e2","type":"lead.scored","location":"team"}`
		got, _ := a.do(a.token("team", models.ScopeIngest), http.MethodPost, "/api/v1/events", theirs, "Sitehooks-Source", "forum")
		if got != http.StatusForbidden {
			t.Errorf("with a token of another location: %d", got)
		}
		if got := post(a.all, "forum"); got != http.StatusAccepted {
			t.Errorf("%d", got)
		}
		e, err := a.store.Events.Get(t.Context(), "main", "e1")
		ok(t, err)
		if row, err := a.store.Sources.Row(t.Context(), "forum"); err != nil || row.State.LastEventAt == nil || e.Source != "forum" {
			t.Errorf("%+v of %+v, %v", e, row.State, err)
		}
	})
}
