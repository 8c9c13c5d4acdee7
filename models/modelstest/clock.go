package modelstest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// ServerClock is the clock of a PostgreSQL server, as its sessions see it.
type ServerClock struct{ file string }

// Clock starts the server again with a clock that the test may move, by
// libfaketime. Until then it is right.
func (s *Server) Clock(t testing.TB) *ServerClock {
	t.Helper()
	libraries, _ := filepath.Glob("/usr/lib/*/faketime/libfaketimeMT.so.1") // the pattern is well formed
	if len(libraries) == 0 {
		t.Fatal("libfaketime is missing: install it, on Debian with: sudo make setup")
	}
	c := &ServerClock{file: filepath.Join(s.dir, "clock")}
	s.env = []string{
		"LD_PRELOAD=" + libraries[0], "FAKETIME_TIMESTAMP_FILE=" + c.file,
		"FAKETIME_CACHE_DURATION=1", "FAKETIME_DONT_FAKE_MONOTONIC=1",
	}
	if err := errors.Join(c.Set(0), s.Stop(), s.Start()); err != nil {
		t.Fatal(err)
	}
	return c
}

// Set puts the clock so much ahead of the real time, or behind it. The server
// follows within a second.
func (c *ServerClock) Set(ahead time.Duration) error {
	next := c.file + ".next"
	if err := os.WriteFile(next, fmt.Appendf(nil, "%+d\n", int(ahead.Seconds())), 0o644); err != nil { //nolint:gosec // the server's user reads it
		return err
	}
	return os.Rename(next, c.file)
}
