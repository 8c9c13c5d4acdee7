package app_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestOutboxOfASite: what its transactions committed arrives, whoever is killed;
// what they took back never existed.
func TestOutboxOfASite(t *testing.T) {
	url := modelstest.PostgresURL(t)
	site, err := pgx.Connect(t.Context(), url)
	ok(t, err)
	defer site.Close(t.Context())
	exec := func(statement string) {
		t.Helper()
		_, err := site.Exec(t.Context(), statement)
		ok(t, err)
	}
	exec("create table sitehooks_outbox (id bigint generated always as identity primary key, event json not null)")
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"))
	between, b := newBetween(t, in.Base), in.Login()
	write := func(n int) {
		t.Helper()
		exec(`insert into sitehooks_outbox (event) values ('` + apptest.QuestionJSON("mine", n, "") + `')`)
	}
	arrived := func(n int) func() bool {
		return func() bool { return b.Event(fmt.Sprintf("outbox:community:%d", n)).Code == http.StatusOK }
	}
	empty := func() bool {
		var n int
		ok(t, site.QueryRow(t.Context(), "select count(*) from sitehooks_outbox").Scan(&n))
		return n == 0
	}
	f := startFollower(t, "outbox", between.URL, url)
	f.says(t, "msg=following")
	exec("begin")
	write(1)
	exec("rollback")
	for i, at := range []moment{beforeEvents, afterEvents} {
		killed := make(chan struct{})
		between.arm(at, func() {
			f.kill()
			close(killed)
		})
		write(i + 2)
		<-killed
		if empty() {
			t.Error("a row is gone whose event the follower did not know to be accepted")
		}
		f = startFollower(t, "outbox", between.URL, url)
		apptest.Eventually(t, "the event and its row", func() bool { return arrived(i+2)() && empty() })
	}
	exec(`insert into sitehooks_outbox (event) values ('{"type":"question.created"}')`)
	write(5)
	apptest.Eventually(t, "the row behind one that is no event", func() bool { return arrived(5)() && empty() })
	if arrived(1)() || arrived(4)() {
		t.Error("a row that was taken back, or is no event, arrived")
	}
	apptest.Eventually(t, "what was skipped, on the source's page", func() bool {
		page := b.Get("/admin/sources/community").Body
		return strings.Contains(page, "outbox:community:4: question is required") && strings.Contains(page, "1 event")
	})
}
