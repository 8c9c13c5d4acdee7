package app

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/config"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

// A sixth type, in this file alone: it must show up in the form, be checked,
// sent, tried again and masked, with no other file touched.
func init() {
	wire.Register(wire.Format{
		Name: "lantern", Label: "Lantern", Order: 70,
		Options:   []wire.Option{{Value: "flash", Label: "Flashes", Events: []wire.EventKind{wire.KindOf(wire.QuestionCreated)}}},
		Fields:    []wire.Field{{Key: "tower", Label: "Tower", Pattern: "[a-z]+", PatternHelp: "A tower has letters only.", Required: true}},
		Secrets:   []wire.SecretField{{Key: "secret_1", Label: "Light code"}},
		NewSecret: rand.Text,
		CheckSecret: func(secret string) error {
			if len(secret) < 8 {
				return errors.New("A light code has 8 signs or more.") //nolint:revive // a sentence for people
			}
			return nil
		},
		NewID: func() string { return "lantern-" + rand.Text() },
		Compose: func(events []wire.Event) ([]byte, int, error) {
			title, err := json.Marshal(events[0].Question.Title)
			return fmt.Appendf(nil, "{\"title\":%s,\"tower\":\"\x00\"}", title), 1, err
		},
		Parts: func(d wire.Draft) [][]byte { return [][]byte{[]byte(d.Options["tower"])} },
		Headers: func(r wire.Request) []wire.Header {
			return []wire.Header{{Name: "X-Lantern", Value: fmt.Sprintf("%s after %d", r.ID, r.Retries)}}
		},
		Samples: func([]string) []wire.Event {
			return []wire.Event{{Type: wire.QuestionCreated, Question: &wire.Question{Title: "sample"}}}
		},
		Policy: wire.Policy{Timeout: time.Second, Pauses: []time.Duration{time.Millisecond, time.Millisecond}},
	})
}

// lighthouse answers 503 once, and echoes the secret it was never sent.
type lighthouse struct {
	mu     sync.Mutex
	bodies []string
}

const lightCode = "a-very-secret-light-code"

func (l *lighthouse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bodies = append(l.bodies, string(body))
	if len(l.bodies) == 1 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_, _ = w.Write([]byte("your code is " + lightCode))
}

func (l *lighthouse) seen() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.bodies, "\n")
}

func TestASixthTypeNeedsNoOtherFile(t *testing.T) {
	receiver := &lighthouse{}
	target := httptest.NewServer(receiver)
	t.Cleanup(target.Close)
	c, err := config.Load([]string{
		"SITEHOOKS_ADDR=127.0.0.1:0", "SITEHOOKS_DATA_DIR=" + t.TempDir(), "SITEHOOKS_ALLOW_TARGETS=127.0.0.0/8",
		"SITEHOOKS_ADMIN_EMAIL=mary@example.com", "SITEHOOKS_ADMIN_PASSWORD=correct horse",
		"SITEHOOKS_INGEST_TOKEN=token-of-the-test", "SITEHOOKS_LOG_LEVEL=error",
	})
	must(t, err)
	in, err := start(t.Context(), c, Process{Stdout: io.Discard, Stderr: io.Discard})
	must(t, err)
	defer func() { must(t, in.stop(t.Context())) }()
	jar, err := cookiejar.New(nil)
	must(t, err)
	site := &visitor{t, &http.Client{Jar: jar}, "http://" + in.listener.Addr().String()}
	site.post("/login", url.Values{"email": {"mary@example.com"}, "password": {"correct horse"}})
	for name, value := range map[string]string{"DispatchDelay": "0", "DispatchInterval": "0"} {
		site.post("/developer/site-settings/edit?name=Webhooks."+name, url.Values{"value": {value}, "reason": {"test"}})
	}

	form := url.Values{
		"name": {"Light"}, "location": {"main"}, "events": {"flash"}, "tag_mode": {"all"}, "url": {target.URL},
		"secret_1": {"short"}, "option_tower": {"42"}, "do": {"save"},
	}
	blank := site.get("/admin/webhooks/new?type=lantern")
	faulty := site.post("/admin/webhooks/new?type=lantern", form)
	site.says(blank, "Flashes", "Tower", "Light code")
	site.says(faulty, "A tower has letters only.", "A light code has 8 signs or more.")
	form.Set("option_tower", "north")
	form.Set("secret_1", lightCode)
	site.says(site.post("/admin/webhooks/new?type=lantern", form), "Lantern", "Showing 1 of 1 webhook")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, site.base+"/api/v1/events",
		strings.NewReader(`{"id":"e1","type":"question.created","question":{"question_id":1,"title":"Ahoy","link":"https://x.example/1"}}`))
	must(t, err)
	req.Header.Set("Authorization", "Bearer token-of-the-test")
	req.Header.Set("Content-Type", "application/json")
	site.do(req)
	deadline := time.After(3 * time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(site.get("/admin/deliveries?state=delivered"), "/admin/deliveries/lantern-") {
		select {
		case <-deadline:
			t.Fatalf("not delivered; the receiver saw %q", receiver.seen())
		case <-tick.C:
		}
	}
	const once = `{"title":"Ahoy","tower":"north"}`
	if got := receiver.seen(); got != once+"\n"+once {
		t.Errorf("received %q, want the same twice", got)
	}
	_, link, _ := strings.Cut(site.get("/admin/deliveries"), `href="/admin/deliveries/lantern-`)
	link, _, _ = strings.Cut(link, `"`)
	for _, page := range []string{"/admin/deliveries/lantern-" + link + "?tab=response", "/admin/webhooks/1/edit", "/admin/webhooks/1"} {
		if text := site.get(page); strings.Contains(text, lightCode) {
			t.Errorf("%s shows the secret", page)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// visitor is a browser without JavaScript.
type visitor struct {
	t      *testing.T
	client *http.Client
	base   string
}

func (v *visitor) do(req *http.Request) string {
	v.t.Helper()
	resp, err := v.client.Do(req)
	must(v.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(v.t, err)
	return string(body)
}

func (v *visitor) get(path string) string {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.base+path, http.NoBody)
	must(v.t, err)
	return v.do(req)
}

func (v *visitor) post(path string, form url.Values) string {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.base+path, strings.NewReader(form.Encode()))
	must(v.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(req)
}

func (v *visitor) says(page string, words ...string) {
	v.t.Helper()
	for _, w := range words {
		if !strings.Contains(page, w) {
			v.t.Errorf("the page lacks %q", w)
		}
	}
}
