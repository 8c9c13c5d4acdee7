package app_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
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

// footprint is what an instance holds.
type footprint struct{ sockets, goroutines int }

func (u footprint) most(v footprint) footprint {
	return footprint{max(u.sockets, v.sockets), max(u.goroutines, v.goroutines)}
}

func (in *instance) footprint() footprint {
	in.t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", in.cmd.Process.Pid)
	fds, err := os.ReadDir(dir)
	ok(in.t, err)
	var u footprint
	for _, fd := range fds {
		if to, err := os.Readlink(dir + "/" + fd.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			u.sockets++
		}
	}
	a, err := get(in.t, http.DefaultClient, in.base+"/metrics")
	ok(in.t, err)
	u.goroutines = int(metric(in.t, a.body, "go_goroutines"))
	return u
}

// metric reads one value out of a Prometheus answer.
func metric(t testing.TB, text, name string) float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			ok(t, err)
			return v
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// Healthy receivers get everything while others are stuck, and what an
// instance holds open does not grow with what waits for the stuck ones. The
// time it takes is measured by BenchmarkIsolation.
func TestStuckReceiversDelayNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		in := serve(t, environment(t, kind), "SITEHOOKS_LOG_LEVEL=error")
		b := in.login()
		b.quick()
		healthy := []*watch{newWatch(t), newWatch(t)}
		for _, w := range healthy {
			b.createWebhook(webhookForm(w.url))
		}
		bad := b.bad(30)
		most, posted := footprint{}, 0
		post := func(n int) {
			for range n {
				posted++
				in.accept(forRefused(posted))
			}
		}
		post(40)
		eventually(t, "the stuck receivers have what they take at once", func() bool {
			silent, _ := bad.silent.atOnce()
			late, _ := bad.late.atOnce()
			return silent == inFlight && late == inFlight
		})
		for range 4 {
			post(20)
			most = most.most(in.footprint())
			eventually(t, "the healthy have all", func() bool {
				return healthy[0].count() == posted && healthy[1].count() == posted
			})
		}
		// Given up ones count until the receiver notices.
		if _, n := bad.silent.atOnce(); n > 2*inFlight {
			t.Errorf("%d requests at once to one receiver", n)
		}
		// 16 requests to each stuck receiver with three goroutines each, the
		// pool of the database, the jobs: hundreds. What must not be is a
		// connection or a goroutine for each of the thousands that wait.
		if most.sockets > 250 || most.goroutines > 1200 {
			t.Errorf("%d sockets, %d goroutines", most.sockets, most.goroutines)
		}
		t.Logf("at most %+v", most)
	})
}

// TestTheSameIDInTwoLocations: an event's id belongs to its location, so that a
// token of one team neither takes ids from another team nor learns which it
// uses.
func TestTheSameIDInTwoLocations(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		env := environment(t, kind)
		in := serve(t, env)
		b := in.login()
		b.quick()
		teams := map[string]string{
			"team-a": newToken(t, env, "ingest", "--location", "team-a"), "team-b": newToken(t, env, "ingest", "--location", "team-b"),
		}
		hooks, pages := map[string]*receiver{}, map[string]string{}
		for _, team := range []string{"team-a", "team-b"} {
			in.accept(questionJSON("first of "+team, 1, fmt.Sprintf(`,"location":%q`, team))) // which registers it
			hooks[team] = newReceiver(t)
			form := webhookForm(hooks[team].URL)
			form.Set("location", team)
			b.createWebhook(form)
			event := fmt.Sprintf(`{"id":"q1-created","type":"question.created","location":%q,`+
				`"question":{"question_id":7,"title":"Of %s","link":"https://site.example/questions/7/x"}}`, team, team)
			for _, want := range []string{`{"accepted":1,"duplicates":0}`, `{"accepted":0,"duplicates":1}`} {
				if a := in.call(http.MethodPost, "/api/v1/events", teams[team], event); a.body != want {
					t.Fatalf("%s: %d %s, want %s", team, a.code, a.body, want)
				}
			}
		}
		for team, hook := range hooks {
			eventually(t, "the event of "+team, func() bool {
				return slices.ContainsFunc(hook.items(t), func(i item) bool { return i.Title == "Of "+team })
			})
			a := b.get("/admin/trigger-history?id=q1-created&location=" + team)
			if pages[team] = a.header.Get("Location"); a.code != http.StatusSeeOther || !strings.Contains(b.get(pages[team]).body, "Of "+team) {
				t.Errorf("%s: its id leads to %d %s", team, a.code, pages[team])
			}
		}
		if pages["team-a"] == pages["team-b"] {
			t.Errorf("both are at %s", pages["team-a"])
		}
		both := b.event("q1-created")
		for _, page := range pages {
			if !strings.Contains(both.body, `href="`+page+`"`) {
				t.Errorf("the id alone does not lead to %s", page)
			}
		}
		a := b.post(pages["team-a"]+"/erase", url.Values{})
		if a.code != http.StatusSeeOther || strings.Contains(b.get(pages["team-a"]).body, "Of team-a") || !strings.Contains(b.get(pages["team-b"]).body, "Of team-b") {
			t.Errorf("erased: %d", a.code)
		}
	})
}
