// Package send is the one HTTP client by which Sitehooks reaches receivers:
// the check when a webhook is saved, a test, a delivery and a resend all use it.
//
// It promises that a request goes only to an address the guard allows, which it
// checks after the name was resolved and just before it dials; that no redirect
// and no proxy of the environment leads elsewhere; that an exchange ends in its time and keeps a
// bounded amount; and that the results to record are valid text without the
// given secrets.
//
// It does not know webhooks, the meaning of a response, or retries.
package send

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

const (
	maxBody    = 64 << 10 // bytes of a response's body that are kept
	freeBody   = 8 << 10  // of these, which need no permission
	maxHeaders = 32 << 10 // bytes of headers that are read
	// defaultTimeout serves a request that names none.
	defaultTimeout = 15 * time.Second
)

// Config has the addresses that the guard allows besides public ones, and those
// that it never allows.
type Config struct {
	AllowCIDRs []netip.Prefix
	// AllowHosts may have private addresses. Compared as a whole, without
	// regard to case or a trailing dot.
	AllowHosts []string
	// Deny is refused even when allowed: our own listening address and the
	// database. An unspecified IP stands for every address of this machine.
	Deny []netip.AddrPort
	// DenyURL is refused by its host and port, even when allowed: it is how
	// browsers reach us. nil: none.
	DenyURL *url.URL
	// Proxy is an HTTP proxy that all requests go through; nil: none. It
	// resolves names itself, so a target is checked before each request, but
	// not what the proxy then connects to.
	Proxy    *url.URL
	RootCAs  *x509.CertPool // nil: the system's
	Resolver Resolver       // nil: net.DefaultResolver
}

// Resolver finds the addresses of a name, as net.Resolver does.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Client sends requests to receivers. It is safe for concurrent use and keeps
// connections open for the next request to the same receiver.
type Client struct {
	guard     guard
	proxied   bool
	transport *http.Transport
	fresh     *http.Transport // a new connection for each request
}

// New makes a client.
func New(c Config) *Client {
	client := &Client{guard: newGuard(c), proxied: c.Proxy != nil}
	client.transport = client.newTransport(c.RootCAs)
	if c.Proxy != nil {
		client.transport.Proxy = http.ProxyURL(c.Proxy)
		client.transport.DialContext = dialProxy
		client.transport.OnProxyConnectResponse = proxyAnswered
	}
	client.fresh = client.transport.Clone()
	client.fresh.DisableKeepAlives = true
	return client
}

func (c *Client) newTransport(roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:       nil, // HTTP_PROXY would lead around the guard
		DialContext: c.guard.dial,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: roots,
			ClientSessionCache: tls.NewLRUClientSessionCache(256),
		},
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // an answer is kept as it came; nothing unfolds
		MaxResponseHeaderBytes: maxHeaders,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    128, // many webhooks may share a host
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    30 * time.Second,
		// A receiver may send no more ahead than is kept, and a connection
		// that went dead is found and closed.
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream: 2 * maxBody, MaxReceiveBufferPerConnection: 1 << 20,
			SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second, WriteByteTimeout: 10 * time.Second,
		},
	}
}

// DenyAlso has addresses refused besides those of the configuration, even when
// they are allowed, in place of those of the call before.
func (c *Client) DenyAlso(addresses []netip.AddrPort) {
	if c.guard.denyAlso(addresses) {
		c.transport.CloseIdleConnections() // of which some may lead there
	}
}

// Close closes the connections that are kept open for later.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
	c.fresh.CloseIdleConnections()
}

// Request is one POST.
type Request struct {
	URL string
	// Headers are sent with their names spelt as they are. Of two with the
	// same name the first is sent.
	Headers []wire.Header
	Body    []byte
	Timeout time.Duration // of the whole exchange; 0: 15 s
	// Redact are the secrets that results must not contain. Those of fewer than
	// four bytes cannot be told from other text and are left.
	Redact []string
	// Keep is asked before more than the first 8 KiB of an answer's body take
	// so many more bytes of memory; false: the rest is not kept. nil: yes.
	Keep func(bytes int) bool

	to  *destination // result of URL and Redact; nil: not computed yet
	own int          // how many of the headers, at the front, hold no secret
}

// destination is the address of requests, and the texts to hide in their
// results.
type destination struct {
	target target
	fault  error // of the URL
	hidden redactor
}

func destinationOf(url string, redact []string) *destination {
	d := &destination{hidden: newRedactor(redact)}
	d.target, d.fault = parseTarget(url)
	return d
}

// Result is the result of a request. Either Code or ErrorClass is set.
type Result struct {
	StartedAt  time.Time
	Duration   time.Duration
	Code       int
	ErrorClass string // one of wire's classes
	Error      string // in words for people, without secrets
	// RequestHeaders and ResponseHeaders are to be recorded: sensitive values
	// starred, at most 32 KiB. ResponseHeaders and Body are also set when an
	// answer began and broke off.
	RequestHeaders  []wire.Header
	ResponseHeaders []wire.Header
	Header          http.Header // as received, for the policy; never to be recorded
	Body            []byte      // valid UTF-8 without NUL, redacted, at most 64 KiB
	Truncated       bool        // the body was longer than is kept
	// Reconnected: the receiver gave the connection up before it answered, and
	// the request was sent once more, on a new one.
	Reconnected bool
}

// Do sends a request and waits for the whole answer, at most its time-out.
// Every fault becomes part of the result. A redirect is an answer like others.
func (c *Client) Do(ctx context.Context, r Request) Result {
	result := Result{StartedAt: time.Now().UTC()}
	begun := time.Now()
	if r.to == nil {
		r.to = destinationOf(r.URL, r.Redact)
	}
	red := &r.to.hidden
	r.Headers = firstOfEach(r.Headers)
	result.RequestHeaders = red.headers(r.Headers, r.own)
	timeout := r.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	if err := c.exchange(ctx, r, timeout, &result); err != nil {
		result.ErrorClass, result.Error = classify(ctx, err, result.Code, timeout)
		result.Error = red.text(result.Error)
		result.Code = 0
	}
	result.Duration = time.Since(begun)
	return result
}
