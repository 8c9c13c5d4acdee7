package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// A page that waits for a locked table says so when its time is over, and asks
// nothing more of the database. The time of a receiver does not count.
func TestAPageWaitsForTheDatabaseForAWhile(t *testing.T) {
	c := webtest.NewConsoleOn(t, "postgres")
	w := c.AddWebhook(nil)
	c.Site.PageWithin = 500 * time.Millisecond
	tx, err := c.Store.Postgres().Begin(t.Context())
	webtest.OK(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }) // or closing the store waits for it
	_, err = tx.Exec(t.Context(), "lock table webhooks in access exclusive mode")
	webtest.OK(t, err)
	a := c.Get("/admin/webhooks").Want(http.StatusServiceUnavailable)
	if text := a.Text("main"); !strings.Contains(text, "The database did not answer within 0.5 seconds") || a.Header.Get("Retry-After") == "" {
		t.Errorf("it says %q", text)
	}
	if a.Find("nav[aria-label=Main]").Length() == 0 {
		t.Error("there is no way to other pages")
	}
	changed := c.Post(webhooks.WebhookPath(w.ID)+"/pause", nil).Want(http.StatusServiceUnavailable)
	if text := changed.Text("main"); !strings.Contains(text, "The database did not answer within 0.5 seconds") {
		t.Errorf("one that changes little says %q", text)
	}
	c.Site.PageWithin, c.Site.LongWithin = time.Minute, 200*time.Millisecond
	changed = c.Post(webhooks.WebhookPath(w.ID)+"/resume", url.Values{"held": {"send"}}).Want(http.StatusServiceUnavailable)
	if text := changed.Text("main"); !strings.Contains(text, "The database did not answer within 0.2 seconds") {
		t.Errorf("one that may change many deliveries says %q", text)
	}
	webtest.OK(t, tx.Rollback(t.Context()))
	c.Get("/admin/webhooks").Want(http.StatusOK)
}

func TestWaitingForAReceiverIsNotWaitingForTheDatabase(t *testing.T) {
	within := 200 * time.Millisecond
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-time.After(2 * within) }))
	defer receiver.Close()
	c := webtest.NewConsole(t)
	w := c.AddWebhook(func(in *models.WebhookInput) { in.URL, in.URLShown = receiver.URL, receiver.URL })
	c.Site.PageWithin = within
	if text := c.Post(webhooks.WebhookPath(w.ID)+"/test", nil).Want(http.StatusOK).Text("main"); !strings.Contains(text, "200") {
		t.Errorf("it says %q", text)
	}
}
