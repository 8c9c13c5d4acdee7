//go:build linux

package app_test

import (
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestCommandsOfRootLeaveNoFileOfRoots: an administrator runs commands as root
// beside a service that has a user of its own, while it runs, while it is
// stopped, and before its first start. The service owns all files afterwards,
// and starts.
func TestCommandsOfRootLeaveNoFileOfRoots(t *testing.T) {
	modelstest.OnlyRoot(t, "a command beside a service of another user")
	const service = 61184 // the first of systemd's dynamic users
	env := apptest.Environment(t, "sqlite")
	dir := apptest.ValueOf(env, "SITEHOOKS_DATA_DIR")
	for _, folder := range []string{apptest.Binary, dir} {
		for at := filepath.Dir(folder); at != os.TempDir() && at != "/"; at = filepath.Dir(at) {
			ok(t, os.Chmod(at, 0o755))
		}
	}
	ok(t, os.Chown(dir, service, service))
	ok(t, os.Chmod(dir, 0o700))

	command := func(more []string, stdin string, args ...string) {
		t.Helper()
		if out, errs, err := apptest.Output(t, slices.Concat(env, more), stdin, args...); err != nil {
			t.Fatalf("%s: %v\n%s%s", args, err, out, errs)
		}
	}
	commands := func(n string) {
		t.Helper()
		command(nil, "correct horse\n", "admin", "add", "ann"+n+"@example.com")
		command(nil, "", "token", "create", "--name", "site"+n, "--scope", "ingest")
		command(nil, "", "backup", filepath.Join(t.TempDir(), "sitehooks.db"))
		old, err := os.ReadFile(filepath.Join(dir, "secret.key"))
		ok(t, err)
		fresh := base64.StdEncoding.EncodeToString(slices.Repeat([]byte(n), 32))
		command([]string{"SITEHOOKS_SECRET_KEY=" + fresh + "," + strings.TrimSpace(string(old))}, "", "rekey")
	}
	owned := func(when string, most int) {
		t.Helper()
		files := 0
		ok(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			ok(t, err)
			info, err := os.Stat(path)
			ok(t, err)
			files++
			if at := info.Sys().(*syscall.Stat_t); at.Uid != service || at.Gid != service {
				t.Errorf("%s, %s belongs to %d:%d", when, filepath.Base(path), at.Uid, at.Gid)
			}
			return err
		}))
		if files < most {
			t.Errorf("%s: only %d files", when, files)
		}
	}
	commands("1")
	owned("before the first start", 3)
	for _, n := range []string{"2", "3"} {
		in := apptest.LaunchAs(t, service, env)
		in.Ready()
		commands(n)
		owned("while it runs", 6) // the log of the database and the lock too
		ok(t, in.Terminate())
		command(nil, "", "token", "create", "--name", "stopped"+n, "--scope", "ingest")
		owned("while it is stopped", 4)
	}
	in := apptest.LaunchAs(t, service, env)
	in.Ready()
	if a := in.Ingest(apptest.QuestionJSON("e1", 1, "")); a.Code != 202 {
		t.Errorf("it does not accept events: %d %s", a.Code, a.Body)
	}
}
