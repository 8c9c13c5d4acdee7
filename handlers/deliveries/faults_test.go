package deliveries_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestDeliveriesWhileTheDatabaseFails: whichever of its queries fails, a page says so,
// and nothing is resent then.
func TestDeliveriesWhileTheDatabaseFails(t *testing.T) {
	c := webtest.NewConsole(t)
	s := &webtest.HistorySite{T: t, Store: c.Store, Server: c.Server}
	s.Set(models.DispatchInterval, "0")
	s.Set(models.DispatchDelay, "0")
	w := s.Hook("Board", nil)
	failures(s, w, 0, 3)
	path := deliveries.Path(s.NewestDelivery(w.ID).PublicID)
	filter := "?state=failed&webhook=" + web.FormatID(w.ID)
	for _, page := range []string{
		"/admin/deliveries", "/admin/deliveries" + filter, "/admin/deliveries/export" + filter, path, deliveries.ResendPath + filter,
	} {
		c.Faults(http.MethodGet, page, nil).Want(http.StatusOK)
	}
	c.Faults(http.MethodGet, deliveries.Path("msg_unknown"), nil).Want(http.StatusNotFound)

	c.Faults(http.MethodPost, path+"/resend", nil).GoesTo(path + "?sending=1")
	question := c.Get(deliveries.ResendPath + filter).Want(http.StatusOK)
	a := c.Faults(http.MethodPost, question.Find("main form[method=post]").AttrOr("action", ""), question.Form()).Want(http.StatusSeeOther)
	progress := a.Header.Get("Location")
	if got := c.Faults(http.MethodGet, progress, nil).Want(http.StatusOK).Text("main"); !strings.Contains(got, "of 2 deliveries done") {
		t.Errorf("the progress says %q", got)
	}
	if c.Change != 2 {
		t.Errorf("the jobs were woken %d times, want once for each resending", c.Change)
	}
}
