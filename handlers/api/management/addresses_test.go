package management_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/api/management"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestNumbersInAddresses: one of our numbers is written in one way. Any other way is
// the address of nothing, in the APIs and in the console.
func TestNumbersInAddresses(t *testing.T) {
	d := newDesk(t)
	x := d.thing()
	id, event := web.FormatID(x.webhook.ID), web.FormatID(x.event)
	member := d.AddViewer()
	vendor := d.newToken(models.ScopeSuperOffice, "")
	crm := d.AddWebhook(func(in *models.WebhookInput) { in.Type, in.Events = "superoffice", []string{"contact.created"} })
	ask := func(method, path, token string) int {
		t.Helper()
		req := d.Request(method, path, strings.NewReader(""))
		if d.Cookie = ""; token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		} else {
			d.LogIn(d.Admin)
		}
		return d.Do(req).Status
	}
	for _, sign := range []string{"", "+", "-", "0", "00", "%20", "+0", "0x"} {
		want := http.StatusNotFound
		if sign == "" {
			want = http.StatusOK
		}
		for path, token := range map[string]string{
			"/api/v1/webhooks/" + sign + id: d.token, "/api/v1/events/" + sign + event: d.token,
			"/superoffice/api/v1/Webhook/" + sign + web.FormatID(crm.ID): vendor,
			"/admin/webhooks/" + sign + id:                               "", "/admin/webhooks/" + sign + id + "/edit": "", "/admin/webhooks/" + sign + id + "/delete": "",
			"/admin/trigger-history/" + sign + event: "", "/admin/members/" + sign + web.FormatID(member.ID): "",
		} {
			if got := ask(http.MethodGet, path, token); got != want {
				t.Errorf("GET %s: %d, want %d", path, got, want)
			}
		}
		if sign == "" {
			continue
		}
		for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete} {
			d.Cookie = ""
			if a := d.do(method, "/webhooks/"+sign+id, nil); a.Status != http.StatusNotFound && sign != "%20" && sign != "0x" {
				t.Errorf("%s of %s%s: %d %s", method, sign, id, a.Status, a.Body)
			}
		}
	}
}

// TestUnknownFieldsAreRefused: in the body of every operation, and in the objects
// inside, with the place of the field.
func TestUnknownFieldsAreRefused(t *testing.T) {
	d := newDesk(t)
	x := d.thing()
	before := d.Stored()
	for _, route := range management.Table() {
		if route.Body != nil {
			a := d.do(route.Method, x.path(route), `{"odd":1}`)
			a.says(a.Status, "odd", "There is no field of this name.")
		}
	}
	for body, field := range map[string]string{
		`{"communities":[{"slug":"a"},{"slug":"data","odd":{"x":1}}]}`: "communities[1].odd",
		`{"communities":[{"slug":"a","Name":"A"}]}`:                    "communities[0].Name",
		`{"communities":[{"slug":"a","":1}]}`:                          "communities[0].",
	} {
		a := d.do("PUT", "/locations/team-a", body)
		a.says(a.Status, field, "There is no field of this name.")
	}
	d.do("PUT", "/sources/other", `{"kind":"generic","secret_1":{"generate":true,"odd":1}}`).says(http.StatusBadRequest, "secret_1", "It must be a string, {")
	if changed := webtest.Difference(before, d.Stored()); changed != "" {
		t.Errorf("stored %s", changed)
	}
}
