package app_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// backup copies what an instance keeps, while it runs, the way that
// docs/operations.md says; restore brings it to a new place.
func backup(t testing.TB, kind string, env []string) (restore func() []string) {
	t.Helper()
	fresh, file := environment(t, kind), filepath.Join(t.TempDir(), "backup")
	if kind == "postgres" {
		program(t, "pg_dump", "--format=custom", "--file="+file, valueOf(env, "DATABASE_URL"))
		return func() []string {
			program(t, "pg_restore", "--exit-on-error", "--no-owner", "--dbname="+valueOf(fresh, "DATABASE_URL"), file)
			return fresh // with the same key
		}
	}
	dir, to := valueOf(env, "SITEHOOKS_DATA_DIR"), valueOf(fresh, "SITEHOOKS_DATA_DIR")
	run(t, openDatabase(t, env), "vacuum into '"+file+"'")
	key, err := os.ReadFile(filepath.Join(dir, "secret.key"))
	ok(t, err)
	return func() []string {
		ok(t, os.Rename(file, filepath.Join(to, models.SQLiteFile)))
		ok(t, os.WriteFile(filepath.Join(to, "secret.key"), key, 0o600))
		return fresh
	}
}

func program(t testing.TB, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), modelstest.Program(t, name), args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// A backup that was taken under load has all that was accepted before: what
// was delivered is in the history, what was held is sent, and signed with the
// secret of then.
func TestBackupUnderLoadIsRestored(t *testing.T) {
	onBoth(t, func(t *testing.T, kind string) {
		env := environment(t, kind)
		in, live, held := serve(t, env), newReceiver(t), newReceiver(t)
		b := in.login()
		b.quick()
		b.createWebhook(webhookForm(live.URL))
		b.createWebhook(typeForm("generic", held.URL))
		if a := b.post("/admin/webhooks/2/pause", url.Values{}); a.code != http.StatusSeeOther {
			t.Fatalf("pause: %d %s", a.code, a.body)
		}
		restore, before := backupUnderLoad(t, kind, env, in)
		in.kill() // the machine is gone

		in = serve(t, restore())
		b = in.login()
		a := b.event("e0")
		if a.code != http.StatusOK || !strings.Contains(a.body, "Delivered") {
			t.Errorf("history of what was delivered: %d", a.code)
		}
		if got := held.items(t); len(got) != 0 {
			t.Fatalf("%d items came while it was paused", len(got))
		}
		if a := b.post("/admin/webhooks/2/resume", url.Values{"held": {"send"}}); a.code != http.StatusSeeOther {
			t.Fatalf("resume: %d %s", a.code, a.body)
		}
		eventually(t, "what was held", func() bool {
			got := distinct(held.items(t))
			for i := range before {
				if !got[int64(i+1)] {
					return false
				}
			}
			return true
		})
		for _, d := range held.got() {
			ok(t, verifyType("generic", d))
		}
		if a := in.ingest(questionJSON("e0", 1, "")); !strings.Contains(a.body, `"duplicates":1`) {
			t.Errorf("an event of before, again: %d %s", a.code, a.body)
		}
	})
}

// backupUnderLoad takes a backup while events are reported one after the
// other, of which it returns how many were accepted before the backup began.
func backupUnderLoad(t testing.TB, kind string, env []string, in *instance) (restore func() []string, before int) {
	t.Helper()
	var accepted atomic.Int64
	var load sync.WaitGroup
	done := make(chan struct{})
	load.Go(func() {
		for i := 0; ; i++ {
			if a := in.ingest(questionJSON(fmt.Sprintf("e%d", i), i+1, "")); a.code != http.StatusAccepted {
				t.Errorf("ingest: %d %s", a.code, a.body)
			}
			accepted.Add(1)
			select {
			case <-done:
				return
			default:
			}
		}
	})
	b := in.login()
	eventually(t, "some are accepted, and the first is delivered", func() bool {
		return accepted.Load() >= 30 && strings.Contains(b.event("e0").body, "Delivered")
	})
	before = int(accepted.Load())
	restore = backup(t, kind, env)
	close(done)
	load.Wait()
	return restore, before
}
