package app_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
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

func onBoth(t *testing.T, test func(t *testing.T, kind string)) {
	t.Helper()
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) { test(t, kind) })
	}
}

const (
	adminEmail    = "mary@example.com"
	adminPassword = "correct horse"
	ingestToken   = "ingest-token-of-the-tests"
)

// binary is the program itself, built once.
var binary string

// runTests builds the program, runs the tests with it and returns their exit
// code.
func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sitehooks-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "sitehooks")
	build := exec.Command("go", "build", "-o", binary, "github.com/sitehooks/sitehooks")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
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

// valueOf is a variable's last value, which counts.
func valueOf(env []string, name string) (value string) {
	for _, entry := range env {
		if v, is := strings.CutPrefix(entry, name+"="); is {
			value = v
		}
	}
	return value
}
