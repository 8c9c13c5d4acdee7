package app_test

import (
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// TestInstancesAliveAreShown: each says so itself, and one that stops is gone
// from the list at once.
func TestInstancesAliveAreShown(t *testing.T) {
	env := apptest.Environment(t, "postgres")
	web, worker := apptest.Serve(t, env, "SITEHOOKS_ROLE=web"), apptest.Serve(t, env, "SITEHOOKS_ROLE=jobs")
	b := web.Login()
	roles := func() (web, jobs int) {
		text := b.Get("/admin/system").Body
		return strings.Count(text, `<td data-l="Role">web</td>`), strings.Count(text, `<td data-l="Role">jobs</td>`)
	}
	if w, j := roles(); w != 1 || j != 1 {
		t.Errorf("%d web and %d jobs are alive, want one of each", w, j)
	}
	if text := b.Get("/admin/system").Body; strings.Count(text, `<td data-l="Clock compared with database">in step</td>`) != 2 {
		t.Error("the System page does not say that both clocks are in step with the database's")
	}
	ok(t, worker.Terminate())
	if w, j := roles(); w != 1 || j != 0 {
		t.Errorf("%d web and %d jobs are alive, want only the web", w, j)
	}
	ok(t, web.Terminate())
	var left int
	ok(t, openDatabase(t, env).QueryRowContext(t.Context(), "select count(*) from instances").Scan(&left))
	if left != 0 {
		t.Errorf("%d instances are left", left)
	}
}
