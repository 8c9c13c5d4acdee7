package app_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/app/follow/answertest"
)

// TestFollowerIsKilled replays what was recorded of a real Apache Answer, while
// the follower is killed between any two of its own steps, and the instance too:
// everything arrives, signed and once.
func TestFollowerIsKilled(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		site := answertest.New(t, kind)
		replay := site.Replay(answertest.Recorded(t, kind), time.Now)
		env, addr, hook := apptest.Environment(t, kind), apptest.FreePort(t), apptest.NewReceiver(t)
		in := apptest.Serve(t, env, "SITEHOOKS_ADDR="+addr)
		b := in.Login()
		b.Quick()
		form := apptest.WebhookForm(hook.URL)
		form.Set("secret_1", realSecret)
		b.CreateWebhook(form)
		between := newBetween(t, in.Base)
		from := time.Now().Add(-30 * time.Minute).Format(time.RFC3339)
		follow := func() *followerProcess {
			return startFollower(t, "answer", between.URL, site.DSN, "--timezone", replay.ZoneName(), "--compare", "1s", "--from", from)
		}
		f := follow()
		var want []string
		for i, step := range replay.Steps[1:] {
			want = slices.Sorted(slices.Values(append(want, step.Arrives...)))
			killed := make(chan struct{})
			switch {
			case i == 7:
				in.Kill()
			case i%3 == 0:
				between.arm(moment(i/3%int(moments)), func() {
					f.kill()
					close(killed)
				})
			}
			replay.Apply(step)
			switch {
			case i == 7:
				in = apptest.Serve(t, env, "SITEHOOKS_ADDR="+addr)
			case i%3 == 0:
				<-killed
				f = follow()
			}
			apptest.Eventually(t, step.Name+"\n"+f.log.String(), func() bool { return len(receivedItems(t, hook)) >= len(want) })
			if got := receivedItems(t, hook); !slices.Equal(got, want) {
				t.Fatalf("%s: arrived\n %s, want\n %s\n%s", step.Name, strings.Join(got, "\n "), strings.Join(want, "\n "), f.log)
			}
		}
		if len(want) < 20 {
			t.Errorf("only %d events were recorded", len(want))
		}
	})
}

// moment is one between two steps of a follower that has events to report.
type moment int

const (
	beforeEvents moment = iota
	afterEvents         // they are stored, but the follower does not know it
	beforePlace
	afterPlace
	moments
)

// between stands between a follower and its instance, and stops the follower at
// a chosen moment.
type between struct {
	*httptest.Server
	target string
	mu     sync.Mutex
	at     moment
	stop   func() // nil: not armed
	posted bool   // events were, since it was armed
}

func newBetween(t *testing.T, target string) *between {
	t.Helper()
	b := &between{target: target}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

func (b *between) arm(at moment, stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at, b.stop, b.posted = at, stop, false
}

// reached stops the follower if this is the moment.
func (b *between) reached(at moment) bool {
	if b.stop == nil || b.at != at || at >= beforePlace && !b.posted {
		return false
	}
	b.stop()
	b.stop = nil
	return true
}

func (b *between) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	before, after := moments, moments
	switch {
	case r.Method == http.MethodPost:
		before, after = beforeEvents, afterEvents
	case bytes.Contains(body, []byte(`"place"`)):
		before, after = beforePlace, afterPlace
	}
	if before != moments && b.reached(before) {
		return
	}
	q, err := http.NewRequestWithContext(r.Context(), r.Method, b.target+r.URL.Path, bytes.NewReader(body))
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	q.Header = r.Header
	p, err := http.DefaultTransport.RoundTrip(q)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer p.Body.Close()
	answer, _ := io.ReadAll(p.Body)
	if after != moments && b.reached(after) {
		return
	}
	b.posted = b.posted || r.Method == http.MethodPost
	w.Header().Set("Content-Type", p.Header.Get("Content-Type"))
	w.WriteHeader(p.StatusCode)
	_, _ = w.Write(answer)
}

// followerProcess is a running sitehooks follow.
type followerProcess struct {
	cmd  *exec.Cmd
	log  *apptest.LogBuffer
	kill func() // at once; again: nothing
}

func startFollower(t *testing.T, system, instance, dsn string, more ...string) *followerProcess {
	t.Helper()
	f := &followerProcess{log: &apptest.LogBuffer{}}
	args := []string{"follow", system, "--name", "community", "--url", instance, "--database", dsn, "--token", apptest.IngestToken, "--every", "100ms"}
	f.cmd = exec.Command(apptest.Binary, append(args, more...)...)
	f.cmd.Stderr = f.log
	ok(t, f.cmd.Start())
	f.kill = sync.OnceFunc(func() {
		_ = f.cmd.Process.Kill()
		_ = f.cmd.Wait()
	})
	t.Cleanup(f.kill)
	return f
}

// says waits for a line of the follower's log.
func (f *followerProcess) says(t *testing.T, text string) {
	t.Helper()
	apptest.Eventually(t, text, func() bool { return strings.Contains(f.log.String(), text) })
}

// TestSecondFollowerStandsBy: it takes over when the first one dies, and at once
// when that is stopped.
func TestSecondFollowerStandsBy(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		site := answertest.New(t, kind)
		recording := answertest.Recorded(t, "sqlite")
		site.Replay(recording, time.Now)
		in := apptest.Serve(t, apptest.Environment(t, kind))
		ask := func(n int64) {
			at := answertest.Wall(time.Now())
			site.Put("question", answertest.Row{"id": 10010000000001000 + n, "created_at": at, "user_id": 1, "title": "Which one?", "parsed_text": "x"})
			site.Put("activity", answertest.Row{"id": 1000 + n, "created_at": at, "updated_at": at, "user_id": 1, "object_id": 10010000000001000 + n, "activity_type": recording.Number("question.asked")})
		}
		b := in.Login()
		arrived := func(n int) func() bool {
			return func() bool { return b.Event(fmt.Sprintf("answer:community:q%d:created", 1000+n)).Code == http.StatusOK }
		}
		first := startFollower(t, "answer", in.Base, site.DSN)
		first.says(t, "msg=following")
		second := startFollower(t, "answer", in.Base, site.DSN)
		second.says(t, "standing by")
		first.kill()
		ask(1)
		second.says(t, "msg=following")
		apptest.Eventually(t, "taken over", arrived(1))
		third := startFollower(t, "answer", in.Base, site.DSN)
		third.says(t, "standing by")
		ok(t, second.cmd.Process.Signal(syscall.SIGTERM))
		third.says(t, "msg=following")
		ask(2)
		apptest.Eventually(t, "taken over again", arrived(2))
		if strings.Contains(third.log.String(), "q1001") {
			t.Errorf("log:\n%s", third.log)
		}
	})
}
