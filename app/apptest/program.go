package apptest

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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models/modelstest"
)

// OnBoth runs a test on each kind of database: sqlite and postgres.
func OnBoth(t *testing.T, test func(t *testing.T, kind string)) {
	t.Helper()
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) { test(t, kind) })
	}
}

// Values in the environment of an instance.
const (
	AdminEmail    = "mary@example.com"
	AdminPassword = "correct horse"
	IngestToken   = "ingest-token-of-the-tests"
)

// Binary is the program itself, built once.
var Binary string

// Main builds the program, runs the tests with it and returns their exit
// code.
func Main(m *testing.M) int {
	dir, err := os.MkdirTemp("", "sitehooks-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	Binary = filepath.Join(dir, "sitehooks")
	build := exec.Command("go", "build", "-o", Binary, "github.com/sitehooks/sitehooks")
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

// Patience is when a wait is given up. It asserts nothing about speed: the work
// of a killed instance is taken over after its lease of 90 s.
const Patience = 3 * time.Minute

// Eventually asks again until it is true. It is for effects that only show over
// HTTP; the pause between two requests is no synchronisation.
func Eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	deadline := time.After(Patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline:
			t.Fatalf("not within %s: %s", Patience, what)
		case <-tick.C:
		}
	}
}

// FreePort is an address on which no process listens.
func FreePort(t testing.TB) string {
	t.Helper()
	port, err := modelstest.FreePort()
	ok(t, err)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// Environment is the environment of an instance on a new database of either
// kind.
func Environment(t testing.TB, kind string) []string {
	t.Helper()
	env := []string{
		"SITEHOOKS_ADMIN_EMAIL=" + AdminEmail, "SITEHOOKS_ADMIN_PASSWORD=" + AdminPassword,
		"SITEHOOKS_INGEST_TOKEN=" + IngestToken, "SITEHOOKS_ALLOW_TARGETS=127.0.0.0/8",
	}
	if kind == "sqlite" {
		return append(env, "SITEHOOKS_DATA_DIR="+t.TempDir())
	}
	return append(env, "DATABASE_URL="+modelstest.PostgresURL(t),
		"SITEHOOKS_SECRET_KEY="+base64.StdEncoding.EncodeToString(modelstest.Key()))
}

// Instance is a running sitehooks serve.
type Instance struct {
	T    testing.TB
	Cmd  *exec.Cmd
	Base string
	Log  *LogBuffer
	exit chan struct{} // closed when it ended, with err
	err  error
}

// LogBuffer keeps the output of a program.
type LogBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write adds output of the program.
func (l *LogBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String is all that was printed until now.
func (l *LogBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Serve starts an instance and waits until it is ready.
func Serve(t testing.TB, env []string, more ...string) *Instance {
	t.Helper()
	in := Launch(t, env, more...)
	in.Ready()
	return in
}

// Launch starts an instance.
func Launch(t testing.TB, env []string, more ...string) *Instance {
	t.Helper()
	return launch(t, nil, env, more)
}

func launch(t testing.TB, as *syscall.SysProcAttr, env, more []string) *Instance {
	t.Helper()
	addr := ValueOf(more, "SITEHOOKS_ADDR")
	if addr == "" {
		addr = FreePort(t)
	}
	in := &Instance{T: t, Base: "http://" + strings.Replace(addr, "0.0.0.0", "127.0.0.1", 1), Log: &LogBuffer{}, exit: make(chan struct{})}
	in.Cmd = exec.Command(Binary, "serve")
	in.Cmd.Env = slices.Concat(env, []string{"SITEHOOKS_ADDR=" + addr}, more)
	in.Cmd.Stderr, in.Cmd.Stdout, in.Cmd.SysProcAttr = in.Log, in.Log, as
	ok(t, in.Cmd.Start())
	go func() {
		in.err = in.Cmd.Wait()
		close(in.exit)
	}()
	t.Cleanup(in.Kill)
	return in
}

// Ready waits until the instance says so.
func (in *Instance) Ready() {
	in.T.Helper()
	Eventually(in.T, "ready\n"+in.Log.String(), func() bool {
		select {
		case <-in.exit:
			in.T.Fatalf("ended at start: %v\n%s", in.err, in.Log)
		default:
		}
		resp, err := Get(in.T, http.DefaultClient, in.Base+"/readyz")
		return err == nil && resp.Code == http.StatusOK
	})
}

// Kill ends it at once, as kill -9 does.
func (in *Instance) Kill() {
	_ = in.Cmd.Process.Kill()
	_ = in.Ended()
}

// Terminate stops it as an operator does and returns how it exited.
func (in *Instance) Terminate() error {
	in.T.Helper()
	ok(in.T, in.Cmd.Process.Signal(syscall.SIGTERM))
	return in.Ended()
}

// Ended waits until it has ended and returns how it exited.
func (in *Instance) Ended() error {
	<-in.exit
	return in.err
}

// Answer is the response to a request.
type Answer struct {
	Code   int
	Header http.Header
	Body   string
}

// Do sends a request and reads the whole answer.
func Do(t testing.TB, c *http.Client, req *http.Request) (Answer, error) {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return Answer{resp.StatusCode, resp.Header, string(body)}, err
}

// Get reads an address.
func Get(t testing.TB, c *http.Client, address string) (Answer, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	ok(t, err)
	return Do(t, c, req)
}

// Output runs a short command and returns its output.
func Output(t testing.TB, env []string, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), Binary, args...)
	cmd.Env = env
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// Lines are those of a text, without their ends.
func Lines(s string) []string {
	var all []string
	for scan := bufio.NewScanner(strings.NewReader(s)); scan.Scan(); {
		all = append(all, scan.Text())
	}
	return all
}

// ValueOf is a variable's last value, which counts.
func ValueOf(env []string, name string) (value string) {
	for _, entry := range env {
		if v, is := strings.CutPrefix(entry, name+"="); is {
			value = v
		}
	}
	return value
}
