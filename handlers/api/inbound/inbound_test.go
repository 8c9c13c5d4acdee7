package inbound_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/inbound"
	"github.com/sitehooks/sitehooks/jobs/jq"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/read"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// The kind "example" is signed with its secret itself, and its body says what
// its reading says.
func init() {
	read.Register(read.Reader{
		Kind: "example", Label: "Example", Help: "What its body says.", InstanceField: "instance",
		Secrets:     []wire.SecretField{{Key: "secret_1"}, {Key: "secret_2"}},
		CheckSecret: func(string) error { return nil },
		Verify: func(r read.Received) error {
			for _, secret := range r.Secrets {
				if r.Header.Get("X-Signature") == secret {
					return nil
				}
			}
			return wire.Sentence("The signature is wrong.")
		},
		Read: func(r read.Received) (read.Result, error) {
			var said struct {
				Events         []json.RawMessage
				Ignored, Fault string
				Lookups        []string
				Panic          bool
			}
			if err := json.Unmarshal(r.Body, &said); err != nil {
				return read.Result{}, wire.Sentence("The body is not JSON.")
			}
			if said.Panic {
				panic("as it was told")
			}
			if said.Fault != "" {
				return read.Result{}, errors.New(said.Fault)
			}
			for _, path := range said.Lookups {
				answer, known := r.Answers[path]
				if !known {
					return read.Result{Lookups: []string{path}}, nil
				}
				if answer.Status != http.StatusOK {
					return read.Result{Ignored: "not public"}, nil
				}
			}
			return read.Result{Events: said.Events, Ignored: said.Ignored}, nil
		},
	})
}

var mary = models.Actor{UserID: 3, Name: "Mary Wilkins"}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// receiver is a server with sources.
type receiver struct {
	t     *testing.T
	store *models.Store
	clock *modelstest.Clock
	api   *inbound.API
	url   string
	log   bytes.Buffer
}

func onBoth(t *testing.T, test func(t *testing.T, r *receiver)) {
	t.Helper()
	modelstest.Each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		r := &receiver{t: t, store: s, clock: clock}
		log := slog.New(slog.NewTextHandler(&r.log, nil))
		r.api = inbound.New(inbound.Deps{
			Store: s, Reader: &inbound.Reader{Log: log, Now: clock.Now}, Log: log, Now: clock.Now,
			Sender: send.New(send.Config{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
			Access: api.NewAccess(api.AccessDeps{Tokens: s.Tokens, Log: log, Now: clock.Now}),
		})
		engine := gin.New()
		engine.POST("/in/:name", r.api.Post)
		engine.POST("/in/:name/:token", r.api.Post)
		server := httptest.NewServer(engine)
		t.Cleanup(server.Close)
		r.url = server.URL + "/in/"
		test(t, r)
	})
}

// source makes one that is signed, and returns the token of its address if it
// is not.
func (r *receiver) source(name string, secrets ...string) (token string) {
	r.t.Helper()
	in := models.SourceInput{Kind: "example", Location: "main"}
	for i, secret := range secrets {
		in.Secrets[i].Set = secret
	}
	_, token, err := r.store.Sources.Create(r.t.Context(), mary, name, in)
	ok(r.t, err)
	return token
}

func (r *receiver) post(path, body string, headers ...string) (status int, answer string) {
	r.t.Helper()
	q, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, r.url+path, strings.NewReader(body))
	ok(r.t, err)
	for i := 0; i < len(headers); i += 2 {
		q.Header.Add(headers[i], headers[i+1])
	}
	p, err := http.DefaultClient.Do(q)
	ok(r.t, err)
	defer p.Body.Close()
	text, err := io.ReadAll(p.Body)
	ok(r.t, err)
	return p.StatusCode, string(text)
}

func (r *receiver) recorded(name string) []models.SourceRequest {
	r.t.Helper()
	rows, err := r.store.Sources.Requests(r.t.Context(), name)
	ok(r.t, err)
	return rows
}

func (r *receiver) events() int64 {
	r.t.Helper()
	n, err := r.store.Events.CountSince(r.t.Context(), models.AllLocations(), time.Time{})
	ok(r.t, err)
	return n
}

func scored(id string) string { return fmt.Sprintf(`{"id":%q,"type":"lead.scored"}`, id) }

func TestEventsOfASource(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		r.source("team", "first", "second")
		body := `{"events":[` + scored("a") + `,{"id":"b","type":"lead.scored","location":"elsewhere","data":{"n":1.50}}]}`
		for i, want := range []string{`{"accepted":2,"duplicates":0}`, `{"accepted":0,"duplicates":2}`} {
			status, answer := r.post("team", body, "X-Signature", []string{"first", "second"}[i], wire.ViaHeader, "one, two")
			if status != http.StatusAccepted || answer != want {
				t.Errorf("%d %s", status, answer)
			}
		}
		e, err := r.store.Events.Get(t.Context(), "main", "team:b")
		ok(t, err)
		if e.Source != "team" || e.Via != "one,two" || string(e.Payload) != `{"location":"main","id":"team:b","type":"lead.scored","data":{"n":1.50}}` {
			t.Errorf("stored as %+v %s", e, e.Payload)
		}
		if status, answer := r.post("team", `{"ignored":"a private message"}`, "X-Signature", "first"); status != http.StatusOK || answer != `{"ignored":"a private message"}` {
			t.Errorf("ignored: %d %s", status, answer)
		}
		rows := r.recorded("team")
		if len(rows) != 3 || rows[0].State != models.RequestIgnored || rows[0].Reason != "a private message" ||
			rows[1].Duplicates != 2 || rows[2].Accepted != 2 || strings.Join(rows[2].EventIDs, " ") != "team:a team:b" {
			t.Errorf("kept: %+v", rows)
		}
		one, err := r.store.Sources.Request(t.Context(), "team", rows[2].ID)
		ok(t, err)
		if string(one.Body) != body || !bytes.Contains(one.Headers, []byte(`["X-Signature","***"]`)) {
			t.Errorf("kept as %s %s", one.Headers, one.Body)
		}

		long := strings.Repeat("é", 200)
		token := r.source("address")
		if status, answer := r.post("address/"+token, `{"events":[`+scored(long)+`,{"type":"lead.scored","data":{"n":1,"id":7}}]}`); status != http.StatusAccepted {
			t.Errorf("by its address: %d %s", status, answer)
		}
		ids := r.recorded("address")[0].EventIDs
		if len(ids) != 2 || len(ids[0]) != len("address:")+64 || !strings.HasPrefix(ids[1], "address:") || !strings.HasSuffix(ids[1], ".1") {
			t.Errorf("ids: %q", ids)
		}
		if inbound.EventID(strings.Repeat("n", 63), long) != strings.Repeat("n", 63)+ids[0][len("address"):] && len(inbound.EventID(strings.Repeat("n", 63), long)) != 128 {
			t.Error("the id of a long name is too long")
		}
	})
}

// TestRefusedRequests: each is answered clearly, none stores an event, and each
// of a source that there is stands on its page.
func TestRefusedRequests(t *testing.T) {
	question := `{"id":"q","type":"question.created","question":{"question_id":1,"title":"T"}}`
	onBoth(t, func(t *testing.T, r *receiver) {
		r.source("team", "first", "second")
		token := r.source("address")
		signed := []string{"X-Signature", "first"}
		for name, c := range map[string]struct {
			path, body string
			headers    []string
			status     int
			says       string
		}{
			"unknown source":           {"nobody", `{}`, signed, 404, "no source"},
			"wrong signature":          {"team", `{}`, []string{"X-Signature", "third"}, 401, "The signature is wrong."},
			"no signature":             {"team", `{}`, nil, 401, "The signature is wrong."},
			"wrong token":              {"address/" + strings.Repeat("0", 64), `{}`, nil, 401, "The token in the address is wrong."},
			"a token of another":       {"team/" + token, `{}`, signed, 401, "The token in the address is wrong."},
			"no token":                 {"address", `{}`, nil, 401, "its address needs a token"},
			"2 MiB":                    {"team", strings.Repeat(" ", 2<<20), signed, 413, "larger than 1048576 bytes"},
			"not JSON":                 {"team", `{"events":`, signed, 422, "The body is not JSON."},
			"encoded":                  {"team", `{}`, append([]string{"Content-Encoding", "gzip"}, signed...), 422, "without Content-Encoding"},
			"refused by the kind":      {"team", `{"fault":"question.id is missing."}`, signed, 422, "Question.id is missing."},
			"a fault of the kind":      {"team", `{"panic":true}`, signed, 422, "could not be read"},
			"an invalid event":         {"team", `{"events":[` + scored("a") + `,` + question + `]}`, signed, 422, "event 2: question.link is required"},
			"a number":                 {"team", `{"events":[7]}`, signed, 422, "event 1: must be an object"},
			"an id that is a number":   {"team", `{"events":[{"id":7,"type":"lead.scored"}]}`, signed, 422, "event 1: id must be a string"},
			"a key twice":              {"team", `{"events":[{"type":"lead.scored","type":"lead.lost"}]}`, signed, 422, "event 1: type appears twice"},
			"1,001 events":             {"team", `{"events":[` + strings.TrimSuffix(strings.Repeat(`{"type":"lead.scored"},`, 1001), ",") + `]}`, signed, 422, "more than 1000 events"},
			"a loop":                   {"team", `{"events":[` + scored("a") + `]}`, append([]string{wire.ViaHeader, "x, " + r.store.PublicID()}, signed...), 422, "This is a loop"},
			"too many installations":   {"team", `{"events":[` + scored("a") + `]}`, append([]string{wire.ViaHeader, "1,2,3,4,5,6,7,8"}, signed...), 422, "came through 8 installations"},
			"a header that is no text": {"team", `{"events":[` + scored("a") + `]}`, append([]string{wire.ViaHeader, "a b"}, signed...), 422, "has an invalid id"},
		} {
			source, _, _ := strings.Cut(c.path, "/")
			before := 0
			if source != "nobody" {
				before = len(r.recorded(source))
			}
			status, answer := r.post(c.path, c.body, c.headers...)
			if status != c.status || !strings.Contains(answer, c.says) || !strings.Contains(answer, `"status":`) {
				t.Errorf("%s: %d %s", name, status, answer)
			}
			if source == "nobody" {
				continue
			}
			rows := r.recorded(source)
			if len(rows) != before+1 || rows[0].State != models.RequestRefused || !strings.Contains(rows[0].Reason, c.says) || rows[0].Verified != (c.status == 422) {
				t.Errorf("%s: kept %d → %d, %+v", name, before, len(rows), rows[:min(1, len(rows))])
			}
		}
		if n := r.events(); n != 0 {
			t.Errorf("%d events were stored", n)
		}
		row, err := r.store.Sources.Row(t.Context(), "address")
		ok(t, err)
		if row.State.Error == "" {
			t.Errorf("a source of which nothing was read yet fares %+v", row.State)
		}
	})
}

// programs are told what a program would get.
type programs struct{ got []jq.Input }

func (p *programs) Run(_ context.Context, _, _ string, in jq.Input) ([]json.RawMessage, error) {
	p.got = append(p.got, in)
	return []json.RawMessage{json.RawMessage(scored("a"))}, nil
}

// TestAProgramSeesWhatIsKept: no credential of the sender, and reading again gives
// it the same.
func TestAProgramSeesWhatIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		p := &programs{}
		r.api.Reader.Programs = p
		src, token, err := r.store.Sources.Create(t.Context(), mary, "crm", models.SourceInput{Kind: "custom", Location: "main", Program: "."})
		ok(t, err)
		status, answer := r.post("crm/"+token, `{"a":1}`, "Authorization", "Bearer of the sender", "X-Kind", "lead", "X-Kind", "hot")
		if status != http.StatusAccepted {
			t.Fatalf("%d %s", status, answer)
		}
		request, err := r.store.Sources.Request(t.Context(), "crm", r.recorded("crm")[0].ID)
		ok(t, err)
		ok(t, r.api.Again(t.Context(), src, &request))
		if len(p.got) != 2 || !reflect.DeepEqual(p.got[0], p.got[1]) || p.got[0].Header["authorization"] != "***" || p.got[0].Header["x-kind"] != "lead, hot" {
			t.Errorf("the program gets %q", p.got)
		}
	})
}

// TestStrangersFillNoPages: of requests that nobody vouches for, a few are kept.
func TestStrangersFillNoPages(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		r.source("team", "first")
		if status, _ := r.post("team", `{"events":[`+scored("a")+`]}`, "X-Signature", "first"); status != http.StatusAccepted {
			t.Fatal(status)
		}
		for range 50 {
			if status, _ := r.post("team", `{}`); status != http.StatusUnauthorized {
				t.Fatal(status)
			}
		}
		if rows := r.recorded("team"); len(rows) != 21 || rows[0].ID != 21 { // and no more are stored
			t.Errorf("%d are kept, the newest is number %d", len(rows), rows[0].ID)
		}
		row, err := r.store.Sources.Row(t.Context(), "team")
		ok(t, err)
		if row.State.Error != "" {
			t.Errorf("they make the source fail: %+v", row.State)
		}
	})
}

func TestAThousandAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		r.source("team", "first")
		var all sync.WaitGroup
		var mu sync.Mutex
		statuses := map[int]int{}
		for i := range 1000 {
			all.Go(func() {
				status, answer := r.post("team", `{"events":[`+scored(strconv.Itoa(i))+`]}`, "X-Signature", "first")
				mu.Lock()
				defer mu.Unlock()
				if statuses[status]++; status != http.StatusAccepted && statuses[status] == 1 {
					t.Errorf("%d %s", status, answer)
				}
			})
		}
		all.Wait()
		if n := r.events(); n != 1000 || statuses[http.StatusAccepted] != 1000 {
			t.Errorf("answers: %v, %d events", statuses, n)
		}
		if rows := r.recorded("team"); len(rows) != models.RequestsMax {
			t.Errorf("%d are kept", len(rows))
		}
	})
}

// TestDeletedWhileItReceives: the source goes after its request was verified and
// before the events are stored. They are stored whole, and nothing else is left.
func TestDeletedWhileItReceives(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		r.source("team", "first")
		r.api.Reader.Now = func() time.Time { // asked by the check of the events
			ok(t, r.store.Sources.Delete(t.Context(), mary, "team"))
			return r.clock.Now()
		}
		status, answer := r.post("team", `{"events":[`+scored("a")+`,`+scored("b")+`]}`, "X-Signature", "first")
		if status != http.StatusAccepted || r.events() != 2 {
			t.Errorf("answered %d %s, %d events", status, answer, r.events())
		}
		states, err := r.store.Sources.States(t.Context(), []string{"team"})
		ok(t, err)
		if status, _ = r.post("team", `{}`, "X-Signature", "first"); len(r.recorded("team")) > 0 || len(states) > 0 || status != http.StatusNotFound {
			t.Errorf("%+v and %+v are left, and the next request is answered %d", r.recorded("team"), states, status)
		}
	})
}

// instance is another system that answers look-ups.
type instance struct {
	mu     sync.Mutex
	status int
	asked  []string
}

func (i *instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = append(i.asked, r.URL.Path)
	w.WriteHeader(i.status)
}

func (i *instance) answers(status int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.status = status
}

// TestLookups: the sender is answered at once; a look-up that fails is tried
// again, and the events are stored once it has an answer.
func TestLookups(t *testing.T) {
	onBoth(t, func(t *testing.T, r *receiver) {
		other := &instance{status: http.StatusServiceUnavailable}
		server := httptest.NewServer(other)
		t.Cleanup(server.Close)
		in := models.SourceInput{Kind: "example", Location: "main", Fields: map[string]string{"instance": server.URL + "/forum/"}}
		in.Secrets[0].Set = "first"
		_, _, err := r.store.Sources.Create(t.Context(), mary, "team", in)
		ok(t, err)
		for _, id := range []string{"a", "b"} {
			status, answer := r.post("team", `{"lookups":["/t/1.json","/t/2.json"],"events":[`+scored(id)+`]}`, "X-Signature", "first")
			if status != http.StatusAccepted || answer != `{"accepted":0,"duplicates":0,"waiting":1}` {
				t.Errorf("%d %s", status, answer)
			}
		}
		ok(t, r.api.Lookups(t.Context()))
		rows := r.recorded("team")
		if rows[0].State != models.RequestWaiting || rows[1].State != models.RequestWaiting || r.events() != 0 ||
			rows[1].Reason != "The look-up failed: the instance answered 503 Service Unavailable." {
			t.Errorf("while the instance is away: %+v", rows)
		}
		if len(other.asked) != 1 || other.asked[0] != "/forum/t/1.json" {
			t.Errorf("it was asked for %q", other.asked)
		}
		other.answers(http.StatusOK)
		r.clock.Add(time.Minute)
		ok(t, r.api.Lookups(t.Context()))
		rows = r.recorded("team")
		if rows[0].State != models.RequestAccepted || rows[1].State != models.RequestAccepted || rows[1].Accepted != 1 || rows[1].Reason != "" || r.events() != 2 {
			t.Errorf("with an answer: %+v, %d events", rows, r.events())
		}
		// What nobody may see is ignored.
		other.answers(http.StatusForbidden)
		r.post("team", `{"lookups":["/t/3.json"],"events":[`+scored("c")+`]}`, "X-Signature", "first")
		ok(t, r.api.Lookups(t.Context()))
		if rows = r.recorded("team"); rows[0].State != models.RequestIgnored || rows[0].Reason != "not public" || r.events() != 2 {
			t.Errorf("not public: %+v", rows[0])
		}
		// After a day it is given up.
		other.answers(http.StatusBadGateway)
		r.post("team", `{"lookups":["/t/4.json"],"events":[`+scored("d")+`]}`, "X-Signature", "first")
		ok(t, r.api.Lookups(t.Context()))
		r.clock.Add(25 * time.Hour)
		ok(t, r.api.Lookups(t.Context()))
		if rows = r.recorded("team"); rows[0].State != models.RequestRefused || !strings.Contains(rows[0].Reason, "24 hours") {
			t.Errorf("given up: %+v", rows[0])
		}
		// By hand it can still be read.
		other.answers(http.StatusOK)
		src, err := r.store.Sources.Get(t.Context(), "team")
		ok(t, err)
		again, err := r.store.Sources.Request(t.Context(), "team", rows[0].ID)
		ok(t, err)
		ok(t, r.api.Again(t.Context(), src, &again))
		if rows = r.recorded("team"); rows[0].State != models.RequestAccepted || r.events() != 3 {
			t.Errorf("read again: %+v", rows[0])
		}
	})
}
