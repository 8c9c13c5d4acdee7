package apptest

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Stuck is a receiver that takes requests and lets each wait, and tells how
// many it had open at once.
type Stuck struct {
	URL        string
	mu         sync.Mutex
	open, most int
}

func (s *Stuck) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open += n
	s.most = max(s.most, s.open)
}

// AtOnce is how many requests wait, and how many did at most.
func (s *Stuck) AtOnce() (open, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, s.most
}

// newStuck answers after wait; 0: never.
func newStuck(t testing.TB, wait time.Duration) *Stuck {
	t.Helper()
	s := &Stuck{}
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		s.count(1)
		defer s.count(-1)
		var answer <-chan time.Time
		if wait > 0 {
			answer = time.After(wait)
		}
		select {
		case <-answer:
		case <-r.Context().Done():
		case <-over:
		}
	}))
	t.Cleanup(func() { // in this order: a server waits for its requests
		close(over)
		server.Close()
	})
	s.URL = server.URL
	return s
}

// refusing is an address at which every connection is refused: its port is
// reserved without listening, so no other process gets it.
func refusing(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	ok(t, err)
	syscall.CloseOnExec(fd)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	ok(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := syscall.Getsockname(fd)
	ok(t, err)
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
}

// Watch is a healthy receiver that notes when it got each question first.
type Watch struct {
	URL string
	mu  sync.Mutex
	At  map[int64]time.Time
}

// NewWatch answers at once.
func NewWatch(t testing.TB) *Watch {
	t.Helper()
	w := &Watch{At: map[int64]time.Time{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ Questions []Item }
		_ = json.NewDecoder(r.Body).Decode(&body)
		now := time.Now()
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, q := range body.Questions {
			if _, again := w.At[q.QuestionID]; !again {
				w.At[q.QuestionID] = now
			}
		}
	}))
	t.Cleanup(server.Close)
	w.URL = server.URL
	return w
}

// Count is how many questions came.
func (w *Watch) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.At)
}

// BadReceivers are the receivers that must not delay others: one that never
// answers, one that answers after 14 s, and webhooks whose receiver refuses.
type BadReceivers struct{ Silent, Late *Stuck }

// AddBad makes them. The stuck two get one delivery for each event, so that
// much waits for them; the refused ones get the events with their tag.
func (b *Browser) AddBad(refuse int) BadReceivers {
	b.T.Helper()
	all := BadReceivers{newStuck(b.T, 0), newStuck(b.T, 14*time.Second)}
	for _, s := range []*Stuck{all.Silent, all.Late} {
		b.CreateType("stackauth", WebhookForm(s.URL))
	}
	nobody := refusing(b.T)
	for i := range refuse {
		form := WebhookForm(nobody + "/" + strconv.Itoa(i))
		form.Set("name", "Refused "+strconv.Itoa(i))
		form.Set("tag_mode", "specific")
		form.Set("tags", "refused")
		b.CreateType("generic", form)
	}
	return all
}

// ForRefused is an event that the refused webhooks get too.
func ForRefused(number int) string {
	return strings.Replace(QuestionJSON("e"+strconv.Itoa(number), number, ""), `"link":`, `"tags":["refused"],"link":`, 1)
}
