package modelstest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

const pgbouncerINI = `[databases]
* = host=%s port=%s
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %d
unix_socket_dir =
auth_type = trust
auth_file = %s/users
pool_mode = %s
max_client_conn = 500
logfile = %[4]s/log
idle_transaction_timeout = 12
server_login_retry = 1
`

// Pooler is a PgBouncer of this process alone, before a PostgreSQL server.
type Pooler struct {
	program, dir string
	as           *account
	at           *url.URL
	cmd          *exec.Cmd
}

// PgBouncer puts Debian's connection pooler before the server of a URL until
// the test ends, in the pool mode session or transaction, and returns the URL
// through it.
func PgBouncer(t testing.TB, databaseURL, mode string) string {
	t.Helper()
	return StartPgBouncer(t, databaseURL, mode).URL()
}

// StartPgBouncer is PgBouncer for a test that ends it and starts it again.
func StartPgBouncer(t testing.TB, databaseURL, mode string) *Pooler {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		program = "/usr/sbin/pgbouncer" // which is not on every user's PATH
	}
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	as, err := credential() // it does not run as root either
	if err != nil {
		t.Fatal(err)
	}
	dir, err := folder(as)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"ini":   fmt.Sprintf(pgbouncerINI, u.Hostname(), u.Port(), port, dir, mode),
		"users": fmt.Sprintf("%q \"\"\n", u.User.Username()),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil { //nolint:gosec // it runs as another user
			t.Fatal(err)
		}
	}
	u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	p := &Pooler{program: program, dir: dir, as: as, at: u}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Crash)
	return p
}

// URL is the address of the database through the pooler. It stays the same
// through Crash and Start.
func (p *Pooler) URL() string { return p.at.String() }

// Crash ends the pooler with all its connections, without warning.
func (p *Pooler) Crash() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// Start returns when the pooler takes connections.
func (p *Pooler) Start() error {
	p.cmd = exec.Command(p.program, filepath.Join(p.dir, "ini"))
	p.cmd.Dir, p.cmd.Env = p.dir, environ()
	p.cmd.SysProcAttr = endsWithParent(p.as)
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("%w; install it with: make setup", err)
	}
	for range 200 {
		if conn, err := net.Dial("tcp", p.at.Host); err == nil {
			return conn.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	p.Crash()
	log, _ := os.ReadFile(filepath.Join(p.dir, "log")) // the failure is reported below
	return fmt.Errorf("pgbouncer does not listen\n%s", log)
}
