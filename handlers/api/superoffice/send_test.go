package superoffice

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api"
)

// sendServer sends large answers, and tells when one is begun and sent.
type sendServer struct {
	*httptest.Server
	t             *testing.T
	begun, posted chan struct{}
}

func newSendServer(t *testing.T, within time.Duration) *sendServer {
	large := answer{value: strings.Repeat("x", 16<<20)}
	p := api.NewPlaces(64, 32<<20, 1)
	p.Pace.Answer = within
	s := &sendServer{t: t, begun: make(chan struct{}, 8), posted: make(chan struct{}, 8)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q, rej := p.Enter(r.Context(), r.URL.Path)
		if rej != nil {
			rej.Write(w)
			return
		}
		defer q.Release()
		s.begun <- struct{}{}
		if err := sendAnswer(q, w, large); err != nil {
			api.Busy().Write(w)
		}
		s.posted <- struct{}{}
	}))
	t.Cleanup(s.Close)
	return s
}

// unread asks for an answer and reads nothing of it.
func (s *sendServer) unread() {
	s.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(s.t.Context(), "tcp", s.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if _, err = io.WriteString(conn, "GET /unread HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		s.t.Fatal(err)
	}
	<-s.begun
}

// TestUnreadAnswersHoldNothing: answers that a token does not read count as its
// bytes and give way to another token's.
func TestUnreadAnswersHoldNothing(t *testing.T) {
	s := newSendServer(t, time.Minute)
	for range 4 {
		s.unread()
	}
	resp, err := http.Get(s.URL + "/reads")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); resp.StatusCode != http.StatusOK || n != 16<<20+2 || err != nil {
		t.Errorf("another token got %d with %d bytes: %v", resp.StatusCode, n, err)
	}
}

// TestAnAnswerThatNobodyReadsEnds: the place is given back after a while.
func TestAnAnswerThatNobodyReadsEnds(t *testing.T) {
	s := newSendServer(t, 50*time.Millisecond)
	s.unread()
	<-s.posted
}
