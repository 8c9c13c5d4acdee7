package management_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/api/management"
	"github.com/sitehooks/sitehooks/handlers/api/openapi"
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
	"postEvents":       `{"type":"question.created","location":"LOCATION","question":{"question_id":7,"title":"New","link":"https://site.example/questions/7"}}`,
	"putCursor":        `{"location":"LOCATION","holder":"here","lease_seconds":0}`,
}

// elsewhere are the operations below the same prefix that are not in the table.
var elsewhere = []management.Route{
	{Method: http.MethodPost, Path: "/events", Name: "postEvents", Scope: models.ScopeIngest},
	{Method: http.MethodGet, Path: "/sources/:name/cursor", Name: "getCursor", Scope: models.ScopeIngest},
	{Method: http.MethodPut, Path: "/sources/:name/cursor", Name: "putCursor", Scope: models.ScopeIngest},
}

// operations are those of all addresses below the prefix. One that is in no
// list, so that no test knows who may use it, is a fault.
func operations(t *testing.T) []management.Route {
	t.Helper()
	known := slices.Concat(management.Table(), elsewhere)
	found := 0
	for _, route := range newDesk(t).Engine.Routes() {
		path, under := strings.CutPrefix(route.Path, management.Prefix)
		if !under || route.Method == http.MethodHead || route.Path == openapi.Path { // which is open
			continue
		}
		if found++; !slices.ContainsFunc(known, func(r management.Route) bool { return r.Method == route.Method && r.Path == path }) {
			t.Errorf("%s %s is neither in the table nor in the list elsewhere", route.Method, route.Path)
		}
	}
	if found < len(known) {
		t.Errorf("%d of %d operations have an address", found, len(known))
	}
	return known
}

// TestEveryRouteByEveryToken walks all addresses: each operation by tokens of
// every scope, for all locations, for the location that is asked about and for
// another one.
func TestEveryRouteByEveryToken(t *testing.T) {
	scopes := []string{models.ScopeIngest, models.ScopeRead, models.ScopeManage, models.ScopeSuperOffice}
	for _, route := range operations(t) {
		t.Run(route.Name, func(t *testing.T) {
			d := newDesk(t)
			thing := d.thing()
			path := thing.path(route)
			body := strings.NewReplacer("LOCATION", "python-wranglers", "URL", d.receiver.URL).Replace(bodies[route.Name])
			for _, scope := range scopes {
				for _, location := range []string{"python-wranglers", "main", ""} { // a change by the last would leave none for the first
					d.token = d.newToken(scope, location)
					a := d.do(route.Method, path, body)
					a.isAsAllowed(route, scope, location, thing.delivery)
					if route.Method != http.MethodGet && a.Status/100 == 2 {
						thing = d.again(thing)
						path = thing.path(route)
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

// isAsAllowed checks the answer to a token with a scope, for a location or for
// all, that asked about python-wranglers.
func (a got) isAsAllowed(route management.Route, scope, location, delivery string) {
	a.T.Helper()
	settings := strings.HasPrefix(route.Path, "/settings")
	outside := location == "main"
	describes := route.Name == "putLocation" && location == "python-wranglers"
	switch {
	case scope != route.Scope && (scope != models.ScopeManage || route.Scope != models.ScopeRead):
		a.says(http.StatusForbidden, "", "The token has the scope "+scope)
	case settings && route.Method != http.MethodGet && location != "":
		a.says(http.StatusForbidden, "", "The token is for the location")
	case describes:
		a.says(http.StatusForbidden, "", "The token is for the location python-wranglers only, and changing a location")
	case settings:
		a.want(http.StatusOK)
	case outside && route.Name == "putSource": // which would add one, and names are unique
		a.says(http.StatusConflict, "name", "There is already a source of this name.")
	case outside && route.Name == "getCursor":
		a.says(http.StatusNotFound, "", "No follower of this name")
	case outside && (route.Name == "putCursor" || route.Name == "postEvents"):
		a.says(http.StatusForbidden, "location", "")
	case outside && strings.Contains(route.Path, ":"):
		a.says(http.StatusNotFound, "", "There is no such ")
	case outside && (route.Name == "createWebhook" || route.Name == "createSource"):
		a.says(http.StatusForbidden, "location", "The token is for the location main only.")
	case a.Status/100 != 2:
		a.T.Errorf("%s of %q: %d %s", scope, location, a.Status, a.Body)
	case outside && (strings.Contains(a.Body, "python-wranglers") || strings.Contains(a.Body, delivery)):
		a.T.Errorf("%s of %s sees: %s", scope, location, a.Body)
	}
}

// things are one of each at python-wranglers.
type things struct {
	webhook  models.Webhook
	delivery string
	event    int64
}

// path is the address of an operation on these.
func (x things) path(route management.Route) string {
	name := "forum"
	if strings.HasSuffix(route.Path, "/cursor") {
		name = "follower"
	}
	return strings.NewReplacer(":webhook", web.FormatID(x.webhook.ID), ":delivery", x.delivery, ":event", web.FormatID(x.event),
		":setting", models.DispatchDelay, ":location", "python-wranglers", ":name", name).Replace(route.Path)
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
	_, err = d.Store.Sources.PutCursor(d.t.Context(), d.Admin.Actor(), "follower", models.CursorInput{Holder: "here", Location: "python-wranglers"})
	if _, leased := errors.AsType[*models.LeasedError](err); !leased {
		webtest.OK(d.t, err)
	}
	if err := d.Store.Sources.Delete(d.t.Context(), d.Admin.Actor(), "fresh"); err != nil && !errors.Is(err, models.ErrNotFound) {
		d.t.Fatal(err)
	}
	old.delivery, old.event = rows[0].PublicID, events.Rows[0].ID
	return old
}
