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

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// backup copies the data of a running instance, as docs/operations.md
// describes; restore brings it to a new place.
func backup(t testing.TB, kind string, env []string) (restore func() []string) {
	t.Helper()
	fresh, file := apptest.Environment(t, kind), filepath.Join(t.TempDir(), "backup")
	if kind == "postgres" {
		program(t, "pg_dump", "--format=custom", "--file="+file, apptest.ValueOf(env, "DATABASE_URL"))
		return func() []string {
			program(t, "pg_restore", "--exit-on-error", "--no-owner", "--dbname="+apptest.ValueOf(fresh, "DATABASE_URL"), file)
			return fresh // with the same key
		}
	}
	dir, to := apptest.ValueOf(env, "SITEHOOKS_DATA_DIR"), apptest.ValueOf(fresh, "SITEHOOKS_DATA_DIR")
	if out, errs, err := apptest.Output(t, env, "", "backup", file); err != nil {
		t.Fatalf("backup: %v %s%s", err, out, errs)
	}
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

// A backup taken under load has all events accepted before: the delivered ones
// are in the history, the held ones are sent, signed with the secret of that
// time.
func TestBackupUnderLoadIsRestored(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.Environment(t, kind)
		in, live, held := apptest.Serve(t, env), apptest.NewReceiver(t), apptest.NewReceiver(t)
		b := in.Login()
		b.Quick()
		b.CreateWebhook(apptest.WebhookForm(live.URL))
		b.CreateWebhook(apptest.TypeForm("generic", held.URL))
		if a := b.Post("/admin/webhooks/2/pause", url.Values{}); a.Code != http.StatusSeeOther {
			t.Fatalf("pause: %d %s", a.Code, a.Body)
		}
		restore, before := backupUnderLoad(t, kind, env, in)
		in.Kill() // the machine is gone

		in = apptest.Serve(t, restore())
		b = in.Login()
		a := b.Event("e0")
		if a.Code != http.StatusOK || !strings.Contains(a.Body, "Delivered") {
			t.Errorf("history of what was delivered: %d", a.Code)
		}
		if got := held.Items(t); len(got) != 0 {
			t.Fatalf("%d items came while it was paused", len(got))
		}
		if a := b.Post("/admin/webhooks/2/resume", url.Values{"held": {"send"}}); a.Code != http.StatusSeeOther {
			t.Fatalf("resume: %d %s", a.Code, a.Body)
		}
		apptest.Eventually(t, "what was held", func() bool {
			got := distinct(held.Items(t))
			for i := range before {
				if !got[int64(i+1)] {
					return false
				}
			}
			return true
		})
		for _, d := range held.Got() {
			ok(t, apptest.VerifyType("generic", d))
		}
		if a := in.Ingest(apptest.QuestionJSON("e0", 1, "")); !strings.Contains(a.Body, `"duplicates":1`) {
			t.Errorf("an event of before, again: %d %s", a.Code, a.Body)
		}
	})
}

// backupUnderLoad takes a backup while events are reported one after the
// other, of which it returns how many were accepted before the backup began.
func backupUnderLoad(t testing.TB, kind string, env []string, in *apptest.Instance) (restore func() []string, before int) {
	t.Helper()
	var accepted atomic.Int64
	var load sync.WaitGroup
	done := make(chan struct{})
	load.Go(func() {
		for i := 0; ; i++ {
			if a := in.Ingest(apptest.QuestionJSON(fmt.Sprintf("e%d", i), i+1, "")); a.Code != http.StatusAccepted {
				t.Errorf("ingest: %d %s", a.Code, a.Body)
			}
			accepted.Add(1)
			select {
			case <-done:
				return
			default:
			}
		}
	})
	b := in.Login()
	apptest.Eventually(t, "some are accepted, and the first is delivered", func() bool {
		return accepted.Load() >= 30 && strings.Contains(b.Event("e0").Body, "Delivered")
	})
	before = int(accepted.Load())
	restore = backup(t, kind, env)
	close(done)
	load.Wait()
	return restore, before
}
