package send

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// server is a receiver that counts its requests.
type server struct {
	*httptest.Server
	hits, connections atomic.Int64
}

func newServer(t *testing.T, handle http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		if handle != nil {
			handle(w, r)
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// local is a client that may reach this machine.
func local(t *testing.T) *Client {
	t.Helper()
	client := New(Config{AllowCIDRs: prefixes("127.0.0.0/8", "::1/128")})
	t.Cleanup(client.Close)
	return client
}

// TestFetch: a look-up has the answer, whatever its status is, and a sentence
// where there is none.
func TestFetch(t *testing.T) {
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
		_, _ = io.WriteString(w, r.Header.Get("Accept"))
	})
	gone := newServer(t, nil)
	gone.Close()
	client := local(t)
	for _, c := range []struct {
		url  string
		most int64
		body string
		err  error
	}{
		{srv.URL, 1000, "application/json", nil},
		{srv.URL, 10, "", errLongAnswer},
		{gone.URL, 1000, "", wire.Sentence("The connection was refused.")},
		{"ftp://example.com/", 1000, "", errScheme},
		{"http://10.0.0.1/", 1000, "", errNotAllowed},
	} {
		status, body, err := client.Fetch(t.Context(), c.url, c.most)
		if !errors.Is(err, c.err) || !bytes.HasSuffix(body, []byte(c.body)) || err == nil && status != http.StatusFound {
			t.Errorf("%s, at most %d bytes: %d %q, %v", c.url, c.most, status, body, err)
		}
	}
	if n := srv.hits.Load(); n != 2 {
		t.Errorf("%d requests", n)
	}
}

// do sends and checks the rules for every result. The time-out is generous
// where a test does not care.
func do(t *testing.T, c *Client, r Request) Result {
	t.Helper()
	if r.Timeout == 0 {
		r.Timeout = 20 * time.Second
	}
	begun := time.Now()
	got := c.Do(t.Context(), r)
	if took := time.Since(begun); took > r.Timeout+2*time.Second {
		t.Errorf("returned after %v, time-out %v", took, r.Timeout)
	}
	checkResult(t, got)
	return got
}

func checkResult(t *testing.T, got Result) {
	t.Helper()
	if (got.Code != 0) == (got.ErrorClass != "") || (got.ErrorClass == "") != (got.Error == "") {
		t.Errorf("code %d, class %q, error %q", got.Code, got.ErrorClass, got.Error)
	}
	if got.StartedAt.IsZero() || got.Duration <= 0 {
		t.Errorf("started at %v, took %v", got.StartedAt, got.Duration)
	}
	recorded := [][]byte{got.Body, []byte(got.Error)}
	size := 0
	for _, h := range slices.Concat(got.RequestHeaders, got.ResponseHeaders) {
		recorded = append(recorded, []byte(h.Name), []byte(h.Value))
	}
	for _, h := range got.ResponseHeaders {
		size += len(h.Name) + len(h.Value)
	}
	for _, text := range recorded {
		if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
			t.Errorf("recorded text %q", text)
		}
	}
	if len(got.Body) > maxBody || size > maxHeaders {
		t.Errorf("recorded %d bytes of body, %d of headers", len(got.Body), size)
	}
}

// rawServer is a receiver that sends any bytes. Connections are closed when
// talk returns, and at the test's end.
func rawServer(t *testing.T, talk func(conn net.Conn)) (address string) {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(t.Context(), func() { _ = conn.Close() })
			go func() {
				defer stop()
				defer func() { _ = conn.Close() }()
				talk(conn)
			}()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
	})
	return listener.Addr().String()
}

// readRequest reads one request, body and all, and returns it as it came.
func readRequest(conn io.Reader) string {
	var seen bytes.Buffer
	r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &seen)))
	if err != nil {
		return ""
	}
	_, _ = io.Copy(io.Discard, r.Body)
	return seen.String()
}

func TestDoSends(t *testing.T) {
	seen := make(chan string, 1)
	address := rawServer(t, func(conn net.Conn) {
		seen <- readRequest(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 201 Created\r\nX-B: 2\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok")
	})
	got := do(t, local(t), Request{
		URL: "http://" + address + "/hook?token=abc#fragment", Body: []byte(`{"é":1}`),
		Headers: []wire.Header{
			{Name: "Content-Type", Value: "application/json"},
			{Name: "user-agent", Value: "Sitehooks/1"},
			{Name: "webhook-id", Value: "msg_1"},
			{Name: "X-SuperOffice-EventId", Value: "e"},
			{Name: "Webhook-Id", Value: "forged"},
		},
	})
	if got.Code != 201 || string(got.Body) != "ok" || got.Truncated || got.Header.Get("X-A") != "1" {
		t.Errorf("got %+v", got)
	}
	want := []wire.Header{{Name: "Content-Length", Value: "2"}, {Name: "X-A", Value: "1"}, {Name: "X-B", Value: "2"}}
	if !slices.Equal(got.ResponseHeaders, want) || len(got.RequestHeaders) != 4 {
		t.Errorf("headers %v, %v", got.ResponseHeaders, got.RequestHeaders)
	}
	request := <-seen
	for _, line := range []string{
		"POST /hook?token=abc HTTP/1.1\r\n", "Host: " + address + "\r\n", "User-Agent: Sitehooks/1\r\n", "webhook-id: msg_1\r\n",
		"X-SuperOffice-EventId: e\r\n", "Content-Length: 8\r\n", "\r\n\r\n{\"é\":1}",
	} {
		if !strings.Contains(request, line) {
			t.Errorf("request %q lacks %q", request, line)
		}
	}
	for _, absent := range []string{"forged", "Accept-Encoding", "Idempotency", "fragment", "Go-http-client"} {
		if strings.Contains(request, absent) {
			t.Errorf("request %q has %q", request, absent)
		}
	}
}

func TestDoKeepsConnections(t *testing.T) {
	srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") })
	client := local(t)
	for range 5 {
		if got := do(t, client, Request{URL: srv.URL, Body: []byte("x")}); got.Code != 200 {
			t.Fatalf("got %+v", got)
		}
	}
	if n := srv.connections.Load(); n != 1 {
		t.Errorf("%d connections for five requests", n)
	}
}

// TestDoSurvivesClosedIdleConnections: a receiver that closes kept connections
// just as they are used again costs no attempt, and however many it closes, a
// request goes out twice at most.
func TestDoSurvivesClosedIdleConnections(t *testing.T) {
	const idle = 3
	var connections, requests atomic.Int64
	allArrived := make(chan struct{})
	address := rawServer(t, func(conn net.Conn) {
		n := connections.Add(1)
		_ = readRequest(conn)
		if requests.Add(1) == idle { // each on a connection of its own
			close(allArrived)
		}
		<-allArrived
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		if n <= idle && readRequest(conn) != "" {
			requests.Add(1) // and close, without an answer
		}
	})
	client := local(t)
	var first sync.WaitGroup
	for range idle {
		first.Go(func() {
			if got := client.Do(t.Context(), Request{URL: "http://" + address, Body: []byte("x")}); got.Code != 200 || got.Reconnected {
				t.Errorf("a first request: %+v", got)
			}
		})
	}
	first.Wait()
	if got := do(t, client, Request{URL: "http://" + address, Body: []byte("x")}); got.Code != 200 || !got.Reconnected {
		t.Errorf("code %d, class %q, reconnected %v", got.Code, got.ErrorClass, got.Reconnected)
	}
	if connections.Load() != idle+1 || requests.Load() != idle+2 {
		t.Errorf("%d connections, %d requests", connections.Load(), requests.Load())
	}
}

func TestDoIgnoresProxies(t *testing.T) {
	proxy := newServer(t, nil)
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	srv := newServer(t, nil)
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	client := New(Config{
		Resolver: &names{lists: map[string][][]string{"hooks.internal": {{"127.0.0.1"}}}}, AllowHosts: []string{"hooks.internal"},
	})
	if got := do(t, client, Request{URL: "http://hooks.internal:" + port}); got.Code != 200 || proxy.hits.Load() != 0 || srv.hits.Load() != 1 {
		t.Errorf("%+v; the proxy was asked %d times", got, proxy.hits.Load())
	}
	if got := do(t, client, Request{URL: "http://10.0.0.1/"}); got.ErrorClass != wire.ClassBlocked || proxy.hits.Load() != 0 {
		t.Errorf("%+v; the proxy was asked %d times", got, proxy.hits.Load())
	}
}

func TestDoNeverFollowsRedirects(t *testing.T) {
	inner := newServer(t, nil)
	for _, code := range []int{301, 302, 303, 307, 308} {
		srv := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", inner.URL+"/admin")
			w.WriteHeader(code)
		})
		if got := do(t, local(t), Request{URL: srv.URL}); got.Code != code || got.Header.Get("Location") == "" {
			t.Errorf("got %+v", got)
		}
	}
	if inner.hits.Load() != 0 {
		t.Error("a redirect was followed")
	}
}

func TestDoIsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	srv := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	got := local(t).Do(ctx, Request{URL: srv.URL, Timeout: 20 * time.Second})
	checkResult(t, got)
	if got.ErrorClass != wire.ClassCanceled {
		t.Errorf("got %+v", got)
	}
}
