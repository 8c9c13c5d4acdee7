//go:build linux

package app_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// smallDisk is a folder on a disk of its own, which fill makes full and free
// gives room again. Only root can have one.
func smallDisk(t testing.TB, owner string) (dir string, fill, free func()) {
	t.Helper()
	// Without root a limit on the size of files stands for a full disk of SQLite in
	// TestTorture; PostgreSQL has no such test then.
	modelstest.OnlyRoot(t, "a disk of its own")
	dir = t.TempDir()
	for at := dir; at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
		ok(t, os.Chmod(at, 0o755))
	}
	ok(t, syscall.Mount("small", dir, "tmpfs", 0, "size=64m"))
	t.Cleanup(func() { ok(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	if u, err := user.Lookup(owner); err == nil {
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		ok(t, os.Chown(dir, uid, gid))
	}
	filler := filepath.Join(dir, "filler")
	fill = func() {
		f, err := os.OpenFile(filler, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		ok(t, err)
		defer f.Close()
		for chunk := make([]byte, 64<<10); err == nil; {
			_, err = f.Write(chunk)
		}
	}
	return dir, fill, func() { ok(t, os.Remove(filler)) }
}

// onSmallDisk is an environment whose database is on a small disk.
func onSmallDisk(t testing.TB, kind string) (env []string, fill, free func()) {
	t.Helper()
	env = apptest.Environment(t, kind)
	if kind == "sqlite" {
		dir, fill, free := smallDisk(t, "")
		return with(env, "SITEHOOKS_DATA_DIR", dir), fill, free
	}
	dir, fill, free := smallDisk(t, "postgres")
	at := mustParse(t, apptest.ValueOf(env, "DATABASE_URL"))
	name := strings.TrimPrefix(at.Path, "/")
	at.Path = "/postgres"
	db := openDatabase(t, []string{"DATABASE_URL=" + at.String()})
	apptest.Exec(t, db, "create tablespace small_"+name+" location '"+dir+"'")
	apptest.Exec(t, db, "alter database "+name+" set tablespace small_"+name)
	return env, fill, free
}

// bigQuestion needs room on the disk.
func bigQuestion(id string) string {
	filler := make([]byte, 60<<10)
	_, _ = rand.Read(filler)
	return fmt.Sprintf(`{"id":%q,"type":"question.created","question":{"question_id":1,"title":"T","link":"https://site.example/q/1","body":%q}}`,
		id, hex.EncodeToString(filler))
}

// Ready means able: while the disk is full the instance says so, and when there
// is room again it goes on.
func TestAFullDiskIsSaid(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env, fill, free := onSmallDisk(t, kind)
		in := apptest.Serve(t, env)
		b := in.Login()
		in.Accept(apptest.QuestionJSON("before", 1, ""))
		fill()
		n := 0
		apptest.Eventually(t, "503", func() bool {
			n++
			a := in.Ingest(bigQuestion(fmt.Sprint("full-", n)))
			return a.Code == http.StatusServiceUnavailable && a.Header.Get("Retry-After") != "" && strings.Contains(a.Body, "disk full")
		})
		readyIs(in, http.StatusServiceUnavailable, "not ready: disk full")
		bannerIs(b, "disk full")
		free()
		readyIs(in, http.StatusOK, "ready")
		in.Accept(bigQuestion("after"))
	})
}

// A database file that is removed while it is in use is noticed before an event
// counts as stored in it, and no start puts an empty one in its place.
func TestALostDatabaseFileIsNoticed(t *testing.T) {
	for name, lose := range map[string]func(path string) error{
		"removed":  os.Remove,
		"replaced": func(path string) error { return os.WriteFile(path+".other", nil, 0o600) },
		"its log":  func(path string) error { return os.Remove(path + "-wal") },
	} {
		t.Run(name, func(t *testing.T) {
			env := apptest.Environment(t, "sqlite")
			in := apptest.Serve(t, env)
			in.Accept(apptest.QuestionJSON("before", 1, ""))
			path := filepath.Join(apptest.ValueOf(env, "SITEHOOKS_DATA_DIR"), models.SQLiteFile)
			ok(t, lose(path))
			if name == "replaced" {
				ok(t, os.Rename(path+".other", path))
			}
			for i := range 5 {
				a := in.Ingest(apptest.QuestionJSON(fmt.Sprint("after-", i), 2, ""))
				if a.Code != http.StatusServiceUnavailable || !strings.Contains(a.Body, "database file lost") {
					t.Errorf("after it: %d %s", a.Code, a.Body)
				}
			}
			readyIs(in, http.StatusServiceUnavailable, "not ready: database file lost: sitehooks.db was removed or replaced while it was in use")
			ok(t, in.Terminate())
			if name != "removed" {
				return
			}
			_, stderr, err := apptest.Output(t, env, "", "serve")
			if err == nil || len(apptest.Lines(stderr)) != 1 || !strings.Contains(stderr, "sitehooks.db is missing") || !strings.Contains(stderr, "sitehooks.db-wal") {
				t.Errorf("the next start: %v\n%s", err, stderr)
			}
		})
	}
}

var lateMetric = regexp.MustCompile(`(?m)^sitehooks_dispatch_late_seconds (\S+)$`)

// Dispatch that is late shows in the banner and the metric. The instance is
// ready all the same: it can store events.
func TestLateDispatchIsSaidEverywhereButInReadiness(t *testing.T) {
	env := apptest.Environment(t, "postgres")
	in, db := apptest.Serve(t, env), openDatabase(t, env)
	b := in.Login()
	late := func() float64 {
		found := lateMetric.FindStringSubmatch(b.Get("/metrics").Body)
		if found == nil {
			t.Fatal("no metric")
		}
		n, err := strconv.ParseFloat(found[1], 64)
		ok(t, err)
		return n
	}
	if n := late(); n != 0 {
		t.Errorf("late by %g at the start", n)
	}
	b.Set("Webhooks.DispatchDelay", "3600")
	b.Set("Webhooks.DispatchInterval", "1")
	in.Accept(apptest.QuestionJSON("waits", 1, ""))
	tx, err := db.BeginTx(t.Context(), nil)
	ok(t, err)
	_, err = tx.ExecContext(t.Context(), "select 1 from dispatch_runs for update")
	ok(t, err)
	for _, table := range []string{"events", "pending_events"} {
		apptest.Exec(t, db, "update "+table+" set received_at = received_at - interval '2 hours'")
	}
	apptest.Eventually(t, "the metric tells how late", func() bool { n := late(); return n >= 3600 && n <= 2*3600 }) // it is remembered for a second
	if a := b.Get("/admin/audit"); !strings.Contains(a.Body, "Dispatch is late: an event has been due since") {
		t.Error("no banner")
	}
	readyIs(in, http.StatusOK, "ready")
	ok(t, tx.Rollback())
	apptest.Eventually(t, "dispatch", func() bool { return late() == 0 })
}
