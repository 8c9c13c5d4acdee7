package handlers_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestLockedWebhook: every page says so of a webhook that none of this
// instance's keys opens. It is neither an error of the page nor shown as
// healthy.
func TestLockedWebhook(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		r := webtest.NewReceiver(t)
		w := c.AddWebhook(func(in *models.WebhookInput) {
			in.URL, in.URLShown, in.Secrets[0].Set = r.URL, r.URL, "a secret of sixteen or more"
			in.Headers = []models.Header{{Name: "X-Key", Value: "v"}}
		})
		c.AddDelivery(w)
		c.Exec("update lanes set last_at = created_at, last_code = 200 from webhooks where webhooks.id = lanes.webhook_id")
		says := func(page, selector, words string) {
			t.Helper()
			if got := c.Get(page).Want(http.StatusOK).Text(selector); !strings.Contains(got, words) {
				t.Errorf("%s says %q", page, got)
			}
		}
		says("/admin/webhooks", "tbody", "Healthy")
		if got := c.Get("/admin/system").Text("main"); strings.Contains(got, "cannot be opened") {
			t.Errorf("with its key the system says %q", got)
		}
		c.Exec("update webhooks set secret_1 = '00000000' || substr(secret_1, 9), headers = '00000000' || substr(headers, 9)")

		says("/admin/webhooks", "tbody", "Cannot send")
		says(webhooks.WebhookPath(w.ID), "main", models.LockedWhy)
		says("/admin/deliveries", "tbody", models.LockedWhy)
		says("/admin/system", "main", "1 webhook is sealed with a key that this instance does not have")
		tried := c.Post(webhooks.WebhookPath(w.ID)+"/test", nil).Want(http.StatusOK).Text("section[aria-label='Test notification']")
		if !strings.Contains(tried, web.Capitalized(models.LockedWhy)) || !strings.Contains(tried, "sitehooks rekey") || strings.Contains(tried, "What was sent") {
			t.Errorf("the test says %q", tried)
		}
		if got := c.Get(webtest.EditPath(w)).Want(http.StatusConflict).Text("main"); !strings.Contains(got, models.LockedWhy) {
			t.Errorf("the form says %q", got)
		}
		if n := len(r.Requests()); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
	})
}
