package modelstest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sitehooks/sitehooks/models"
)

func TestEachTestHasADatabaseOfItsOwn(t *testing.T) {
	first, second := PostgresURL(t), PostgresURL(t)
	execute(t, first, "CREATE TABLE mark (n int)")
	if err := tryStatement(t, second, "SELECT n FROM mark"); err == nil {
		t.Errorf("%s and %s are one database", first, second)
	}
}

func TestDatabaseIsDroppedAfterTheTest(t *testing.T) {
	var url string
	t.Run("inner", func(t *testing.T) {
		url = PostgresURL(t)
		conn, err := pgx.Connect(t.Context(), url) // left open on purpose
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
	if err := tryStatement(t, url, "SELECT 1"); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("connecting to a finished test's database: %v", err)
	}
}

var prepared atomic.Int32

func prepare(url string) error {
	ctx := context.Background()
	prepared.Add(1)
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE TABLE mark (n int); INSERT INTO mark VALUES (1)")
	return errors.Join(err, conn.Close(ctx))
}

func TestTemplateIsPreparedOnceAndCopied(t *testing.T) {
	for i := range 4 {
		t.Run(fmt.Sprint("copy ", i), func(t *testing.T) {
			t.Parallel()
			// Every copy starts from the template, not from another test's
			// data.
			execute(t, PostgresURLFromTemplate(t, prepare), "INSERT INTO mark VALUES (2); DO $$ BEGIN ASSERT (SELECT count(*) FROM mark) = 2; END $$")
			if n := prepared.Load(); n != 1 {
				t.Errorf("prepared %d times", n)
			}
		})
	}
}

// TestSQLiteStartsAsANewFileDoes: a copied file, once it is open, has the same
// content as a file that went through the migrations.
func TestSQLiteStartsAsANewFileDoes(t *testing.T) {
	clock := NewClock()
	clock.Add(-time.Hour) // not the time of the file that is copied
	held := func(o models.Options) string {
		o.Clock = clock.Now
		text := Dump(t, Open(t, o))
		if !strings.Contains(text, "locations | main") {
			t.Error("the main site is missing")
		}
		// The sealing differs each time, and when a migration ran is no matter.
		return regexp.MustCompile(`(?m)^(installations|goose_db_version|river_migration) .*`).ReplaceAllString(text, "$1")
	}
	fresh := Options(t, "sqlite")
	fresh.DataDir = t.TempDir()
	if copied, migrated := held(Options(t, "sqlite")), held(fresh); copied != migrated {
		t.Errorf("a copied file holds\n%s\na migrated one\n%s", copied, migrated)
	}
}

func TestCommittedRowsSurviveARestart(t *testing.T) {
	s := StartPostgres(t)
	url := s.URL("postgres")
	execute(t, url, "CREATE TABLE mark (n int)")
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := tryStatement(t, url, "SELECT 1"); err == nil {
		t.Error("a stopped server answers")
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	execute(t, url, "INSERT INTO mark VALUES (1)")
}

func TestMissingProgramsAreNamed(t *testing.T) {
	t.Setenv("PG_BIN", t.TempDir())
	if _, err := newServer(); !errors.Is(err, errNoPostgres) {
		t.Errorf("got %v", err)
	}
}

func TestNewestVersionWins(t *testing.T) {
	for path, want := range map[string]int{"/usr/lib/postgresql/17/bin": 17, "/opt/postgresql@9.6/bin": 9, "/usr/local/bin": 0} {
		if got := version(path); got != want {
			t.Errorf("version(%q) = %d, want %d", path, got, want)
		}
	}
}

// TestKilledProcessLeavesNothing runs this test binary once more, kills it and
// waits until its server and its files are gone.
func TestKilledProcessLeavesNothing(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestVictim$", "-test.v")
	cmd.Env = append(os.Environ(), "MODELSTEST_VICTIM=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var dir string
	for lines := bufio.NewScanner(out); dir == "" && lines.Scan(); {
		_, dir, _ = strings.Cut(lines.Text(), "victim's folder: ")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || dir == "" {
		t.Fatalf("the victim ended with %v and named the folder %q", err, dir)
	}
	deadline, tick := time.After(3*time.Minute), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s is still there", dir)
		}
	}
}

// TestVictim is the process that TestKilledProcessLeavesNothing kills.
func TestVictim(t *testing.T) {
	if os.Getenv("MODELSTEST_VICTIM") == "" {
		return
	}
	s := StartPostgres(t)
	t.Logf("victim's folder: %s", s.dir)
	<-t.Context().Done()
}

func execute(t *testing.T, url, statement string) {
	t.Helper()
	if err := tryStatement(t, url, statement); err != nil {
		t.Fatal(err)
	}
}

func tryStatement(t *testing.T, url, statement string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(t.Context(), statement)
	return errors.Join(err, conn.Close(t.Context()))
}
