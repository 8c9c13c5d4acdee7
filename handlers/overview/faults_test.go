package overview_test

import (
	"net/http"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestTheOverviewWhileTheDatabaseFails: it says so, whichever of its queries fails, and
// shows no numbers that are incomplete.
func TestTheOverviewWhileTheDatabaseFails(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(func(in *models.WebhookInput) { in.Location = "python-wranglers" })
	c.AddDelivery(w)
	c.FailDeliveries()
	c.AddEvent(1, "answer.accepted", "guild", "go")
	for _, page := range []string{"/admin", "/admin?location=python-wranglers&days=7", "/admin/search?q=python", "/admin/search?q=event-1answer.accepted"} {
		if a := c.Faults(http.MethodGet, page, nil); a.Status != http.StatusOK && a.Status != http.StatusSeeOther {
			t.Errorf("%s: %d", page, a.Status)
		}
	}
}
