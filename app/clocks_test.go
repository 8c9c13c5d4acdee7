package app_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// The database's clock is put 90 s ahead of the instance's, 90 s behind it and
// an hour back: what is accepted then is sent all the same. The log tells how
// long it took.
func TestWhatIsAcceptedIsSentWhateverTheClocks(t *testing.T) {
	server := modelstest.StartPostgres(t)
	clock := server.Clock(t)
	in, hook := apptest.Serve(t, with(apptest.Environment(t, "postgres"), "DATABASE_URL", server.URL("postgres"))), apptest.NewReceiver(t)
	b := in.Login()
	b.Quick()
	b.CreateWebhook(apptest.WebhookForm(hook.URL))
	moments := []time.Duration{0, 90 * time.Second, 0, -90 * time.Second, 0, -time.Hour, 0}
	for i, ahead := range moments {
		ok(t, clock.Set(ahead))
		apptest.Eventually(t, "the server follows its clock", func() bool { return offBy(t, server)-ahead < 5*time.Second && ahead-offBy(t, server) < 5*time.Second })
		since := time.Now()
		in.Accept(apptest.QuestionJSON(fmt.Sprint("event-", i), 1+i, ""))
		apptest.Eventually(t, fmt.Sprintf("an event while the database's clock is %s ahead", ahead), func() bool { return len(hook.Items(t)) == i+1 })
		t.Logf("%s ahead: sent after %s", ahead, time.Since(since).Round(time.Millisecond))
	}
}

// offBy is how far a server's clock is ahead of this process's.
func offBy(t *testing.T, server *modelstest.Server) time.Duration {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.URL("postgres"))
	ok(t, err)
	defer conn.Close(t.Context())
	var now time.Time
	ok(t, conn.QueryRow(t.Context(), "select clock_timestamp()").Scan(&now))
	return time.Until(now)
}
