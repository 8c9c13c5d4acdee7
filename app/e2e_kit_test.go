package app_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models/modelstest"
)

const (
	adminEmail    = "mary@example.com"
	adminPassword = "correct horse"
	ingestToken   = "ingest-token-of-the-tests"
)

// binary is the program itself, built once.
var binary string

func TestMain(m *testing.M) {
	if playRole() {
		return
	}
	code := func() int {
		dir, err := os.MkdirTemp("", "sitehooks-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		binary = filepath.Join(dir, "sitehooks")
		build := exec.Command("go", "build", "-o", binary, "..")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}()
	os.Exit(code)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patience is when a wait is given up. It asserts nothing about speed: what a
// killed instance had in hand comes free after its lease of 90 s.
const patience = 3 * time.Minute

// eventually asks again until it is true. It is for what only shows over HTTP;
// the pause between two questions is no synchronisation.
func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", patience, what)
		case <-tick.C:
		}
	}
}

func freePort(t testing.TB) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	ok(t, err)
	defer l.Close()
	return l.Addr().String()
}

// environment is what an instance on a new database of either kind needs.
func environment(t testing.TB, kind string) []string {
	t.Helper()
	env := []string{
		"SITEHOOKS_ADMIN_EMAIL=" + adminEmail, "SITEHOOKS_ADMIN_PASSWORD=" + adminPassword,
		"SITEHOOKS_INGEST_TOKEN=" + ingestToken, "SITEHOOKS_ALLOW_TARGETS=127.0.0.0/8",
	}
	if kind == "sqlite" {
		return append(env, "SITEHOOKS_DATA_DIR="+t.TempDir())
	}
	return append(env, "DATABASE_URL="+modelstest.PostgresURL(t),
		"SITEHOOKS_SECRET_KEY="+base64.StdEncoding.EncodeToString(modelstest.Key()))
}

// instance is a running sitehooks serve.
type instance struct {
	t    testing.TB
	cmd  *exec.Cmd
	base string
	log  *logBuffer
	exit chan struct{} // closed when it ended, with err
	err  error
}

type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// serve starts an instance and waits until it is ready.
func serve(t testing.TB, env []string, more ...string) *instance {
	t.Helper()
	in := launch(t, env, more...)
	in.ready()
	return in
}

// launch starts an instance.
func launch(t testing.TB, env []string, more ...string) *instance {
	t.Helper()
	addr := valueOf(more, "SITEHOOKS_ADDR")
	if addr == "" {
		addr = freePort(t)
	}
	in := &instance{t: t, base: "http://" + strings.Replace(addr, "0.0.0.0", "127.0.0.1", 1), log: &logBuffer{}, exit: make(chan struct{})}
	in.cmd = exec.Command(binary, "serve")
	in.cmd.Env = slices.Concat(env, []string{"SITEHOOKS_ADDR=" + addr}, more)
	in.cmd.Stderr, in.cmd.Stdout = in.log, in.log
	ok(t, in.cmd.Start())
	go func() {
		in.err = in.cmd.Wait()
		close(in.exit)
	}()
	t.Cleanup(in.kill)
	return in
}

func (in *instance) ready() {
	in.t.Helper()
	eventually(in.t, "ready\n"+in.log.String(), func() bool {
		select {
		case <-in.exit:
			in.t.Fatalf("ended at start: %v\n%s", in.err, in.log)
		default:
		}
		resp, err := get(in.t, http.DefaultClient, in.base+"/readyz")
		return err == nil && resp.code == http.StatusOK
	})
}

func (in *instance) kill() {
	_ = in.cmd.Process.Kill()
	_ = in.ended()
}

// terminate stops it as an operator does and returns how it exited.
func (in *instance) terminate() error {
	in.t.Helper()
	ok(in.t, in.cmd.Process.Signal(syscall.SIGTERM))
	return in.ended()
}

func (in *instance) ended() error {
	<-in.exit
	return in.err
}

type answer struct {
	code   int
	header http.Header
	body   string
}

func do(t testing.TB, c *http.Client, req *http.Request) (answer, error) {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

func get(t testing.TB, c *http.Client, address string) (answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	ok(t, err)
	return do(t, c, req)
}

// ingest posts events as the site does.
func (in *instance) ingest(body string) answer {
	in.t.Helper()
	req, err := http.NewRequestWithContext(in.t.Context(), http.MethodPost, in.base+"/api/v1/events", strings.NewReader(body))
	ok(in.t, err)
	req.Header.Set("Authorization", "Bearer "+ingestToken)
	req.Header.Set("Content-Type", "application/json")
	a, err := do(in.t, http.DefaultClient, req)
	ok(in.t, err)
	return a
}

func (in *instance) accept(body string) {
	in.t.Helper()
	if a := in.ingest(body); a.code != http.StatusAccepted {
		in.t.Fatalf("ingest: %d %s", a.code, a.body)
	}
}

func questionJSON(id string, number int, more string) string {
	return fmt.Sprintf(`{"id":%q,"type":"question.created","question":{"question_id":%d,"title":"Question %s","link":"https://site.example/questions/%d/x"}%s}`,
		id, number, id, number, more)
}

// browser is an administrator at the console, without JavaScript.
type browser struct {
	t      testing.TB
	client *http.Client
	base   string
}

// browser is one in which nobody is logged in.
func (in *instance) browser() *browser {
	in.t.Helper()
	jar, err := cookiejar.New(nil)
	ok(in.t, err)
	return &browser{in.t, &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, in.base}
}

func (in *instance) login() *browser {
	in.t.Helper()
	b := in.browser()
	if a := b.post("/login", url.Values{"email": {adminEmail}, "password": {adminPassword}}); a.code != http.StatusSeeOther {
		in.t.Fatalf("login: %d", a.code)
	}
	return b
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	a, err := get(b.t, b.client, b.base+path)
	ok(b.t, err)
	return a
}

// event is the page of the event with a sender's id.
func (b *browser) event(id string) answer {
	b.t.Helper()
	a := b.get("/admin/trigger-history?id=" + url.QueryEscape(id))
	if a.code != http.StatusSeeOther {
		return a
	}
	return b.get(a.header.Get("Location"))
}

func (b *browser) post(path string, form url.Values) answer {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, strings.NewReader(form.Encode()))
	ok(b.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", b.base)
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	a, err := do(b.t, b.client, req)
	ok(b.t, err)
	return a
}

func (b *browser) set(name, value string) {
	b.t.Helper()
	a := b.post("/developer/site-settings/edit?name="+name, url.Values{"value": {value}, "reason": {"for the test"}})
	if a.code != http.StatusSeeOther {
		b.t.Fatalf("set %s: %d %s", name, a.code, a.body)
	}
}

// quick lets events through as they arrive.
func (b *browser) quick() {
	b.t.Helper()
	b.set("Webhooks.EnableGenericWebhooks", "True")
	b.set("Webhooks.DispatchDelay", "0")
	b.set("Webhooks.DispatchInterval", "0")
}

func webhookForm(target string) url.Values {
	return url.Values{
		"name": {"Everything"}, "location": {"main"}, "tag_mode": {"all"}, "url": {target}, "do": {"save"},
		"events": {"question.created", "question.edited", "answer.created", "answer.edited", "answer.accepted", "comment.created"},
	}
}

func (b *browser) createWebhook(form url.Values) {
	b.t.Helper()
	if a := b.post("/admin/webhooks/new?type=generic", form); a.code != http.StatusSeeOther {
		b.t.Fatalf("create: %d %s", a.code, a.body)
	}
}

// receiver keeps what is delivered, by delivery.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []delivered
}

type delivered struct {
	id     string
	header http.Header
	body   []byte
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.requests = append(r.requests, delivered{req.Header.Get("webhook-id"), req.Header.Clone(), body})
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) got() []delivered {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// item is any item of a generic body.
type item struct {
	Type       string
	QuestionID int64 `json:"question_id"`
	AnswerID   int64 `json:"answer_id"`
	Title      string
	Tags       []string
}

// items are all items received, of deliveries with distinct ids.
func (r *receiver) items(t testing.TB) []item {
	t.Helper()
	var all []item
	seen := map[string]bool{}
	for _, d := range r.got() {
		if seen[d.id] {
			continue
		}
		seen[d.id] = true
		var body struct{ Questions, Answers, Comments []item }
		ok(t, json.Unmarshal(d.body, &body))
		all = slices.Concat(all, body.Questions, body.Answers, body.Comments)
	}
	return all
}

// output runs a short command and returns what it printed.
func output(t testing.TB, env []string, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = env
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func lines(s string) []string {
	var all []string
	for scan := bufio.NewScanner(strings.NewReader(s)); scan.Scan(); {
		all = append(all, scan.Text())
	}
	return all
}
