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
	w := c.addWebhook(nil)
	c.site.PageWithin = 500 * time.Millisecond
	tx, err := c.store.Postgres().Begin(t.Context())
	ok(t, err)
	_, err = tx.Exec(t.Context(), "lock table webhooks in access exclusive mode")
	ok(t, err)
	a := c.get("/admin/webhooks").want(http.StatusServiceUnavailable)
	if text := a.text("main"); !strings.Contains(text, "The database did not answer within 0.5 seconds") || a.Header.Get("Retry-After") == "" {
		t.Errorf("it says %q", text)
	}
	if a.Find("nav[aria-label=Main]").Length() == 0 {
		t.Error("there is no way to other pages")
	}
	changed := c.post(webhookPath(w.ID)+"/pause", nil).want(http.StatusServiceUnavailable)
	if text := changed.text("main"); !strings.Contains(text, "The database did not answer within 0.5 seconds") {
		t.Errorf("one that changes little says %q", text)
	}
	c.site.PageWithin, c.site.LongWithin = time.Minute, 200*time.Millisecond
	changed = c.post(webhookPath(w.ID)+"/resume", nil).want(http.StatusServiceUnavailable)
	if text := changed.text("main"); !strings.Contains(text, "The database did not answer within 0.2 seconds") {
		t.Errorf("one that may change many deliveries says %q", text)
	}
	ok(t, tx.Rollback(t.Context()))
	c.get("/admin/webhooks").want(http.StatusOK)
}

func TestWaitingForAReceiverIsNotWaitingForTheDatabase(t *testing.T) {
	within := 200 * time.Millisecond
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-time.After(2 * within) }))
	defer receiver.Close()
	c := newConsole(t)
	w := c.addWebhook(func(in *models.WebhookInput) { in.URL, in.URLShown = receiver.URL, receiver.URL })
	c.site.PageWithin = within
	if text := c.post(webhookPath(w.ID)+"/test", nil).want(http.StatusOK).text("main"); !strings.Contains(text, "200") {
		t.Errorf("it says %q", text)
	}
}
