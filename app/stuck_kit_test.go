package app_test

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

// stuck is a receiver that takes requests and lets each wait, and tells how
// many it had open at once.
type stuck struct {
	url        string
	mu         sync.Mutex
	open, most int
}

func (s *stuck) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open += n
	s.most = max(s.most, s.open)
}

// atOnce is how many requests wait, and how many did at most.
func (s *stuck) atOnce() (open, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open, s.most
}

// newStuck answers after wait; 0: never.
func newStuck(t testing.TB, wait time.Duration) *stuck {
	t.Helper()
	s := &stuck{}
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
	s.url = server.URL
	return s
}

// refusing is an address at which every connection is refused: somebody has
// the port and does not listen, so nobody else gets it.
func refusing(t testing.TB) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	ok(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	ok(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := syscall.Getsockname(fd)
	ok(t, err)
	return "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(name.(*syscall.SockaddrInet4).Port))
}

// watch is a healthy receiver that notes when it got each question first.
type watch struct {
	url string
	mu  sync.Mutex
	at  map[int64]time.Time
}

func newWatch(t testing.TB) *watch {
	t.Helper()
	w := &watch{at: map[int64]time.Time{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body struct{ Questions []item }
		_ = json.NewDecoder(r.Body).Decode(&body)
		now := time.Now()
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, q := range body.Questions {
			if _, again := w.at[q.QuestionID]; !again {
				w.at[q.QuestionID] = now
			}
		}
	}))
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *watch) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.at)
}

// bad are the receivers that must delay nobody: one that never answers, one
// that answers after 14 s, and webhooks whose receiver refuses.
type bad struct{ silent, late *stuck }

// bad makes them. The stuck two get one delivery for each event, so that much
// waits for them; the refused ones get what is tagged for them.
func (b *browser) bad(refuse int) bad {
	b.t.Helper()
	all := bad{newStuck(b.t, 0), newStuck(b.t, 14*time.Second)}
	for _, s := range []*stuck{all.silent, all.late} {
		b.createType("stackauth", webhookForm(s.url))
	}
	nobody := refusing(b.t)
	for i := range refuse {
		form := webhookForm(nobody + "/" + strconv.Itoa(i))
		form.Set("name", "Refused "+strconv.Itoa(i))
		form.Set("tag_mode", "specific")
		form.Set("tags", "refused")
		b.createType("generic", form)
	}
	return all
}

// forRefused is an event that the refused webhooks get too.
func forRefused(number int) string {
	return strings.Replace(questionJSON("e"+strconv.Itoa(number), number, ""), `"link":`, `"tags":["refused"],"link":`, 1)
}
