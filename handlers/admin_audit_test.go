package handlers

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

const (
	auditFrom   = "td[data-l=From]"
	auditDetail = "tbody tr:first-child td:last-child"
)

// TestAuditSaysFromWhereAndWhat: of a change by form the address and what it
// changed, of one by an API its token as well, and no secret of either.
func TestAuditSaysFromWhereAndWhat(t *testing.T) {
	trusting := func(d *Deps) { d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	onBoth(t, func(t *testing.T, c *console) {
		w := c.addWebhook(func(in *models.WebhookInput) {
			in.Name, in.Secrets[0].Set = "Old", "the-first-secret-1"
			in.Headers = []models.Header{{Name: "X-Key", Value: "concealed-value"}}
		})
		form := fill(c.get(editPath(w)).form(), "name", nasty, "secret_1", "another-concealed-one-2", "headers", "X-Team: concealed-too", "do", "save")
		c.through("203.0.113.7", http.MethodPost, editPath(w), "application/x-www-form-urlencoded", form.Encode()).goesTo("/admin/webhooks")
		a := c.get("/admin/audit?about=webhook").want(http.StatusOK)
		noMarkup(t, a)
		detail := a.text(auditDetail)
		for _, want := range []string{`name "Old" → `, "headers added: X-Team; headers removed: X-Key", "signing secret 1 replaced"} {
			if !strings.Contains(detail, want) {
				t.Errorf("the audit says %q without %q", detail, want)
			}
		}
		if strings.Contains(a.Body, "concealed") || a.Find(auditFrom).First().Text() != "203.0.113.7" {
			t.Errorf("from %q: %q", a.text(auditFrom), detail)
		}
		auditOfAnAPI(t, c)
	}, withAPIs, trusting)
}

func auditOfAnAPI(t *testing.T, c *console) {
	t.Helper()
	w := c.addWebhook(func(in *models.WebhookInput) { in.Type, in.Events = "superoffice", []string{"contact.created"} })
	plain, err := c.store.Tokens.Create(t.Context(), models.Token{Name: "crm " + nasty, Scope: models.ScopeSuperOffice, CreatedBy: "Jo Maker", CreatedByID: 7})
	ok(t, err)
	c.through("203.0.113.9", http.MethodDelete, "/superoffice/api/v1/Webhook/"+formatID(w.ID), "application/json", "", "Authorization", "Bearer "+plain).want(http.StatusNoContent)
	a := c.get("/admin/audit?about=webhook&who=" + url.QueryEscape("Jo Maker")).want(http.StatusOK)
	noMarkup(t, a)
	if got := a.text(auditFrom); got != "203.0.113.9 with the token crm "+nasty {
		t.Errorf("an API is noted from %q", got)
	}
	if strings.Contains(a.Body, plain) {
		t.Error("the token is in the audit")
	}
}
