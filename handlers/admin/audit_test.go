package admin_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

const (
	auditFrom   = "td[data-l=From]"
	auditDetail = "tbody tr:first-child td:last-child"
)

// TestAuditSaysFromWhereAndWhat: a change by form has the address and the
// changed values, one by an API its token as well, and neither has a secret.
func TestAuditSaysFromWhereAndWhat(t *testing.T) {
	trusting := func(d *handlers.Deps) { d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		w := c.AddWebhook(func(in *models.WebhookInput) {
			in.Name, in.Secrets[0].Set = "Old", "the-first-secret-1"
			in.Headers = []models.Header{{Name: "X-Key", Value: "concealed-value"}}
		})
		form := webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "name", webtest.Nasty, "secret_1", "another-concealed-one-2", "headers", "X-Team: concealed-too", "do", "save")
		c.Through("203.0.113.7", http.MethodPost, webtest.EditPath(w), "application/x-www-form-urlencoded", form.Encode()).GoesTo("/admin/webhooks")
		a := c.Get("/admin/audit?about=webhook").Want(http.StatusOK)
		webtest.NoMarkup(t, a)
		detail := a.Text(auditDetail)
		for _, want := range []string{`name "Old" → `, "headers added: X-Team; headers removed: X-Key", "signing secret 1 replaced"} {
			if !strings.Contains(detail, want) {
				t.Errorf("the audit says %q without %q", detail, want)
			}
		}
		if strings.Contains(a.Body, "concealed") || a.Find(auditFrom).First().Text() != "203.0.113.7" {
			t.Errorf("from %q: %q", a.Text(auditFrom), detail)
		}
		auditOfAnAPI(t, c)
	}, webtest.WithAPIs, trusting)
}

func auditOfAnAPI(t *testing.T, c *webtest.Console) {
	t.Helper()
	w := c.AddWebhook(func(in *models.WebhookInput) { in.Type, in.Events = "superoffice", []string{"contact.created"} })
	plain, err := c.Store.Tokens.Create(t.Context(), models.Token{Name: "crm " + webtest.Nasty, Scope: models.ScopeSuperOffice, CreatedBy: "Jo Maker", CreatedByID: 7})
	webtest.OK(t, err)
	c.Through("203.0.113.9", http.MethodDelete, "/superoffice/api/v1/Webhook/"+web.FormatID(w.ID), "application/json", "", "Authorization", "Bearer "+plain).Want(http.StatusNoContent)
	a := c.Get("/admin/audit?about=webhook&who=" + url.QueryEscape("Jo Maker")).Want(http.StatusOK)
	webtest.NoMarkup(t, a)
	if got := a.Text(auditFrom); got != "203.0.113.9 with the token crm "+webtest.Nasty {
		t.Errorf("an API is noted from %q", got)
	}
	if strings.Contains(a.Body, plain) {
		t.Error("the token is in the audit")
	}
}
