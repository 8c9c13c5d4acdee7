package send

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

func dialFault(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(8, 8, 8, 8), Port: 443}, Err: err}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		err         error
		class, text string
	}{
		{dialFault(syscall.ECONNREFUSED), wire.ClassRefused, "refused"},
		{dialFault(syscall.EHOSTUNREACH), wire.ClassRefused, "cannot be reached"},
		{dialFault(syscall.ENETUNREACH), wire.ClassRefused, "cannot be reached"},
		{dialFault(context.DeadlineExceeded), wire.ClassTimeout, "within 15s"},
		{&net.OpError{Op: "read", Err: syscall.ETIMEDOUT}, wire.ClassTimeout, "within 15s"},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, wire.ClassReset, "closed"},
		{&net.OpError{Op: "write", Err: errors.New("strange")}, wire.ClassReset, "closed"},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Name: "x.example", IsTimeout: true}}, wire.ClassDNS, "x.example"},
		{fmt.Errorf("wrapped: %w", io.ErrUnexpectedEOF), wire.ClassReset, "closed"},
		{errors.New("http2: client connection lost"), wire.ClassReset, "closed"},
		{errors.New("stream error: stream ID 1; INTERNAL_ERROR; received from peer"), wire.ClassReset, "closed"},
		{errors.New("stream error: stream ID 1; PROTOCOL_ERROR; received from peer"), wire.ClassProtocol, "not valid HTTP"},
		{textproto.ProtocolError("odd"), wire.ClassProtocol, "not valid HTTP"},
		{tls.AlertError(40), wire.ClassTLS, "handshake failure."},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, wire.ClassTLS, "unknown authority."},
		{errors.New("tls: " + strings.Repeat("long", 200)), wire.ClassTLS, "…"},
		{errors.New("something else with s3cret"), wire.ClassOther, "could not be sent"},
		{&blockedError{errNotAllowed.Error()}, wire.ClassBlocked, "SITEHOOKS_ALLOW_TARGETS"},
	} {
		class, words := classify(t.Context(), c.err, 0, 15*time.Second)
		if class != c.class || !strings.Contains(words, c.text) || strings.Contains(words, "s3cret") || len(words) > 500 {
			t.Errorf("%v: %s, %q; want %s, %q", c.err, class, words, c.class, c.text)
		}
		if _, words = classify(t.Context(), c.err, 204, time.Second); !strings.HasPrefix(words, "The receiver started to answer 204. ") {
			t.Errorf("%v after an answer began: %q", c.err, words)
		}
	}
}

func TestDoOnBadHeaders(t *testing.T) {
	srv := newServer(t, nil)
	for _, h := range []wire.Header{{Name: "X-A", Value: "s3cret\r\nX-B: c"}, {Name: "X A", Value: "s3cret"}, {Name: "", Value: "s3cret"}} {
		got := do(t, local(t), Request{URL: srv.URL, Headers: []wire.Header{h}})
		if got.ErrorClass != wire.ClassOther || got.Error != "A custom header is not valid." {
			t.Errorf("%+v: %+v", h, got)
		}
	}
	if srv.hits.Load() != 0 {
		t.Error("the receiver was reached")
	}
	huge := []wire.Header{{Name: "X-Huge", Value: strings.Repeat("x", maxHeaders)}, {Name: "X-After", Value: "y"}}
	if got := do(t, local(t), Request{URL: srv.URL, Headers: huge}); got.Code != 200 || len(got.RequestHeaders) != 0 {
		t.Errorf("code %d, %d headers recorded", got.Code, len(got.RequestHeaders))
	}
}
