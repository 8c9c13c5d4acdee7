package modelstest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// Server is a PostgreSQL server of this process alone.
type Server struct {
	bin, dir string
	port     int
	as       *account
	life     *lifeline
	env      []string // besides that of the tests
}

// StartPostgres gives one test a server of its own, so that the test may stop
// it. It ends with the test. Tests that need only a database take PostgresURL,
// which is much cheaper.
func StartPostgres(t testing.TB) *Server {
	t.Helper()
	s, err := newServer()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.life.cut(); err != nil {
			t.Errorf("end PostgreSQL: %v", err)
		}
	})
	return s
}

// StartPostgresOnDisk is StartPostgres with all files of the database, its log
// included, on a disk that can be full. The error says why there is no such
// disk: only root may mount one.
func StartPostgresOnDisk(t testing.TB) (*Server, *Disk, error) {
	t.Helper()
	s, err := place()
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(s.dir, "data")
	options := "mode=0700"
	if s.as != nil {
		options += fmt.Sprintf(",uid=%d,gid=%d", s.as.uid, s.as.gid)
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	disk, err := mount(data, options)
	if err != nil {
		return nil, nil, errors.Join(err, s.life.cut())
	}
	t.Cleanup(func() {
		_ = s.Crash() // it may have ended by itself
		if err := errors.Join(disk.unmount(), s.life.cut()); err != nil {
			t.Errorf("end PostgreSQL: %v", err)
		}
	})
	if err := s.begin(initdb...); err != nil {
		t.Fatal(err)
	}
	return s, disk, nil
}

// URL is the address of the named database, for pgx and gorm. The database
// "postgres" exists from the start and is empty. Port and address stay the
// same through Stop and Start.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Stop ends the server as an operator's restart does: sessions are cut,
// committed data is kept. It returns when the server is down.
func (s *Server) Stop() error {
	return s.pgCtl("stop", "-m", "fast")
}

// Crash ends the server as a crash does: nothing is written any more, and the
// next Start recovers committed data.
func (s *Server) Crash() error {
	return s.pgCtl("stop", "-m", "immediate")
}

// Start brings the server up and returns when it takes connections. The
// variable PG_SETTINGS, as name=value and spaces between, overrides the
// settings here: measurements of speed need a server that waits for the disk.
func (s *Server) Start() error {
	options := []string{
		"-p", strconv.Itoa(s.port), "-k", s.dir, "-h", "127.0.0.1",
		// Nothing here has to survive a power cut. Commits stay synchronous, so
		// that a killed server loses the same data as in production.
		"-c fsync=off", "-c full_page_writes=off",
		"-c max_connections=300", "-c shared_buffers=64MB",
		"-c wal_level=minimal", "-c max_wal_senders=0",
	}
	for setting := range strings.FieldsSeq(os.Getenv("PG_SETTINGS")) {
		options = append(options, "-c "+setting) // the last one counts
	}
	return s.pgCtl("start", "-l", filepath.Join(s.dir, "log"), "-o", strings.Join(options, " "))
}

// StartStandby gives a test a standby of a server that was started with the
// settings of PG_SETTINGS that replication needs. It ends with the test.
func (s *Server) StartStandby(t testing.TB) *Server {
	t.Helper()
	standby, err := makeServer("pg_basebackup", "-h", "127.0.0.1", "-p", strconv.Itoa(s.port), "-U", "postgres", "-R", "-X", "stream", "-c", "fast")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := standby.life.cut(); err != nil {
			t.Errorf("end the standby: %v", err)
		}
	})
	return standby
}

// Promote makes a standby the server that can be written to.
func (s *Server) Promote() error { return s.pgCtl("promote") }

// newServer makes the files of a server and starts it.
func newServer() (*Server, error) {
	return makeServer(initdb...)
}

// initdb makes the files of a new server.
var initdb = []string{"initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8"}

// makeServer starts a server whose files a program makes.
func makeServer(program ...string) (*Server, error) {
	s, err := place()
	if err != nil {
		return nil, err
	}
	if err := s.begin(program...); err != nil {
		return nil, errors.Join(err, s.life.cut())
	}
	return s, nil
}

// place makes the folder of a server.
func place() (s *Server, err error) {
	s = &Server{}
	if s.bin, err = binaries(); err != nil {
		return nil, err
	}
	if s.as, err = credential(); err != nil {
		return nil, err
	}
	if s.dir, err = folder(s.as); err != nil {
		return nil, err
	}
	if s.life, err = tie(filepath.Join(s.bin, "pg_ctl"), s.dir, s.as); err != nil {
		return nil, errors.Join(err, os.RemoveAll(s.dir))
	}
	return s, nil
}

// begin has a program make the server's files, and starts it.
func (s *Server) begin(program ...string) error {
	if err := s.run(program[0], program[1:]...); err != nil {
		return err
	}
	return s.startOnFreePort()
}

// startOnFreePort tries again when another process took the port in the
// moment between finding it free and the server's bind.
func (s *Server) startOnFreePort() (err error) {
	for range 5 {
		if s.port, err = FreePort(); err != nil {
			return err
		}
		if err = s.Start(); err == nil {
			return nil
		}
	}
	return err
}

func (s *Server) pgCtl(action string, args ...string) error {
	return s.run("pg_ctl", append([]string{action, "-s", "-w", "-t", "60"}, args...)...)
}

// run runs one of the server's programs; its error has the program's output and
// the end of the server's log.
func (s *Server) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(s.bin, program), append(args, "-D", filepath.Join(s.dir, "data"))...)
	cmd.Dir, cmd.Env = s.dir, append(environ(), s.env...)
	cmd.SysProcAttr = asUser(s.as)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log")) // absent before the first start
	return fmt.Errorf("%s: %w\n%s%s", program, err, out, log[max(0, len(log)-2000):])
}

// account is a user and a group of the system.
type account struct{ uid, gid uint32 }

// credential is the user to become, nil unless this is root: PostgreSQL
// refuses to run as root.
func credential() (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		return &account{uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL cannot run as root, and there is no user postgres or nobody to run it as")
}

// folder makes the server's folder. Its path stays short, because the name of
// a Unix socket may have only about 100 bytes.
func folder(as *account) (string, error) {
	dir, err := os.MkdirTemp("", "sitehooks-pg-")
	if err != nil || as == nil {
		return dir, err
	}
	return dir, os.Chown(dir, int(as.uid), int(as.gid))
}

// Ports are tried in turn from a place of this process's own. They lie below
// those that the system hands to outgoing connections, which could take one
// between the moment it is found free and its use.
const firstPort, ports = 10000, 22000

var portsTried atomic.Uint32

func init() { portsTried.Store(rand.Uint32N(ports)) } //nolint:gosec // of no consequence

// FreePort returns a port on which no process listens, on any address.
func FreePort() (port int, err error) {
	for range 100 {
		port = firstPort + int(portsTried.Add(1)%ports)
		var l net.Listener
		if l, err = net.Listen("tcp", ":"+strconv.Itoa(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}
