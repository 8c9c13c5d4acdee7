package ingest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/models"
)

const event = `{"type":"lead.scored"}`

// TestRefusals: every way to be refused, and nothing stored by any.
func TestRefusals(t *testing.T) {
	for _, tc := range []struct {
		name   string
		body   string
		header []string
		status int
		detail string
	}{
		{"no token", event, []string{"Authorization", ""}, 401, "bearer token is needed"},
		{"cookie instead", event, []string{"Authorization", "", "Cookie", "sitehooks_session=configured"}, 401, "bearer token is needed"},
		{"another scheme", event, []string{"Authorization", "Basic configured"}, 401, "bearer token is needed"},
		{"empty token", event, []string{"Authorization", "Bearer "}, 401, "bearer token is needed"},
		{"unknown token", event, []string{"Authorization", "Bearer configure"}, 401, "unknown or was revoked"},
		{"wrong scope", event, []string{"Authorization", "Bearer crm"}, 403, "superoffice"},
		{"wrong location", event, []string{"Authorization", "Bearer bound"}, 403, "python-wranglers only"},
		{"tokens away", event, []string{"Authorization", "Bearer away"}, 503, "database"},
		{"no type of content", event, []string{"Content-Type", ""}, 415, "Content-Type must be"},
		{"form", event, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "Content-Type must be"},
		{"text", event, []string{"Content-Type", "text/json"}, 415, "Content-Type must be"},
		{"latin1", event, []string{"Content-Type", "application/json; charset=iso-8859-1"}, 415, "UTF-8"},
		{"gzip", event, []string{"Content-Encoding", "gzip"}, 415, "Content-Encoding"},
		{"identity", event, []string{"Content-Encoding", "identity"}, 415, "Content-Encoding"},
		{"large", strings.Repeat(" ", api.MaxBody) + event, nil, 413, "larger than"},
		{"large event", `{"events":[` + event + `,{"type":"lead.scored","data":{"a":"` + strings.Repeat("a", MaxEvent) + `"}}]}`, nil, 413, "262144 bytes"},
		{"empty", "", nil, 400, "invalid; see errors"},
		{"no events", `{"events":[]}`, nil, 400, "invalid; see errors"},
		{"faults", `{"id":"","type":"user.x"}`, nil, 400, "2 faults"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			store := &fakeStore{}
			e := newTestEvents(store)
			e.OnAccepted = func() { t.Error("woken") }
			r := post(t, serve(t, e), tc.body, tc.header...)
			if r.status != tc.status {
				t.Fatalf("%d %s", r.status, r.body)
			}
			if p := r.problem(t); !strings.Contains(p.Detail, tc.detail) {
				t.Errorf("detail %q", p.Detail)
			}
			if store.calls > 0 {
				t.Error("something was stored")
			}
			if got := r.header.Get("WWW-Authenticate"); (tc.status == 401) != strings.HasPrefix(got, `Bearer realm="sitehooks"`) && tc.name != "wrong scope" {
				t.Errorf("WWW-Authenticate %q", got)
			}
			if got := r.header.Get("Retry-After"); (tc.status == 503) != (got != "") {
				t.Errorf("Retry-After %q", got)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	store := &fakeStore{}
	url := serve(t, newTestEvents(store))
	for _, authorization := range []string{"Bearer configured", "bearer   stored", "BEARER stored"} {
		if r := post(t, url, event, "Authorization", authorization); r.status != http.StatusAccepted {
			t.Errorf("%s: %d %s", authorization, r.status, r.body)
		}
	}
	r := post(t, url, `{"type":"lead.scored","location":"python-wranglers"}`, "Authorization", "Bearer bound")
	if r.status != http.StatusAccepted {
		t.Errorf("own location: %d %s", r.status, r.body)
	}
	// Without a configured token no token equals it, the empty one least of all.
	a := api.NewAccess(api.AccessDeps{Tokens: testTokens})
	if _, rej := a.Authorize(&http.Request{Header: http.Header{"Authorization": {"Bearer configured"}}}, models.ScopeIngest, ""); rej == nil || rej.Status != 401 {
		t.Errorf("no configured token: %+v", rej)
	}
	r = post(t, url, `{"events":[{"type":"lead.scored","location":"python-wranglers"},{"type":"lead.scored"}]}`, "Authorization", "Bearer bound")
	if p := r.problem(t); r.status != 403 || len(p.Errors) != 1 || *p.Errors[0].Index != 1 || p.Errors[0].Field != "location" {
		t.Errorf("second event elsewhere: %d %s", r.status, r.body)
	}
}

func TestTwoAuthorizations(t *testing.T) {
	r := &http.Request{Header: http.Header{"Authorization": {"Bearer configured", "Bearer other"}}}
	if _, rej := newTestEvents(&fakeStore{}).Access.Authorize(r, models.ScopeIngest, ""); rej == nil || rej.Status != 401 {
		t.Errorf("%+v", rej)
	}
}

func TestStoreAway(t *testing.T) {
	store := &fakeStore{err: errors.New("connection refused")}
	e := newTestEvents(store)
	e.OnAccepted = func() { t.Error("woken") }
	r := post(t, serve(t, e), event)
	r.problem(t)
	if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || strings.Contains(r.body, "refused") {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
}

// TestTooManyRequests fills all places with requests that the store holds.
func TestTooManyRequests(t *testing.T) {
	store := &fakeStore{block: make(chan struct{}), inside: make(chan struct{}, ingestPlaces)}
	url := serve(t, newTestEvents(store))
	var done sync.WaitGroup
	for range ingestPlaces {
		done.Go(func() {
			if r := post(t, url, event); r.status != http.StatusAccepted {
				t.Errorf("held request: %d %s", r.status, r.body)
			}
		})
	}
	for range ingestPlaces {
		<-store.inside
	}
	r := post(t, url, event)
	r.problem(t)
	if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "1" {
		t.Errorf("%d %v", r.status, r.header)
	}
	close(store.block)
	done.Wait()
	if r = post(t, url, event); r.status != http.StatusAccepted {
		t.Errorf("afterwards: %d %s", r.status, r.body)
	}
}

// TestCountLimit: 1,000 events are taken, 1,001 are not.
func TestCountLimit(t *testing.T) {
	store := &fakeStore{}
	url := serve(t, newTestEvents(store))
	for n, status := range map[int]int{maxEvents: 202, maxEvents + 1: 400} {
		list := `{"events":[` + strings.TrimSuffix(strings.Repeat(event+",", n), ",") + `]}`
		if r := post(t, url, list); r.status != status {
			t.Errorf("list of %d: %d %.200s", n, r.status, r.body)
		}
		if r := post(t, url, strings.Repeat(event+"\n\n", n), "Content-Type", api.TypeNDJSON); r.status != status {
			t.Errorf("%d lines: %d %.200s", n, r.status, r.body)
		}
	}
}

// TestSizeLimits: exactly at the limit is taken.
func TestSizeLimits(t *testing.T) {
	url := serve(t, newTestEvents(&fakeStore{}))
	frame := `{"type":"lead.scored","x":"%s"}`
	for size, status := range map[int]int{MaxEvent: 202, MaxEvent + 1: 413} {
		one := fmt.Sprintf(frame, strings.Repeat("a", size-len(frame)+2))
		r := post(t, url, one)
		if len(one) != size || r.status != status {
			t.Errorf("event of %d bytes: %d %.200s", len(one), r.status, r.body)
		}
	}
	for size, status := range map[int]int{api.MaxBody: 202, api.MaxBody + 1: 413} {
		if r := post(t, url, event+strings.Repeat(" ", size-len(event))); r.status != status {
			t.Errorf("body of %d bytes: %d", size, r.status)
		}
	}
	r := post(t, url, `{"events":[`+event+`,{"x":"`+strings.Repeat("a", MaxEvent)+`"}]}`)
	if p := r.problem(t); len(p.Errors) != 1 || *p.Errors[0].Index != 1 {
		t.Errorf("index of the large event: %.200s", r.body)
	}
}

// TestChunkedBody: without a length announced the limit holds as well.
func TestChunkedBody(t *testing.T) {
	url := serve(t, newTestEvents(&fakeStore{}))
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, io.MultiReader(strings.NewReader(strings.Repeat(" ", api.MaxBody)), strings.NewReader(event)))
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer configured")
	q.Header.Set("Content-Type", api.TypeJSON)
	p, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Body.Close()
	if p.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", p.StatusCode)
	}
}

// TestBodyEndsEarly: a body that breaks off, or stops arriving, is answered and
// stores nothing.
func TestBodyEndsEarly(t *testing.T) {
	for _, tc := range []struct {
		name, token string
		breakOff    bool
		says        string
	}{
		{"broken off", "configured", true, "400 Bad Request"},
		{"stalled", "configured", false, "400 Bad Request"},
		{"refused before", "unknown", false, "401 Unauthorized"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			store := &fakeStore{}
			e := newTestEvents(store)
			if !tc.breakOff {
				e.places.Pace.Window = 10 * time.Millisecond
			}
			conn := dial(t, serve(t, e))
			_, err := fmt.Fprintf(conn, "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
				"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n%s", tc.token, event)
			if err != nil {
				t.Fatal(err)
			}
			if tc.breakOff {
				if err = conn.CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			p, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Body.Close()
			if p.Status != tc.says || store.calls > 0 {
				t.Errorf("status %s, stored %d", p.Status, store.calls)
			}
		})
	}
}

func dial(t *testing.T, url string) *net.TCPConn {
	t.Helper()
	host := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/api/v1/events")
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn) //nolint:forcetypeassert // tcp was asked for
}

// TestSenderHasGone: the store's error then is not logged.
func TestSenderHasGone(t *testing.T) {
	var log strings.Builder
	e := newTestEvents(&fakeStore{err: context.Canceled})
	e.Log = slog.New(slog.NewTextHandler(&log, nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(event))
	r.Header.Set("Authorization", "Bearer configured")
	r.Header.Set("Content-Type", api.TypeJSON)
	w := httptest.NewRecorder()
	if answer(e, w, r); w.Code != http.StatusServiceUnavailable || log.Len() > 0 {
		t.Errorf("status %d, log %q", w.Code, &log)
	}
}

var _ api.Authenticator = (*models.Tokens)(nil)
