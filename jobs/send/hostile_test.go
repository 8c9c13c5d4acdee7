package send

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

const brief = 150 * time.Millisecond // a time-out that is meant to pass

func TestDoOnSlowReceivers(t *testing.T) {
	drip := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
			}
		}
	})
	silent := rawServer(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	deaf := rawServer(t, func(net.Conn) { <-t.Context().Done() }) // never reads
	for name, r := range map[string]Request{
		"one byte at a time":     {URL: drip.URL},
		"no answer":              {URL: "http://" + silent},
		"TLS never finishing":    {URL: "https://" + silent},
		"does not read a body":   {URL: "http://" + deaf, Body: make([]byte, 32<<20)},
		"nor a TLS client hello": {URL: "https://" + deaf},
	} {
		r.Timeout = brief
		got := do(t, local(t), r)
		if got.ErrorClass != wire.ClassTimeout || !strings.Contains(got.Error, "150ms") {
			t.Errorf("%s: %+v", name, got)
		}
		if name == "one byte at a time" && (len(got.Body) == 0 || !strings.HasPrefix(got.Error, "The receiver started to answer 200.")) {
			t.Errorf("%s: body %q, error %q", name, got.Body, got.Error)
		}
	}
}

type resolverFunc func(ctx context.Context) ([]netip.Addr, error)

func (f resolverFunc) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	return f(ctx)
}

func TestDoOnResolvers(t *testing.T) {
	hangs := resolverFunc(func(ctx context.Context) ([]netip.Addr, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	deaf := resolverFunc(func(context.Context) ([]netip.Addr, error) {
		<-t.Context().Done()
		return nil, nil
	})
	fails := resolverFunc(func(context.Context) ([]netip.Addr, error) { return nil, io.ErrClosedPipe })
	empty := resolverFunc(func(context.Context) ([]netip.Addr, error) { return nil, nil })
	for name, c := range map[string]struct {
		resolver Resolver
		want     string
	}{
		"hangs": {hangs, wire.ClassTimeout}, "ignores its context": {deaf, wire.ClassTimeout},
		"fails": {fails, wire.ClassDNS}, "finds nothing": {empty, wire.ClassDNS}, "knows no such name": {&names{}, wire.ClassDNS},
	} {
		got := do(t, New(Config{Resolver: c.resolver}), Request{URL: "https://hooks.example/x?secret", Timeout: brief})
		if got.ErrorClass != c.want || strings.Contains(got.Error, "secret") {
			t.Errorf("%s: %+v", name, got)
		}
		if c.want == wire.ClassDNS && got.Error != "The host name hooks.example does not resolve." {
			t.Errorf("%s: %q", name, got.Error)
		}
	}
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for chunk := bytes.Repeat([]byte("0123456789abcdef"), 1024); ; {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func TestDoOnEndlessBodies(t *testing.T) {
	srv := newServer(t, endless)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(endless))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	client := New(Config{AllowCIDRs: prefixes("127.0.0.0/8"), RootCAs: roots})
	for _, url := range []string{srv.URL, secure.URL} {
		got := do(t, client, Request{URL: url})
		if got.Code != 200 || !got.Truncated || len(got.Body) != maxBody {
			t.Errorf("%s: code %d, class %q, %d bytes, truncated %v", url, got.Code, got.ErrorClass, len(got.Body), got.Truncated)
		}
	}
}

func TestDoOnHTTP2(t *testing.T) {
	protocol := make(chan string, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocol <- r.Proto
		if size, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/")); err == nil {
			for i := range size {
				w.Header().Set("X-"+strconv.Itoa(i), strings.Repeat("x", 1<<10))
			}
			w.Header().Set("X-One", strings.Repeat("x", size<<9))
		}
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	client := New(Config{AllowCIDRs: prefixes("127.0.0.0/8"), RootCAs: roots})
	r := Request{URL: srv.URL, Body: []byte("x"), Headers: []wire.Header{{Name: "webhook-id", Value: "1"}, {Name: "X-Mixed-Case", Value: "2"}}}
	if got := do(t, client, r); got.Code != 200 || <-protocol != "HTTP/2.0" {
		t.Errorf("got %+v", got)
	}
	// Headers far beyond the limit are a protocol error in HTTP/2.
	for kib, want := range map[string]string{"1": "", "20": "", "40": wire.ClassProtocol, "1000": wire.ClassProtocol} {
		large := r
		large.URL += "/" + kib
		got := do(t, client, large)
		if <-protocol; got.ErrorClass != want {
			t.Errorf("header of %s KiB: class %q %q", kib, got.ErrorClass, got.Error)
		}
	}
}

func TestDoOnBadTLS(t *testing.T) {
	unknown := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknown.Config.ErrorLog = log.New(io.Discard, "", 0)
	unknown.StartTLS()
	t.Cleanup(unknown.Close)
	plain := newServer(t, nil)
	garbage := rawServer(t, func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1))
		_, _ = io.WriteString(conn, strings.Repeat("\x00\xff garbage", 100))
	})
	for _, address := range []string{unknown.Listener.Addr().String(), plain.Listener.Addr().String(), garbage} {
		got := do(t, local(t), Request{URL: "https://" + address + "/hook?token=s3cret"})
		if got.ErrorClass != wire.ClassTLS || strings.Contains(got.Error, "s3cret") {
			t.Errorf("%s: class %q, %q", address, got.ErrorClass, got.Error)
		}
	}
}

func TestDoOnRefusedConnection(t *testing.T) {
	srv := newServer(t, nil)
	srv.Close()
	if got := do(t, local(t), Request{URL: srv.URL}); got.ErrorClass != wire.ClassRefused || got.Error != "The connection was refused." {
		t.Errorf("got %+v", got)
	}
}

func TestDoOnTooManyHeaders(t *testing.T) {
	answer := func(head string) func(net.Conn) {
		return func(conn net.Conn) {
			_ = readRequest(conn)
			_, _ = io.WriteString(conn, head+"Content-Length: 0\r\n\r\n")
		}
	}
	var many strings.Builder
	for i := range 10000 {
		fmt.Fprintf(&many, "X-%d: v\r\n", i)
	}
	for name, talk := range map[string]func(net.Conn){
		"one of 1 MB": answer("HTTP/1.1 200 OK\r\nX-Huge: " + strings.Repeat("x", 1<<20) + "\r\n"),
		"10,000":      answer("HTTP/1.1 200 OK\r\n" + many.String()),
		"1xx storm": func(conn net.Conn) {
			_ = readRequest(conn)
			for {
				if _, err := io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"); err != nil {
					return
				}
			}
		},
	} {
		if got := do(t, local(t), Request{URL: "http://" + rawServer(t, talk)}); got.ErrorClass != wire.ClassTooLarge {
			t.Errorf("%s: class %q, %q", name, got.ErrorClass, got.Error)
		}
	}
	fits := rawServer(t, answer("HTTP/1.1 200 OK\r\nX-Large: "+strings.Repeat("\xff", 30<<10)+"\r\n"))
	if got := do(t, local(t), Request{URL: "http://" + fits}); got.Code != 200 {
		t.Errorf("30 KiB of headers: class %q, %q", got.ErrorClass, got.Error)
	}
}

// TestDoOnEarlyClose cuts an answer off after every one of its bytes, and then
// sends the whole.
func TestDoOnEarlyClose(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"
	next := make(chan int, 1)
	address := rawServer(t, func(conn net.Conn) {
		_ = readRequest(conn)
		_, _ = io.WriteString(conn, answer[:<-next])
	})
	client := local(t)
	for n := range len(answer) {
		next <- n
		got := do(t, client, Request{URL: "http://" + address, Body: []byte("x")})
		if got.ErrorClass != wire.ClassReset && got.ErrorClass != wire.ClassProtocol {
			t.Errorf("cut after %d bytes: %+v", n, got)
		}
	}
	next <- len(answer)
	if got := do(t, client, Request{URL: "http://" + address, Body: []byte("x")}); got.Code != 200 || string(got.Body) != "ok" {
		t.Errorf("whole: %+v", got)
	}
}

func TestDoOnWhatIsNotHTTP(t *testing.T) {
	for _, answer := range []string{
		"SSH-2.0-OpenSSH_9.6\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: strange\r\n\r\n", "\x00\x00\x00\x00\r\n\r\n",
	} {
		address := rawServer(t, func(conn net.Conn) {
			_ = readRequest(conn)
			_, _ = io.WriteString(conn, answer)
		})
		if got := do(t, local(t), Request{URL: "http://" + address}); got.ErrorClass != wire.ClassProtocol {
			t.Errorf("%q: class %q, %q", answer, got.ErrorClass, got.Error)
		}
	}
	upgrade := rawServer(t, func(conn net.Conn) {
		_ = readRequest(conn)
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn) // stays open
	})
	if got := do(t, local(t), Request{URL: "http://" + upgrade}); got.Code != 101 {
		t.Errorf("101: %+v", got)
	}
}

func TestDoDoesNotUnfoldGzip(t *testing.T) {
	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	for range 64 {
		_, _ = w.Write(make([]byte, 1<<20))
	}
	_ = w.Close()
	srv := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("gzip was asked for: %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	})
	got := do(t, local(t), Request{URL: srv.URL})
	if got.Code != 200 || len(got.Body) > maxBody || !bytes.HasPrefix(got.Body, []byte("\x1f\uFFFD")) {
		t.Errorf("code %d, %d bytes: %.20q", got.Code, len(got.Body), got.Body)
	}
}
