package management_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestSources: added, replaced and deleted by the form's rules; what is secret
// is told once.
func TestSources(t *testing.T) {
	each(t, func(d *desk) {
		const path = "/sources/forum"
		a := d.do("PUT", path, `{"kind":"generic","secret_1":{"generate":true},"expect_hours":6}`).want(http.StatusCreated)
		secret, _ := a.value["secret_1"].(string)
		if secret == "" || a.value["address"] != nil {
			d.t.Errorf("added is %s", a.Body)
		}
		read := d.do("GET", path, nil).want(http.StatusOK)
		if read.value["location"] != "main" || read.value["expect_hours"] != 6.0 || strings.Contains(read.Body, secret) || read.Header.Get("ETag") != a.Header.Get("ETag") {
			d.t.Errorf("it is %s", read.Body)
		}
		before := d.Stored()
		for _, again := range []any{read.Body, map[string]any{"kind": "generic", "secret_1": secret, "expect_hours": 6}} {
			d.do("PUT", path, again).want(http.StatusOK)
			same(d.t, "would change", d.do("PUT", path+"?dry_run=true", again).value, map[string]any{"creates": false, "changes": []string{}})
		}
		for body, fault := range map[string][2]string{
			`{"kind":"odd"}`:                       {"kind", "The kind of a source cannot be changed."},
			`{"location":"nowhere"}`:               {"location", "There is no location"},
			`{"expect_hours":-1}`:                  {"expect_hours", "Enter a whole number"},
			`{"expect_hours":"six"}`:               {"expect_hours", "It must be a whole number."},
			`{"fields":{"x":"y"}}`:                 {"fields.x", "Sources of this kind have no such field."},
			`{"name":"other"}`:                     {"name", "The address names the source"},
			`{"secret_1":"\t"}`:                    {"secret_1", ""},
			`{"kind":"generic","secret":"a word"}`: {"secret", "There is no field"},
		} {
			b := d.do("PUT", path, body)
			b.says(b.Status, fault[0], fault[1])
		}
		d.do("PUT", "/sources/new", `{"kind":"generic"}`).says(http.StatusUnprocessableEntity, "name", "This name is reserved.")
		d.do("POST", "/sources", `{"name":"x","kind":"odd"}`).says(http.StatusUnprocessableEntity, "kind", "There is no such kind")
		d.do("POST", "/sources", `{"name":"forum","kind":"generic"}`).says(http.StatusConflict, "name", "There is already a source")
		if changed := webtest.Difference(before, d.Stored()); changed != "" {
			d.t.Errorf("stored %s", changed)
		}
		d.do("PUT", path, `{"kind":"generic","expect_hours":7}`, "If-Match", a.Header.Get("ETag")).want(http.StatusOK)
		d.do("PUT", path, `{"kind":"generic","expect_hours":8}`, "If-Match", a.Header.Get("ETag")).want(http.StatusPreconditionFailed)
		d.do("DELETE", path, nil, "If-Match", a.Header.Get("ETag")).want(http.StatusPreconditionFailed)
		unsigned := d.do("POST", "/sources", `{"name":"unsigned","kind":"generic"}`).want(http.StatusCreated)
		if address, _ := unsigned.value["address"].(string); !strings.Contains(address, "/in/unsigned/") {
			d.t.Errorf("the address is %s", unsigned.Body)
		}
		first := d.do("GET", "/sources?limit=1", nil).want(http.StatusOK)
		if rest := d.do("GET", "/sources?limit=1&cursor=forum", nil); first.value["next"] != "forum" || rest.rows()[0]["name"] != "unsigned" || rest.value["next"] != nil {
			d.t.Errorf("pages are %s and %s", first.Body, rest.Body)
		}
		d.do("DELETE", path, nil).want(http.StatusNoContent)
		d.do("GET", path, nil).says(http.StatusNotFound, "", "There is no such source.")
	})
}

// TestRefusedSources: by the rules of the form, each with the field's name, and
// nothing is stored.
func TestRefusedSources(t *testing.T) {
	each(t, func(d *desk) {
		before := d.Stored()
		for body, fault := range map[string][2]string{
			`{"name":"x","kind":"userecho","location":null}`:                             {"location", "Choose a location."},
			`{"name":"x","kind":"custom"}`:                                               {"program", "Enter a program."},
			`{"name":"x","kind":"discourse"}`:                                            {"fields.instance", "This field is required."},
			`{"name":"x","kind":"discourse","fields":{"instance":"forum"}}`:              {"fields.instance", "Enter the forum's address"},
			`{"name":"x","kind":"discourse","fields":{"instance":"http://169.254.1.1"}}`: {"fields.instance", ""},
			`{"name":"x","kind":"userecho","secret_1":""}`:                               {"secret_1", "Enter a secret, or null to remove it."},
		} {
			d.do("POST", "/sources", body).says(http.StatusUnprocessableEntity, fault[0], fault[1])
		}
		d.do("GET", "/sources?limit=0", nil).says(http.StatusBadRequest, "limit", "")
		d.do("PUT", "/sources/x?dry_run=perhaps", `{"kind":"generic"}`).says(http.StatusBadRequest, "dry_run", "")
		if changed := webtest.Difference(before, d.Stored()); changed != "" {
			d.t.Errorf("stored %s", changed)
		}
		d.do("PUT", "/sources/team", `{"kind":"discourse","fields":{"instance":"http://127.0.0.1/forum","replies_as_comments":"yes"},"secret_1":"a secret of it"}`).want(http.StatusCreated)
		a := d.do("PUT", "/sources/team", `{"kind":"discourse","fields":{"instance":"http://127.0.0.1/forum","replies_as_comments":null}}`).want(http.StatusOK)
		same(d.t, "fields", a.value["fields"], map[string]any{"instance": "http://127.0.0.1/forum", "replies_as_comments": "no"})

		// What was saved meanwhile is left as it is.
		for header, status := range map[string]int{"": http.StatusConflict, a.Header.Get("ETag"): http.StatusPreconditionFailed} {
			src, err := d.Store.Sources.Get(d.t.Context(), "team")
			webtest.OK(d.t, err)
			d.After("sources", func() {
				_, _, err := d.Store.Sources.Update(d.t.Context(), d.Admin.Actor(), "team", src.UpdatedAt, models.SourceInput{Kind: src.Kind, Location: src.Location, Fields: src.Fields, ExpectHours: src.ExpectHours + 1})
				webtest.OK(d.t, err)
			})
			var headers []string
			if header != "" {
				headers = []string{"If-Match", header}
			}
			d.do("PUT", "/sources/team", `{"kind":"discourse","fields":{"instance":"http://127.0.0.1/forum"},"expect_hours":700}`, headers...).want(status)
			if now, err := d.Store.Sources.Get(d.t.Context(), "team"); err != nil || now.ExpectHours != src.ExpectHours+1 {
				d.t.Errorf("it expects an event every %d hours, %v", now.ExpectHours, err)
			}
			a = d.do("GET", "/sources/team", nil).want(http.StatusOK)
		}
	})
}
