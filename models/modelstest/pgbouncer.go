package modelstest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
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
`

// PgBouncer puts Debian's connection pooler before the server of a URL until
// the test ends, in the pool mode session or transaction, and returns the URL
// through it.
func PgBouncer(t testing.TB, databaseURL, mode string) string {
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
	port, err := freePort()
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
	cmd := exec.Command(program, filepath.Join(dir, "ini"))
	cmd.Dir, cmd.Env = dir, environ()
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v; install it with: make setup", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	u.Host = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for range 200 {
		if conn, err := net.Dial("tcp", u.Host); err == nil {
			_ = conn.Close()
			return u.String()
		}
		time.Sleep(20 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log")) // the failure is told below
	t.Fatalf("pgbouncer does not listen\n%s", log)
	return ""
}
