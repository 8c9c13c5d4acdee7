package handlers

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

// TestLockedWebhook: what none of this instance's keys opens is said to be so
// wherever it is shown, and is neither a fault of the page nor called healthy.
func TestLockedWebhook(t *testing.T) {
	onBoth(t, func(t *testing.T, c *console) {
		r := newReceiver(t)
		w := c.addWebhook(func(in *models.WebhookInput) {
			in.URL, in.URLShown, in.Secrets[0].Set = r.URL, r.URL, "a secret of sixteen or more"
			in.Headers = []models.Header{{Name: "X-Key", Value: "v"}}
		})
		c.addDelivery(w)
		c.exec("update lanes set last_at = created_at, last_code = 200 from webhooks where webhooks.id = lanes.webhook_id")
		says := func(page, selector, words string) {
			t.Helper()
			if got := c.get(page).want(http.StatusOK).text(selector); !strings.Contains(got, words) {
				t.Errorf("%s says %q", page, got)
			}
		}
		says("/admin/webhooks", "tbody", "Healthy")
		if got := c.get("/admin/system").text("main"); strings.Contains(got, "cannot be opened") {
			t.Errorf("with its key the system says %q", got)
		}
		c.exec("update webhooks set secret_1 = '00000000' || substr(secret_1, 9), headers = '00000000' || substr(headers, 9)")

		says("/admin/webhooks", "tbody", "Cannot send")
		says(webhookPath(w.ID), "main", models.LockedWhy)
		says("/admin/deliveries", "tbody", models.LockedWhy)
		says("/admin/system", "main", "1 webhook is sealed with a key that is not given")
		tried := c.post(webhookPath(w.ID)+"/test", nil).want(http.StatusOK).text("section[aria-label='Test notification']")
		if !strings.Contains(tried, capitalized(models.LockedWhy)) || !strings.Contains(tried, "sitehooks rekey") || strings.Contains(tried, "What was sent") {
			t.Errorf("the test says %q", tried)
		}
		if got := c.get(editPath(w)).want(http.StatusConflict).text("main"); !strings.Contains(got, models.LockedWhy) {
			t.Errorf("the form says %q", got)
		}
		if n := len(r.requests()); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
	})
}
