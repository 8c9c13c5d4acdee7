package send

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Kinds and flags of HTTP/2 frames, from RFC 9113.
const (
	frameHeaders  = 0x1
	frameReset    = 0x3
	frameSettings = 0x4
	framePing     = 0x6
	frameGoAway   = 0x7
	flagAck       = 0x1
	flagEnd       = 0x5 // of the headers and of the answer
)

func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	head := make([]byte, 9, 9+len(payload))
	binary.BigEndian.PutUint32(head, uint32(len(payload))<<8)
	head[3], head[4] = kind, flags
	binary.BigEndian.PutUint32(head[5:], stream)
	return append(head, payload...)
}

// readFrame returns a frame's kind and stream.
func readFrame(r *bufio.Reader) (kind byte, stream uint32, err error) {
	var head [9]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return 0, 0, err
	}
	_, err = r.Discard(int(binary.BigEndian.Uint32(head[:]) >> 8))
	return head[3], binary.BigEndian.Uint32(head[5:]), err
}

// rawHTTP2 is a receiver that speaks HTTP/2 frame by frame: talk gets the
// connection after the settings were exchanged.
func rawHTTP2(t *testing.T, talk func(conn net.Conn, from *bufio.Reader)) (url string, roots *x509.CertPool) {
	t.Helper()
	lender := httptest.NewTLSServer(nil) // of its certificate
	t.Cleanup(lender.Close)
	roots = x509.NewCertPool()
	roots.AddCert(lender.Certificate())
	config := &tls.Config{Certificates: lender.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	address := rawServer(t, func(plain net.Conn) {
		conn := tls.Server(plain, config)
		from := bufio.NewReader(conn)
		if _, err := from.Discard(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")); err != nil {
			return
		}
		_, _ = conn.Write(append(frame(frameSettings, 0, 0), frame(frameSettings, flagAck, 0)...))
		talk(conn, from)
	})
	return "https://" + address, roots
}

// TestDoOnHTTP2Floods: a receiver that sends frames without end is answered no
// more than it reads, holds a request no longer than its time-out, and when
// it does answer the answer is taken.
func TestDoOnHTTP2Floods(t *testing.T) {
	pings := []byte(strings.Repeat(string(frame(framePing, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)), 1000))
	settings := []byte(strings.Repeat(string(frame(frameSettings, 0, 0)), 1000))
	ok := frame(frameHeaders, flagEnd, 1, 0x88) // :status 200
	flood := func(conn net.Conn, frames []byte) {
		for {
			if _, err := conn.Write(frames); err != nil {
				return
			}
		}
	}
	drain := func(from *bufio.Reader) {
		for {
			if _, _, err := readFrame(from); err != nil {
				return
			}
		}
	}
	for name, c := range map[string]struct {
		talk func(conn net.Conn, from *bufio.Reader)
		want string
	}{
		"pings, their answers read": {func(conn net.Conn, from *bufio.Reader) {
			go drain(from)
			flood(conn, pings)
		}, wire.ClassTimeout},
		"pings, their answers not read": {func(conn net.Conn, _ *bufio.Reader) { flood(conn, pings) }, wire.ClassTimeout},
		"settings":                      {func(conn net.Conn, _ *bufio.Reader) { flood(conn, settings) }, wire.ClassTimeout},
		"pings before and after an answer": {func(conn net.Conn, from *bufio.Reader) {
			for kind, stream := byte(0), uint32(0); kind != frameHeaders || stream != 1; {
				var err error
				if kind, stream, err = readFrame(from); err != nil {
					return
				}
			}
			go drain(from)
			_, _ = conn.Write(append(append([]byte{}, pings...), ok...))
			flood(conn, pings)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			url, roots := rawHTTP2(t, c.talk)
			client := New(Config{AllowCIDRs: prefixes("127.0.0.0/8"), RootCAs: roots})
			defer client.Close()
			timeout := 300 * time.Millisecond
			if c.want == "" {
				timeout = 20 * time.Second
			}
			got := client.Do(t.Context(), Request{URL: url, Body: []byte("x"), Timeout: timeout})
			checkResult(t, got)
			if got.ErrorClass != c.want {
				t.Errorf("code %d, class %q: %s", got.Code, got.ErrorClass, got.Error)
			}
			// The next delivery to somebody else goes on with the same client.
			other := newServer(t, nil)
			if got := client.Do(t.Context(), Request{URL: other.URL, Timeout: time.Minute}); got.Code != 200 {
				t.Errorf("another receiver after it: %+v", got)
			}
		})
	}
}

// TestDoRepeatsOnceAfterGOAWAY: a receiver that gives up its connection before
// it takes a request gets it once more, on a new connection, and no more often
// however often it does so and whether it closes the connection or not.
func TestDoRepeatsOnceAfterGOAWAY(t *testing.T) {
	goAway := frame(frameGoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) // no stream was taken, no error
	refused := frame(frameReset, 0, 1, 0, 0, 0, 7)             // REFUSED_STREAM
	ok := frame(frameHeaders, flagEnd, 1, 0x88)                // :status 200
	for name, c := range map[string]struct {
		answers     [][]byte // by connection; the last one for all that follow
		requests    int
		code        int
		reconnected bool
	}{
		"always":         {[][]byte{goAway}, 2, 0, true},
		"once":           {[][]byte{goAway, ok}, 2, 200, true},
		"refused":        {[][]byte{refused, ok}, 2, 200, true},
		"after it began": {[][]byte{append(slices.Clone(goAway[:len(goAway)-5]), 1, 0, 0, 0, 0), ok}, 1, 0, false},
		"never":          {[][]byte{ok}, 1, 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			var connections, requests atomic.Int64
			url, roots := rawHTTP2(t, func(conn net.Conn, from *bufio.Reader) {
				answer := c.answers[min(int(connections.Add(1)), len(c.answers))-1]
				for {
					kind, _, err := readFrame(from)
					if err != nil {
						return
					}
					if kind != frameHeaders {
						continue
					}
					requests.Add(1)
					if _, _ = conn.Write(answer); c.requests == 1 && c.code == 0 {
						return // the stream was taken, and is never answered
					}
				}
			})
			client := New(Config{AllowCIDRs: prefixes("127.0.0.0/8"), RootCAs: roots})
			defer client.Close()
			got := do(t, client, Request{URL: url, Body: []byte("x"), Timeout: 2 * time.Second})
			if got.Code != c.code || got.Reconnected != c.reconnected || int(requests.Load()) != c.requests || int(connections.Load()) != c.requests {
				t.Errorf("%d requests on %d connections, code %d, class %q, reconnected %v", requests.Load(), connections.Load(), got.Code, got.ErrorClass, got.Reconnected)
			}
			if c.code == 0 && got.ErrorClass != wire.ClassReset {
				t.Errorf("class %q: %s", got.ErrorClass, got.Error)
			}
		})
	}
}
