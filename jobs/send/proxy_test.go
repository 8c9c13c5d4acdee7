package send

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// forwarder is an HTTP proxy: it sends requests on, and makes tunnels.
type forwarder struct {
	*server
	mu    sync.Mutex
	asked []string // "CONNECT host:port" or "POST http://…"
	code  int      // of the answer to a request for a tunnel; 0: it makes one
}

func newForwarder(t *testing.T) *forwarder {
	t.Helper()
	f := &forwarder{}
	f.server = newServer(t, f.forward)
	return f
}

func (f *forwarder) forward(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+r.RequestURI)
	code := f.code
	f.mu.Unlock()
	switch {
	case r.Method != http.MethodConnect:
		w.Header().Set("X-Through", "proxy")
		_, _ = io.Copy(w, r.Body)
	case code != 0:
		w.WriteHeader(code)
	default:
		f.tunnel(w, r.RequestURI)
	}
}

func (f *forwarder) tunnel(w http.ResponseWriter, to string) {
	there, err := net.Dial("tcp", to)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(there, here)
		_ = there.Close()
	}()
	_, _ = io.Copy(here, there)
	_ = here.Close()
}

// takes returns the requests since the last call.
func (f *forwarder) takes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := f.asked
	f.asked = nil
	return asked
}

// behind is a client that sends all through a proxy.
func behind(t *testing.T, proxy string, change func(*Config)) *Client {
	t.Helper()
	at, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Proxy: at, AllowHosts: []string{"hooks.internal"}, Resolver: &names{lists: map[string][][]string{
		"hooks.internal": {{"127.0.0.1"}}, "private.example": {{"10.0.0.1"}}, "public.example": {{"8.8.8.8"}},
	}}}
	if change != nil {
		change(&c)
	}
	client := New(c)
	t.Cleanup(client.Close)
	return client
}

// TestDoThroughTheProxy: a request leaves through the proxy, whose own address needs no
// permission, and what the guard refuses never reaches it.
func TestDoThroughTheProxy(t *testing.T) {
	proxy := newForwarder(t)
	client := behind(t, proxy.URL, nil)
	got := do(t, client, Request{URL: "http://hooks.internal:81/in", Body: []byte("x")})
	if got.Code != 200 || string(got.Body) != "x" || got.Header.Get("X-Through") != "proxy" {
		t.Errorf("%+v", got)
	}
	if asked := proxy.takes(); len(asked) != 1 || asked[0] != "POST http://hooks.internal:81/in" {
		t.Errorf("the proxy was asked %q", asked)
	}
	for _, target := range []string{"http://private.example/", "https://private.example/", "http://127.0.0.1/", "https://169.254.169.254/"} {
		if got := do(t, client, Request{URL: target}); got.ErrorClass != wire.ClassBlocked || got.Code != 0 {
			t.Errorf("%s: %+v", target, got)
		}
	}
	if got := do(t, client, Request{URL: "https://nowhere.example/"}); got.ErrorClass != wire.ClassDNS {
		t.Errorf("a name that does not resolve: %+v", got)
	}
	if asked := proxy.takes(); len(asked) != 0 {
		t.Errorf("the proxy was asked %q", asked)
	}
}

// TestDoThroughATunnel: a target with https is reached through a tunnel, so that the
// proxy sees only host and port.
func TestDoThroughATunnel(t *testing.T) {
	receiver := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	t.Cleanup(receiver.Close)
	roots := x509.NewCertPool()
	roots.AddCert(receiver.Certificate())
	proxy := newForwarder(t)
	host := receiver.Listener.Addr().String()
	client := behind(t, proxy.URL, func(c *Config) {
		c.RootCAs, c.AllowCIDRs = roots, prefixes("127.0.0.0/8")
	})
	if got := do(t, client, Request{URL: "https://" + host + "/secret-path", Body: []byte("x")}); got.Code != 200 || string(got.Body) != "x" {
		t.Errorf("%+v", got)
	}
	if asked := proxy.takes(); len(asked) != 1 || asked[0] != "CONNECT "+host {
		t.Errorf("the proxy was asked %q", asked)
	}
	client.Close() // else the tunnel is used again
	for _, code := range []int{http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusBadGateway} {
		proxy.mu.Lock()
		proxy.code = code
		proxy.mu.Unlock()
		got := do(t, client, Request{URL: "https://" + host + "/"})
		want := fmt.Sprintf("The proxy of SITEHOOKS_PROXY refused the connection: %d.", code)
		if got.ErrorClass != wire.ClassRefused || got.Error != want || got.Code != 0 {
			t.Errorf("%d: %+v", code, got)
		}
	}
}

// TestDoWithoutTheProxy: a proxy that does not answer is named as the cause, and not the
// receiver.
func TestDoWithoutTheProxy(t *testing.T) {
	proxy := newForwarder(t)
	client := behind(t, proxy.URL, nil)
	proxy.Close()
	for _, target := range []string{"http://public.example/", "https://public.example/"} {
		got := do(t, client, Request{URL: target})
		if got.ErrorClass != wire.ClassRefused || got.Error != "The proxy of SITEHOOKS_PROXY cannot be reached." || got.Code != 0 {
			t.Errorf("%s: %+v", target, got)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := client.Do(ctx, Request{URL: "http://public.example/"}); got.ErrorClass != wire.ClassCanceled {
		t.Errorf("stopped: %+v", got)
	}
	if got := client.Do(t.Context(), Request{URL: "http://public.example/", Timeout: time.Nanosecond}); got.ErrorClass != wire.ClassTimeout {
		t.Errorf("out of time: %+v", got)
	}
}
