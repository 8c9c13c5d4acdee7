package superoffice

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

func TestSuperOfficeList(t *testing.T) {
	onBothStores(t, func(d *desk) {
		add := func(change map[string]any) hook {
			d.clock.Add(time.Second)
			return d.created(change)
		}
		add(map[string]any{"Name": "One"})
		two := add(map[string]any{"Name": "Two", "State": 2, "Events": []string{"lead.scored"}})
		add(map[string]any{"Name": "two", "Events": []string{"contact.created", "lead.scored"}})
		gone := add(map[string]any{"Name": "Gone"})
		d.do(http.MethodDelete, pathOf(gone), "")
		broken := add(map[string]any{"Name": "Broken"})
		d.must(d.store.Webhooks.Break(t.Context(), broken.WebhookID, "Seven failures."))
		_, err := d.store.Webhooks.Create(t.Context(), mary, models.WebhookInput{
			Type: "generic", Name: "Another type", Location: "main", Events: []string{"question.created"}, URL: d.target.URL, URLShown: d.target.URL,
		})
		d.must(err)
		for query, want := range map[string]string{
			"": "One,Two,two,Broken", "?nameFilter=TWO": "Two,two", "?namefilter=tw": "", "?nameFilter=&eventFilter=": "One,Two,two,Broken",
			"?eventFilter=lead.scored": "Two,two", "?EVENTFILTER=Contact.Created&nameFilter=two": "two", "?eventFilter=sale": "",
			"?statusFilter=Unknown": "One,Two,two,Broken", "?statusFilter=0": "One,Two,two,Broken", "?statusFilter=1": "One,two",
			"?statusFilter=stopped": "Two", "?statusFilter=2": "Two", "?statusFilter=TooManyErrors": "Broken", "?statusFilter=3&nameFilter=One": "",
		} {
			r := d.do(http.MethodGet, "/v1/Webhook"+query, "")
			if got := d.names(r); got != want || r.status != http.StatusOK {
				d.t.Errorf("%s: %s, want %s (%d)", query, got, want, r.status)
			}
		}
		d.refused(d.do(http.MethodGet, "/v1/Webhook?statusFilter=4", ""), http.StatusBadRequest, "statusFilter:")
		r := d.do(http.MethodGet, "/v1/Webhook?nameFilter=two", "")
		if one := d.do(http.MethodGet, pathOf(two), ""); !strings.HasPrefix(r.body, "["+one.body+",") {
			d.t.Errorf("%s does not begin with %s", r.body, one.body)
		}
	})
}

func TestSuperOfficeManyPages(t *testing.T) {
	onSQLite(t, func(d *desk) {
		for range listPage + 3 {
			_, err := d.store.Webhooks.Create(t.Context(), mary, models.WebhookInput{
				Type: "superoffice", Name: "n", Location: "main", Events: []string{"contact.created"}, URL: d.target.URL, URLShown: d.target.URL,
			})
			d.must(err)
		}
		if got := strings.Count(d.names(d.do(http.MethodGet, "/v1/Webhook", "")), "n"); got != listPage+3 {
			d.t.Errorf("%d webhooks", got)
		}
	})
}

// TestSuperOfficeLocations: a token of one location sees and makes webhooks of
// that one.
func TestSuperOfficeLocations(t *testing.T) {
	onBothStores(t, func(d *desk) {
		d.must(d.store.Locations.Ensure(t.Context(), "sales", "The Sales Team"))
		all := d.token
		everywhere := d.created(map[string]any{"Name": "Main"})
		d.token = d.newToken(models.ScopeSuperOffice, "new-team")
		fresh := d.created(map[string]any{"Name": "New"})
		d.token = d.newToken(models.ScopeSuperOffice, "sales")
		sales := d.created(map[string]any{"Name": "Sales"})
		if w, _ := d.opened(sales.WebhookID); w.Location != "sales" {
			d.t.Errorf("%+v", w)
		}
		if got := d.names(d.do(http.MethodGet, "/v1/Webhook", "")); got != "Sales" {
			d.t.Error(got)
		}
		for _, h := range []hook{everywhere, fresh} {
			d.refused(d.do(http.MethodGet, pathOf(h), ""), http.StatusNotFound)
			d.refused(d.do(http.MethodPut, pathOf(h), d.body(nil)), http.StatusNotFound)
			d.refused(d.do(http.MethodDelete, pathOf(h), ""), http.StatusNotFound)
			d.refused(d.do(http.MethodPost, "/v1/Webhook/Test", d.body(map[string]any{"WebhookId": h.WebhookID})), http.StatusNotFound)
		}
		d.token = all
		if got := d.names(d.do(http.MethodGet, "/v1/Webhook", "")); strings.Count(got, ",") != 2 {
			d.t.Error(got)
		}
		// Saved by a token for all it stays where it is.
		d.ok(d.do(http.MethodPut, pathOf(sales), d.body(nil)))
		if w, _ := d.opened(sales.WebhookID); w.Location != "sales" {
			d.t.Errorf("%+v", w)
		}
		names := map[string]string{}
		list, _, err := d.store.Locations.Few(t.Context(), models.AllLocations(), 100)
		d.must(err)
		for _, l := range list {
			names[l.Slug] = l.Name
		}
		if names["new-team"] != "New team" || names["sales"] != "The Sales Team" {
			d.t.Errorf("%v", names)
		}
	})
}

// TestSuperOfficeNamesHeaders: a definition has the names of the headers and
// none of their values.
func TestSuperOfficeNamesHeaders(t *testing.T) {
	onSQLite(t, func(d *desk) {
		headers := map[string]any{"Headers": map[string]string{"X-Api-Key": "very private", "X-Team": "also private"}}
		made := d.do(http.MethodPost, "/v1/Webhook", d.body(headers))
		h := d.ok(made)
		for name, r := range map[string]received{
			"create": made,
			"get":    d.do(http.MethodGet, pathOf(h), ""),
			"list":   d.do(http.MethodGet, "/v1/Webhook", ""),
			"put":    d.do(http.MethodPut, pathOf(h), d.body(nil)),
			"patch":  d.do(http.MethodPatch, pathOf(h), `{"Name":"Renamed"}`),
			"one":    d.do(http.MethodPost, "/v1/Agents/Webhook/GetWebhook?webhookId="+strconv.FormatInt(h.WebhookID, 10), ""),
			"all":    d.do(http.MethodPost, "/v1/Agents/Webhook/GetAllWebhooks", ""),
		} {
			if r.status != http.StatusOK || !strings.Contains(r.body, `"Headers":{"X-Api-Key":null,"X-Team":null}`) || strings.Contains(r.body, "private") {
				d.t.Errorf("%s: %d %s", name, r.status, r.body)
			}
		}
		if blank := d.do(http.MethodGet, "/v1/Webhook/default", ""); !strings.Contains(blank.body, `"Headers":{}`) {
			d.t.Errorf("default: %s", blank.body)
		}
	})
}

func TestSuperOfficeOtherTypes(t *testing.T) {
	onSQLite(t, func(d *desk) {
		w, err := d.store.Webhooks.Create(t.Context(), mary, models.WebhookInput{
			Type: "generic", Name: "Another type", Location: "main", Events: []string{"question.created"}, URL: d.target.URL, URLShown: d.target.URL,
		})
		d.must(err)
		d.refused(d.do(http.MethodGet, pathOf(hook{WebhookID: w.ID}), ""), http.StatusNotFound)
		d.refused(d.do(http.MethodDelete, pathOf(hook{WebhookID: w.ID}), ""), http.StatusNotFound)
	})
}
