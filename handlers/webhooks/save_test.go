package webhooks_test

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/jobs/send"
)

// TestFormSavesOnlyWhatItsReceiverAccepts: the form of a type that is tested
// before it is saved asks the receiver first, and stores nothing that the
// receiver did not accept, neither a new webhook nor a change.
func TestFormSavesOnlyWhatItsReceiverAccepts(t *testing.T) {
	target := webtest.NewReceiver(t)
	secure := httptest.NewTLSServer(target.Config.Handler) // the type sends to https alone
	t.Cleanup(secure.Close)
	c := webtest.NewConsole(t, func(d *handlers.Deps) {
		roots := x509.NewCertPool()
		roots.AddCert(secure.Certificate())
		d.Sender = send.New(send.Config{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, RootCAs: roots})
	})
	const form = "/admin/webhooks/new?type=superoffice"
	requested := 0
	// refused saves while the receiver answers with status, and wants it refused.
	refused := func(status int, path string, fields url.Values) {
		t.Helper()
		target.Answers(status)
		a := c.Post(path, fields).Want(http.StatusUnprocessableEntity)
		if says := a.Text("#url-err"); !strings.Contains(says, "did not accept the test notification") {
			t.Errorf("%d: the URL's field says %q", status, says)
		}
		if a.Find("#name").AttrOr("value", "") != fields.Get("name") {
			t.Errorf("%d: the form lost what was typed", status)
		}
		if requested++; len(target.Requests()) != requested {
			t.Fatalf("%d: the receiver was asked %d times, want %d", status, len(target.Requests()), requested)
		}
	}

	fields := webtest.Fill(c.Get(form).Want(http.StatusOK).Form(), "name", "CRM", "url", secure.URL+"/crm", "events", "contact.created")
	for _, status := range []int{http.StatusInternalServerError, http.StatusGone, http.StatusNoContent} { // it has to be 200
		refused(status, form, fields)
	}
	if all, _, err := c.Store.Webhooks.All(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("%d webhooks are stored, %v", len(all), err)
	}

	target.Answers(http.StatusOK)
	c.Post(form, fields).GoesTo(web.WebhooksPath)
	if requested++; len(target.Requests()) != requested {
		t.Errorf("the receiver was asked %d times, want %d", len(target.Requests()), requested)
	}
	saved := c.Only()

	change := webtest.Fill(c.Get(webtest.EditPath(saved)).Want(http.StatusOK).Form(), "name", "CRM, renamed")
	refused(http.StatusInternalServerError, webtest.EditPath(saved), change)
	if now := c.Only(); now.Name != "CRM" || !now.UpdatedAt.Equal(saved.UpdatedAt) {
		t.Errorf("the webhook is %q, changed at %s; want it as it was", now.Name, now.UpdatedAt)
	}
	target.Answers(http.StatusOK)
	c.Post(webtest.EditPath(saved), change).GoesTo(web.WebhooksPath)
	if now := c.Only(); now.Name != "CRM, renamed" {
		t.Errorf("the webhook is %q after a change that the receiver accepted", now.Name)
	}
}
