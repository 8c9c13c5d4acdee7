package handlers

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// A page that waits for a locked table says so when its time is over, and asks
// nothing more of the database. What a receiver takes does not count.
func TestAPageWaitsForTheDatabaseForAWhile(t *testing.T) {
	c := newConsoleOn(t, "postgres")
	c.site.ShowWithin = 100 * time.Millisecond
	tx, err := c.store.Postgres().Begin(t.Context())
	ok(t, err)
	_, err = tx.Exec(t.Context(), "lock table webhooks in access exclusive mode")
	ok(t, err)
	a := c.get("/admin/webhooks").want(http.StatusServiceUnavailable)
	if text := a.text("main"); !strings.Contains(text, "The database did not answer within 0.1 seconds") || a.Header.Get("Retry-After") == "" {
		t.Errorf("it says %q", text)
	}
	if a.Find("nav[aria-label=Main]").Length() == 0 {
		t.Error("there is no way to other pages")
	}
	ok(t, tx.Rollback(t.Context()))
	c.site.ShowWithin = time.Minute
	c.get("/admin/webhooks").want(http.StatusOK)
}

func TestWaitingForAReceiverIsNotWaitingForTheDatabase(t *testing.T) {
	within := 200 * time.Millisecond
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-time.After(2 * within) }))
	defer receiver.Close()
	c := newConsole(t)
	w := c.addWebhook(func(in *models.WebhookInput) { in.URL, in.URLShown = receiver.URL, receiver.URL })
	c.site.ChangeWithin = within
	if text := c.post(webhookPath(w.ID)+"/test", nil).want(http.StatusOK).text("main"); !strings.Contains(text, "200") {
		t.Errorf("it says %q", text)
	}
}
