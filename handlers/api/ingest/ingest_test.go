package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

var testNow = time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)

// fakeStore stores in memory, or fails.
type fakeStore struct {
	mu     sync.Mutex
	calls  int
	events []models.NewEvent
	seen   map[string]bool
	err    error
	block  chan struct{} // when set, Record waits until it is closed or the request ends
	inside chan struct{}
}

func (s *fakeStore) Record(ctx context.Context, events []models.NewEvent) (accepted, duplicates int, err error) {
	if s.block != nil {
		s.inside <- struct{}{}
		select {
		case <-s.block:
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if s.err != nil {
		return 0, 0, s.err
	}
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	for i, e := range events {
		if s.seen[e.EventID] {
			events[i].Duplicate = true
			duplicates++
			continue
		}
		s.seen[e.EventID] = true
		s.events = append(s.events, e)
		accepted++
	}
	return accepted, duplicates, nil
}

type fakeTokens map[string]models.Token

func (t fakeTokens) Authenticate(_ context.Context, plain string) (models.Token, error) {
	if plain == "away" {
		return models.Token{}, errors.New("no database")
	}
	token, ok := t[plain]
	if !ok {
		return models.Token{}, models.ErrUnauthorized
	}
	return token, nil
}

func (fakeTokens) ConfiguredUsed(context.Context) error { return nil }

var testTokens = fakeTokens{
	"stored": {ID: 1, Scope: models.ScopeIngest},
	"bound":  {ID: 2, Scope: models.ScopeIngest, Location: "python-wranglers"},
	"crm":    {ID: 3, Scope: models.ScopeSuperOffice},
}

func newTestEvents(store Recorder) *API {
	log := slog.New(slog.DiscardHandler)
	return New(Deps{
		Events: store, Access: api.NewAccess(api.AccessDeps{Tokens: testTokens, IngestToken: "configured", Log: log}),
		Log: log, Now: func() time.Time { return testNow },
	})
}

// serve starts the API on a real server.
func serve(t *testing.T, e *API) string {
	t.Helper()
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.POST("/api/v1/events", e.Post)
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return server.URL + "/api/v1/events"
}

// answer lets the API answer a request that came over no connection.
func answer(e *API, w *httptest.ResponseRecorder, r *http.Request) {
	c, _ := gin.CreateTestContext(w)
	c.Request = r
	e.Post(c)
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) problem(t *testing.T) api.ProblemDetails {
	t.Helper()
	var p api.ProblemDetails
	if err := json.Unmarshal([]byte(r.body), &p); err != nil {
		t.Fatalf("not a problem: %v: %s", err, r.body)
	}
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q", got)
	}
	if p.Status != r.status || p.Title != http.StatusText(r.status) || p.Type != "about:blank" || p.Detail == "" || len(p.Errors) == 0 {
		t.Errorf("incomplete problem for %d: %s", r.status, r.body)
	}
	return p
}

// post sends a body; header overrides, and with an empty value removes.
func post(t *testing.T, url, body string, header ...string) reply {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer configured")
	q.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		if q.Header.Del(header[i]); header[i+1] != "" {
			q.Header.Set(header[i], header[i+1])
		}
	}
	p, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Body.Close()
	text, err := io.ReadAll(p.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{p.StatusCode, p.Header, string(text)}
}

// full is the documentation's example, in other whitespace.
const full = `{
  "id": "b2f1c7e0-3c1d-4a51-9a55-0d6f0e1c2a11",
  "type": "answer.accepted",
  "occurred_at": "2026-11-21T02:39:18.123+01:00",
  "location": "python-wranglers",
  "community": "data-platform",
  "actor": {"user_id": 42, "display_name": "J Marshall"},
  "question": {"question_id": 1, "title": "Testing \u0022Webhooks\u0022", "body": "…", "link": "https://site/questions/1/testing-webhooks",
               "tags": ["Python", "python", "ÄRGER"], "score": 5, "creation_date": 1538594411651, "last_edit_date": 1538680811651,
               "owner": {"user_id": -1, "display_name": "Community"}},
  "answer":   {"answer_id": 2, "body": "…", "link": "https://site/questions/1/testing-webhooks/2#2", "score": 5,
               "is_accepted": true, "creation_date": 1538594411651, "last_edit_date": null,
               "owner": {"user_id": 7, "display_name": "Mary Wilkins"}},
  "unknown": [ 1.50, 1e400, -0 ]
}`

func TestOneEvent(t *testing.T) {
	store := &fakeStore{}
	url := serve(t, newTestEvents(store))
	r := post(t, url, full)
	if r.status != http.StatusAccepted || r.body != `{"accepted":1,"duplicates":0}` || r.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", r.status, r.body)
	}
	e := store.events[0]
	payload := string(e.Payload)
	e.Payload = nil
	want := models.NewEvent{
		EventID: "b2f1c7e0-3c1d-4a51-9a55-0d6f0e1c2a11", Type: "answer.accepted", Location: "python-wranglers",
		Community: "data-platform", Tags: []string{"python", "ärger"},
		OccurredAt: time.Date(2026, 11, 21, 1, 39, 18, 123e6, time.UTC),
		MergeKey:   "python-wranglers/answer.accepted/2", Subject: "2", Title: `Testing "Webhooks"`,
	}
	if got, wanted := asJSON(t, e), asJSON(t, want); got != wanted {
		t.Errorf("\n got %s\nwant %s", got, wanted)
	}
	for _, stored := range []string{`"title":"Testing \u0022Webhooks\u0022"`, `"unknown":[1.50,1e400,-0]}`, `{"id":"b2f1`, `"tags":["Python","python","ÄRGER"]`} {
		if !strings.Contains(payload, stored) {
			t.Errorf("payload lost %s: %s", stored, payload)
		}
	}
	if strings.ContainsAny(payload, "\n\t") || strings.Contains(payload, `": `) {
		t.Errorf("payload is not compact: %s", payload)
	}
	if r = post(t, url, full); r.body != `{"accepted":0,"duplicates":1}` {
		t.Errorf("again: %d %s", r.status, r.body)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRecords checks the stored record of one event of each kind.
func TestRecords(t *testing.T) {
	const q = `"question":{"question_id":11,"title":"T","link":"http://s/q"}`
	for _, tc := range []struct {
		event                    string
		mergeKey, subject, title string
	}{
		{`{"type":"question.created",` + q + `}`, "main/question.created/11", "11", "T"},
		{`{"type":"question.edited","subject":"x",` + q + `}`, "main/question.edited/11", "11", "T"},
		{`{"type":"question.edited","answer":"none",` + q + `}`, "main/question.edited/11", "11", "T"},
		{`{"type":"answer.edited","answer":{"answer_id":12},` + q + `}`, "main/answer.edited/12", "12", "T"},
		{`{"type":"comment.created","comment":{"comment_id":13,"body":""},` + q + `}`, "main/comment.created/13", "13", "T"},
		{`{"type":"comment.created","answer":{"answer_id":12},"comment":{"comment_id":13,"body":"b"},` + q + `}`, "main/comment.created/13", "13", "T"},
		{`{"type":"comment.created","subject":"c9","data":{"header":"H"}}`, "", "c9", "H"},
		{`{"type":"topic.created","data":{"name":"N","header":"H"}}`, "", "", "H"},
		{`{"type":"user.updated","subject":"u-1","data":{"header":1,"name":"N","display_name":"D\u00e9"}}`, "main/user.updated/u-1", "u-1", "Dé"},
		{`{"type":"user.created","subject":"u-1"}`, "", "u-1", "u-1"},
		{`{"type":"user.updated","data":{}}`, "", "", ""},
		{`{"type":"team.updated","subject":"t","location":"x","data":{"display_name":""}}`, "x/team.updated/t", "t", "t"},
		{`{"type":"team_membership.deleted","subject":"m"}`, "", "m", "m"},
		{`{"type":"contact.changed","subject":"2147483647","changes":["name"],"data":{"name":"Acme"}}`, "", "2147483647", "Acme"},
		{`{"type":"sale.sold"}`, "", "0", "0"},
		{`{"type":"lead.scored","subject":"007","question":"any","answer":[]}`, "", "7", "7"},
		{`{"type":"lead.scored","data":{"name":"` + strings.Repeat("é", 301) + `"}}`, "", "0", strings.Repeat("é", 300)},
		{`{"type":"question.created","id":null,"community":null,"data":null,"occurred_at":null,` + q + `}`, "main/question.created/11", "11", "T"},
	} {
		events, rej := ReadEvents([]byte(tc.event), false, testNow)
		if rej != nil {
			t.Errorf("%s: %v", tc.event, rej.Errs)
			continue
		}
		e := events[0]
		if e.MergeKey != tc.mergeKey || e.Subject != tc.subject || e.Title != tc.title {
			t.Errorf("%s: merge key %q, subject %q, title %q", tc.event, e.MergeKey, e.Subject, e.Title)
		}
		if len(e.EventID) != 36 || e.Tags == nil || !e.OccurredAt.IsZero() {
			t.Errorf("%s: id %q, tags %v, occurred %v", tc.event, e.EventID, e.Tags, e.OccurredAt)
		}
		if _, err := wire.Decode(e.Payload, testNow); err != nil {
			t.Errorf("%s: cannot be read by those who deliver: %v", tc.event, err)
		}
	}
}

func TestManyEvents(t *testing.T) {
	store := &fakeStore{}
	var woken int
	var counted []map[string]int
	e := newTestEvents(store)
	e.OnAccepted = func() { woken++ }
	e.Accepted = func(types map[string]int) { counted = append(counted, types) }
	url := serve(t, e)
	list := `{"more":{"events":1}, "events" : [ {"id":"a","type":"lead.scored"} , {"id":"b","type":"user.created"},{"id":"a","type":"lead.scored"} ] }`
	if r := post(t, url, list); r.status != http.StatusAccepted || r.body != `{"accepted":2,"duplicates":1}` {
		t.Fatalf("%d %s", r.status, r.body)
	}
	lines := "\n \r\n{\"id\":\"c\",\"type\":\"user.created\"}\r\n\n\t{\"id\":\"d\", \"type\":\"lead.lost\"}"
	if r := post(t, url, lines, "Content-Type", "application/x-ndjson; charset=UTF-8"); r.status != http.StatusAccepted || r.body != `{"accepted":2,"duplicates":0}` {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := post(t, url, lines, "Content-Type", "application/x-ndjson"); r.body != `{"accepted":0,"duplicates":2}` {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var ids []string
	for _, e := range store.events {
		ids = append(ids, e.EventID+" "+string(e.Payload))
	}
	if want := []string{`a {"id":"a","type":"lead.scored"}`, `b {"id":"b","type":"user.created"}`, `c {"id":"c","type":"user.created"}`, `d {"id":"d","type":"lead.lost"}`}; !slices.Equal(ids, want) {
		t.Errorf("stored %q", ids)
	}
	if got := asJSON(t, counted); woken != 2 || got != `[{"custom":1,"user.created":1},{"custom":1,"user.created":1}]` {
		t.Errorf("woken %d, counted %s", woken, got)
	}
}

// TestBodiesAreNotShared: memory is used again, so the stored data must be a
// copy.
func TestBodiesAreNotShared(t *testing.T) {
	store := &fakeStore{}
	url := serve(t, newTestEvents(store))
	for _, id := range []string{"aaaa", "bbbb", "cccc"} {
		post(t, url, `{"id":"`+id+`","type":"lead.scored"}`)
	}
	for i, id := range []string{"aaaa", "bbbb", "cccc"} {
		if want := `{"id":"` + id + `","type":"lead.scored"}`; string(store.events[i].Payload) != want {
			t.Errorf("payload %d is %s", i, store.events[i].Payload)
		}
	}
}
