package ingest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/limit"
)

// TestARefusalReachesWhoWritesFirst: a plain client writes all of its body
// before it reads the answer; the connection must not be cut under it.
func TestARefusalReachesWhoWritesFirst(t *testing.T) {
	address := strings.TrimPrefix(serve(t, newTestEvents(&fakeStore{})), "http://")
	address, _, _ = strings.Cut(address, "/")
	for _, size := range []int{api.MaxBody + 1, 9_000_000} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(conn, "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer configured\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
			size)
		if err == nil {
			_, err = conn.Write(bytes.Repeat([]byte(" "), size))
		}
		if err != nil {
			t.Errorf("%d bytes: cut while writing: %v", size, err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%d bytes: no answer: %v", size, err)
		}
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%d bytes: %s", size, resp.Status)
		}
		_ = resp.Body.Close()
		_ = conn.Close()
	}
}

// TestBytesAreCountedAsTheyArrive: chunked bodies of one token that together
// have more bytes than there are make room for another token.
func TestBytesAreCountedAsTheyArrive(t *testing.T) {
	const strangers = 4
	large := event + strings.Repeat(" ", 1<<20)
	store := &fakeStore{block: make(chan struct{}), inside: make(chan struct{}, strangers+1)}
	e := newTestEvents(store)
	e.places = api.NewPlaces(16, (strangers-1)*int64(len(large))+1<<10, 1) // one may go beyond
	url := serve(t, e)
	answers := make(chan reply, strangers)
	for range strangers {
		go func() {
			q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, io.MultiReader(strings.NewReader(large)))
			if err != nil {
				t.Error(err)
			}
			q.Header.Set("Authorization", "Bearer configured")
			q.Header.Set("Content-Type", api.TypeJSON)
			p, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Error(err)
				answers <- reply{}
				return
			}
			_ = p.Body.Close()
			answers <- reply{status: p.StatusCode, header: p.Header}
		}()
		<-store.inside
	}
	var other sync.WaitGroup
	other.Go(func() {
		if r := post(t, url, event, "Authorization", "Bearer stored"); r.status != http.StatusAccepted {
			t.Errorf("another token: %d %s", r.status, r.body)
		}
	})
	<-store.inside // which it cannot reach before one of the others has given way
	select {
	case r := <-answers:
		if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "1" {
			t.Errorf("the one that gave way: %d %v", r.status, r.header)
		}
	case <-time.After(5 * time.Second):
		t.Error("nobody gave way")
	}
	close(store.block)
	other.Wait()
	for range strangers - 1 {
		if r := <-answers; r.status != http.StatusAccepted {
			t.Errorf("another of the crowd: %d", r.status)
		}
	}
}

// trickle sends the head of a request and then its body byte by byte, until
// the answer comes.
func trickle(t *testing.T, url string) *http.Response {
	t.Helper()
	conn := dial(t, url)
	_, err := fmt.Fprintf(conn, "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer configured\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", api.MaxBody)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			if _, err := conn.Write([]byte(" ")); err != nil {
				return
			}
			time.Sleep(time.Millisecond) //nolint:forbidigo // the pace of this sender
		}
	}()
	p, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestABodyMustKeepItsPace: one that arrives byte by byte is refused, and so
// is one that keeps the pace and does not end.
func TestABodyMustKeepItsPace(t *testing.T) {
	for name, p := range map[string]api.Pace{
		"too few bytes":   {Bytes: api.MaxBody, Window: 50 * time.Millisecond, All: time.Hour},
		"too long in all": {Bytes: 1, Window: time.Hour, All: 50 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // a refused body is waited for
			store := &fakeStore{}
			e := newTestEvents(store)
			e.places.Pace = p
			resp := trickle(t, serve(t, e))
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "too slowly") || store.calls > 0 {
				t.Errorf("%d %s, stored %d, %v", resp.StatusCode, text, store.calls, err)
			}
		})
	}
}

// TestRefusedBodiesAreReadForFewAtOnce: when as many are read as may be, the
// next refusal closes its connection, and does not wait for the body.
func TestRefusedBodiesAreReadForFewAtOnce(t *testing.T) {
	e := newTestEvents(&fakeStore{})
	e.Access.Drains = limit.New(limit.Config{Places: 1})
	place, err := e.Access.Drains.Acquire(t.Context(), "another address")
	if err != nil {
		t.Fatal(err)
	}
	defer place.Release()
	conn := dial(t, serve(t, e))
	if _, err := io.WriteString(conn, "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || !resp.Close {
		t.Errorf("%d, connection closed: %v", resp.StatusCode, resp.Close)
	}
}
