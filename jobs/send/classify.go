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
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// classify finds the class of an exchange's error, and words for people. The
// words never repeat sent or received data, except for the host's name and the
// fault of its certificate. code is that of an answer that began, or 0.
func classify(ctx context.Context, err error, code int, timeout time.Duration) (class, words string) {
	class = classOf(ctx, err)
	switch class {
	case wire.ClassBlocked:
		words = err.Error()
	case wire.ClassDNS:
		words = "The host name does not resolve."
		if dns, ok := errors.AsType[*net.DNSError](err); ok {
			words = fmt.Sprintf("The host name %s does not resolve.", dns.Name)
		}
	case wire.ClassRefused:
		words = "The connection was refused."
		if proxy, ok := errors.AsType[*proxyError](err); ok {
			words = proxy.words
		} else if !errors.Is(err, syscall.ECONNREFUSED) {
			words = "The receiver's address cannot be reached."
		}
	case wire.ClassTimeout:
		words = fmt.Sprintf("The receiver did not answer completely within %s.", timeout)
	case wire.ClassTLS:
		words = "A trusted TLS connection could not be established: " + tlsWords(err)
	case wire.ClassReset:
		words = "The connection was closed before the response was complete."
	case wire.ClassProtocol:
		// HTTP/2 has no other word for headers far beyond the limit.
		words = fmt.Sprintf("The response is not valid HTTP, or has more than %d KiB of headers.", maxHeaders>>10)
	case wire.ClassTooLarge:
		words = fmt.Sprintf("The response has more than %d KiB of headers.", maxHeaders>>10)
	case wire.ClassCanceled:
		words = "The attempt was interrupted because Sitehooks is stopping."
	default:
		words = "The request could not be sent."
		if strings.Contains(err.Error(), "invalid header") {
			words = "A custom header is not valid."
		}
	}
	if code != 0 {
		words = fmt.Sprintf("The receiver started to answer %d. %s", code, words)
	}
	return class, words
}

// classOf looks first at our own errors, then at types, and at texts only where
// net/http has no type for a fault.
func classOf(ctx context.Context, err error) string {
	var blocked *blockedError
	var dns *net.DNSError
	var timeout net.Error
	var proxy *proxyError
	switch {
	case errors.As(err, &blocked):
		return wire.ClassBlocked
	case ctx.Err() != nil:
		return wire.ClassCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return wire.ClassTimeout
	case errors.As(err, &proxy):
		return wire.ClassRefused
	case errors.As(err, &dns):
		return wire.ClassDNS
	case errors.As(err, &timeout) && timeout.Timeout():
		return wire.ClassTimeout
	case isTLS(err):
		return wire.ClassTLS
	}
	if class := classOfText(err.Error()); class != "" {
		return class
	}
	var protocol textproto.ProtocolError
	var op *net.OpError
	for _, closed := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, closed) {
			return wire.ClassReset
		}
	}
	switch {
	case errors.As(err, &protocol):
		return wire.ClassProtocol
	case errors.As(err, &op) && op.Op == "dial":
		return wire.ClassRefused
	case errors.As(err, &op):
		return wire.ClassReset
	}
	return wire.ClassOther
}

// faultTexts are parts of error texts of net/http, which exports no types for
// them. The first that is found decides.
var faultTexts = []struct{ text, class string }{
	{"response headers exceeded", wire.ClassTooLarge},
	{"too many 1xx informational responses", wire.ClassTooLarge},
	{"response header list larger", wire.ClassTooLarge},
	{"PROTOCOL_ERROR", wire.ClassProtocol},
	{"FRAME_SIZE_ERROR", wire.ClassProtocol},
	{"COMPRESSION_ERROR", wire.ClassProtocol},
	{"stream error:", wire.ClassReset},
	{"GOAWAY", wire.ClassReset},
	{"client connection lost", wire.ClassReset},
	{"server closed idle connection", wire.ClassReset},
	{"connection error:", wire.ClassProtocol},
	{"malformed", wire.ClassProtocol},
	{"chunk", wire.ClassProtocol},
	{"Content-Length", wire.ClassProtocol},
	{"content length", wire.ClassProtocol},
	{"transfer encoding", wire.ClassProtocol},
}

func classOfText(text string) string {
	for _, f := range faultTexts {
		if strings.Contains(text, f.text) {
			return f.class
		}
	}
	return ""
}

func isTLS(err error) bool {
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var certificate x509.CertificateInvalidError
	if errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &certificate) {
		return true
	}
	text := err.Error()
	return strings.Contains(text, "tls: ") || strings.Contains(text, "x509: ") ||
		strings.Contains(text, "HTTP response to HTTPS client")
}

// tlsWords is the fault, without the names of the packages that found it.
func tlsWords(err error) string {
	if verification, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		err = verification.Err
	}
	words := strings.NewReplacer("remote error: ", "it says: ", "tls: ", "", "x509: ", "", "http: ", "").Replace(err.Error())
	const most = 300
	if len(words) > most {
		words = words[:most] + "…"
	}
	return words + "."
}
