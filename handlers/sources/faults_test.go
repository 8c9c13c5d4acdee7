package sources_test

import (
	"net/http"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
)

// TestSourcesWhileTheDatabaseFails: whichever of its queries fails, a page says so, and
// nothing was changed then.
func TestSourcesWhileTheDatabaseFails(t *testing.T) {
	c := newConsole(t)
	address := add(t, c, "forum")
	if status, text := receive(t, c, address); status != http.StatusAccepted && status != http.StatusOK {
		t.Fatalf("received: %d, %s", status, text)
	}
	for _, page := range []string{
		"/admin/sources", "/admin/sources/forum", "/admin/sources/new?kind=custom", "/admin/sources/forum/edit", "/admin/sources/forum/delete",
		"/admin/sources/forum/reveal?part=address",
	} {
		c.Faults(http.MethodGet, page, nil).Want(http.StatusOK)
	}
	c.Faults(http.MethodGet, "/admin/sources/none", nil).Want(http.StatusNotFound)
	form := c.Get("/admin/sources/new?kind=userecho").Want(http.StatusOK).Form()
	c.Faults(http.MethodPost, "/admin/sources/new?kind=userecho", webtest.Fill(form, "name", "second")).GoesTo("/admin/sources/second")
	form = c.Get("/admin/sources/forum/edit").Want(http.StatusOK).Form()
	c.Faults(http.MethodPost, "/admin/sources/forum/edit", webtest.Fill(form, "expect_hours", "3")).GoesTo("/admin/sources/forum")
	c.Faults(http.MethodPost, "/admin/sources/forum/delete", nil).GoesTo("/admin/sources")
}
