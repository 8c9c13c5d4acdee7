package send

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// exchange sends the request and fills in the response. The result's code is
// set as soon as the answer began, even when an error follows.
func (c *Client) exchange(ctx context.Context, r Request, timeout time.Duration, result *Result) error {
	if r.to.fault != nil {
		return &blockedError{r.to.fault.Error()}
	}
	red := &r.to.hidden
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := c.checkProxied(ctx, r.to.target); err != nil {
		return err
	}
	resp, lost, err := post(ctx, c.transport, r)
	if lost {
		result.Reconnected = true
		resp, _, err = post(ctx, c.fresh, r)
	}
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	result.Code, result.Header = resp.StatusCode, resp.Header
	result.ResponseHeaders = red.headers(sortedHeaders(resp.Header), 0)
	raw, cut, err := readBody(resp, r.Keep)
	result.Body, result.Truncated = red.body(raw, cut || err != nil), cut
	return err
}

// readBody reads as much of the answer as may be kept; cut: there was more.
// Errors beyond that are ignored. A switch of protocols, which was not asked
// for, has no body.
func readBody(resp *http.Response, keep func(int) bool) (raw []byte, cut bool, err error) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return nil, false, nil
	}
	raw = make([]byte, 0, 512)
	for len(raw) <= maxBody {
		if len(raw) == cap(raw) {
			grown := min(2*cap(raw), maxBody+1)
			if grown > freeBody && keep != nil && !keep(grown-cap(raw)) {
				return raw, true, nil
			}
			raw = append(make([]byte, 0, grown), raw...)
		}
		n, err := resp.Body.Read(raw[len(raw):cap(raw)])
		raw = raw[:len(raw)+n]
		if len(raw) > maxBody {
			break
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return raw, false, err
		}
	}
	return raw, true, nil
}

// post sends a request once; lost: the receiver gave up the connection without
// answering, before it took the request or while a kept connection lay idle.
//
// The transport cannot read the body a second time, so it never repeats a
// request by itself. It would do so for every connection that it has kept, and
// without end when HTTP/2 connections are given up as they are made.
func post(ctx context.Context, by *http.Transport, r Request) (resp *http.Response, lost bool, err error) {
	var idle, answered atomic.Bool
	traced := httptrace.WithClientTrace(withDeadline(ctx), &httptrace.ClientTrace{
		GotConn:              func(got httptrace.GotConnInfo) { idle.Store(got.Reused && !isHTTP2(got.Conn)) },
		GotFirstResponseByte: func() { answered.Store(true) },
	})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, "", io.NopCloser(bytes.NewReader(r.Body)))
	if err != nil {
		return nil, false, err
	}
	req.ContentLength = int64(len(r.Body))
	req.URL, req.Host = r.to.target.url, r.to.target.url.Host
	setHeaders(req.Header, r.Headers)
	if resp, err = by.RoundTrip(req); err == nil {
		return resp, false, nil
	}
	closed := idle.Load() && !answered.Load() && classOf(ctx, err) == wire.ClassReset
	return nil, closed || strings.Contains(err.Error(), "cannot retry err"), err // so HTTP/2 says it
}

func isHTTP2(conn net.Conn) bool {
	encrypted, ok := conn.(*tls.Conn)
	return ok && encrypted.ConnectionState().NegotiatedProtocol == "h2"
}

// setHeaders sets headers with their names as they are spelt, since some
// receivers' documents have them in lower case. User-Agent is the one that
// net/http looks for by its usual spelling, to add its own when there is none.
func setHeaders(to http.Header, headers []wire.Header) {
	for _, h := range headers {
		name := h.Name
		if strings.EqualFold(name, "User-Agent") {
			name = "User-Agent"
		}
		to[name] = []string{h.Value}
	}
}

// firstOfEach drops headers whose name came before.
func firstOfEach(headers []wire.Header) []wire.Header {
	first := make([]wire.Header, 0, len(headers))
	for _, h := range headers {
		if !slices.ContainsFunc(first, func(k wire.Header) bool { return strings.EqualFold(k.Name, h.Name) }) {
			first = append(first, h)
		}
	}
	return first
}

// deadlineKey carries a request's deadline to the dialer: the transport frees a
// dial from its request's cancellation, so that another request may use the
// connection, and thereby also from its deadline.
type deadlineKey struct{}

func withDeadline(ctx context.Context) context.Context {
	deadline, _ := ctx.Deadline()
	return context.WithValue(ctx, deadlineKey{}, deadline)
}

func dialDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Value(deadlineKey{}).(time.Time); ok {
		return context.WithDeadline(ctx, deadline)
	}
	return context.WithTimeout(ctx, defaultTimeout)
}
