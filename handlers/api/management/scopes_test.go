package management_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/api/management"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// bodies are right bodies of the operations that need one.
var bodies = map[string]string{
	"createWebhook":    `{"type":"generic","name":"New","location":"LOCATION","events":["question.created"],"url":"URL"}`,
	"putWebhook":       `{"type":"generic","name":"New","events":["question.created"],"url":"URL"}`,
	"patchWebhook":     `{"name":"New"}`,
	"resumeWebhook":    `{"held":"send"}`,
	"resendDeliveries": `{"location":"LOCATION","state":"failed"}`,
	"putSetting":       `{"value":"7","reason":"A test"}`,
	"putLocation":      `{"name":"New"}`,
	"createSource":     `{"name":"fresh","kind":"generic","location":"LOCATION"}`,
	"putSource":        `{"kind":"generic"}`,
}

// TestEveryRouteByEveryToken walks the table: each operation by tokens of every
// scope, for all locations, for the location that is asked about and for another
// one.
func TestEveryRouteByEveryToken(t *testing.T) {
	scopes := []string{models.ScopeIngest, models.ScopeRead, models.ScopeManage, models.ScopeSuperOffice}
	for _, route := range management.Table() {
		t.Run(route.Name, func(t *testing.T) {
			d := newDesk(t)
			thing := d.thing()
			path := strings.NewReplacer(":webhook", web.FormatID(thing.webhook.ID), ":delivery", thing.delivery, ":event", web.FormatID(thing.event),
				":setting", models.DispatchDelay, ":location", "python-wranglers", ":name", "forum").Replace(route.Path)
			body := strings.NewReplacer("LOCATION", "python-wranglers", "URL", d.receiver.URL).Replace(bodies[route.Name])
			for _, scope := range scopes {
				for _, location := range []string{"", "python-wranglers", "main"} {
					d.token = d.newToken(scope, location)
					a := d.do(route.Method, path, body)
					allowed := scope == route.Scope || scope == models.ScopeManage
					inside := location != "main"
					settings := strings.HasPrefix(route.Path, "/settings")
					switch {
					case !allowed:
						a.says(http.StatusForbidden, "", "The token has the scope "+scope)
					case settings && route.Method != http.MethodGet && location != "":
						a.says(http.StatusForbidden, "", "The token is for the location")
					case settings:
						a.want(http.StatusOK)
					case !inside && route.Name == "putSource": // which would add one, and names are unique
						a.says(http.StatusConflict, "name", "There is already a source of this name.")
					case !inside && strings.Contains(route.Path, ":"):
						a.says(http.StatusNotFound, "", "There is no such ")
					case !inside && (route.Name == "createWebhook" || route.Name == "createSource"):
						a.says(http.StatusForbidden, "location", "The token is for the location main only.")
					case !inside:
						if strings.Contains(a.Body, "python-wranglers") || strings.Contains(a.Body, thing.delivery) {
							t.Errorf("%s of %s sees: %s", scope, location, a.Body)
						}
						if a.Status/100 != 2 {
							t.Errorf("%s of %s: %d %s", scope, location, a.Status, a.Body)
						}
					case a.Status/100 != 2:
						t.Errorf("%s of %q: %d %s", scope, location, a.Status, a.Body)
					}
					if route.Method != http.MethodGet && a.Status/100 == 2 {
						thing = d.again(thing)
						path = strings.NewReplacer(":webhook", web.FormatID(thing.webhook.ID), ":delivery", thing.delivery, ":event", web.FormatID(thing.event),
							":setting", models.DispatchDelay, ":location", "python-wranglers", ":name", "forum").Replace(route.Path)
					}
				}
			}
			d.token = "shk_" + strings.Repeat("0", 64)
			if a := d.do(route.Method, path, body).says(http.StatusUnauthorized, "", "The token is unknown"); a.Header.Get("WWW-Authenticate") == "" {
				t.Error("no challenge")
			}
		})
	}
}

// things are one of each at python-wranglers.
type things struct {
	webhook  models.Webhook
	delivery string
	event    int64
}

// thing adds one of each.
func (d *desk) thing() things {
	d.t.Helper()
	w := d.AddWebhook(func(in *models.WebhookInput) {
		in.Location, in.Events, in.URL = "python-wranglers", []string{"question.created"}, d.receiver.URL
	})
	d.AddDelivery(w)
	d.AddEvent(1, "question.created", "")
	return d.again(things{webhook: w})
}

// again is what is there after a change, which may have removed the webhook.
func (d *desk) again(old things) things {
	d.t.Helper()
	if _, err := d.Store.Webhooks.Get(d.t.Context(), models.AllLocations(), old.webhook.ID); err != nil {
		old.webhook = d.AddWebhook(func(in *models.WebhookInput) {
			in.Location, in.Events, in.URL = "python-wranglers", []string{"question.created"}, d.receiver.URL
		})
		d.AddDelivery(old.webhook)
	}
	rows, _, err := d.Store.Deliveries.List(d.t.Context(), models.DeliveryQuery{Within: models.AllLocations(), WebhookID: old.webhook.ID, Limit: 1})
	webtest.OK(d.t, err)
	events, err := d.Store.Events.Search(d.t.Context(), models.EventQuery{Within: models.AllLocations(), Limit: 1})
	webtest.OK(d.t, err)
	if _, err := d.Store.Sources.Get(d.t.Context(), "forum"); err != nil {
		_, _, err = d.Store.Sources.Create(d.t.Context(), d.Admin.Actor(), "forum", models.SourceInput{Kind: "generic", Location: "python-wranglers"})
		webtest.OK(d.t, err)
	}
	if err := d.Store.Sources.Delete(d.t.Context(), d.Admin.Actor(), "fresh"); err != nil && !errors.Is(err, models.ErrNotFound) {
		d.t.Fatal(err)
	}
	old.delivery, old.event = rows[0].PublicID, events.Rows[0].ID
	return old
}
