package app_test

import (
	"strings"
	"testing"
)

// TestInstancesAliveAreShown: each says so itself, and one that stops is gone
// from the list at once.
func TestInstancesAliveAreShown(t *testing.T) {
	env := environment(t, "postgres")
	web, worker := serve(t, env, "SITEHOOKS_ROLE=web"), serve(t, env, "SITEHOOKS_ROLE=jobs")
	b := web.login()
	roles := func() (web, jobs int) {
		text := b.get("/admin/system").body
		return strings.Count(text, `<td data-l="Role">web</td>`), strings.Count(text, `<td data-l="Role">jobs</td>`)
	}
	if w, j := roles(); w != 1 || j != 1 {
		t.Errorf("%d web and %d jobs are alive, want one of each", w, j)
	}
	ok(t, worker.terminate())
	if w, j := roles(); w != 1 || j != 0 {
		t.Errorf("%d web and %d jobs are alive, want only the web", w, j)
	}
	ok(t, web.terminate())
	var left int
	ok(t, openDatabase(t, env).QueryRowContext(t.Context(), "select count(*) from instances").Scan(&left))
	if left != 0 {
		t.Errorf("%d instances are left", left)
	}
}
