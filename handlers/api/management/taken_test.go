package management_test

import (
	"net/http"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestWhatIsTakenIsRefusedByADryRunToo: a key or a name of another location is
// refused with the same answer by a dry run and a save, whatever its condition.
func TestWhatIsTakenIsRefusedByADryRunToo(t *testing.T) {
	each(t, func(d *desk) {
		webtest.OK(d.t, d.Store.Locations.Ensure(d.t.Context(), "alpha", "Alpha"))
		d.do("PUT", "/webhooks/wh-beta", d.usual(nil)).want(http.StatusCreated)
		d.do("PUT", "/webhooks/wh-other", d.usual(nil)).want(http.StatusCreated)
		d.do("PUT", "/sources/src-beta", `{"kind":"generic"}`).want(http.StatusCreated)
		refused := func(method, path string, body any, field string) {
			d.t.Helper()
			for _, query := range []string{"?dry_run=true", ""} {
				for _, header := range [][]string{nil, {"If-None-Match", "*"}} {
					if method == "PATCH" && header != nil {
						header = []string{"If-Match", "*"}
					}
					d.do(method, path+query, body, header...).says(http.StatusConflict, field, "")
				}
			}
		}
		refused("PATCH", "/webhooks/wh-other", `{"key":"wh-beta"}`, "key")
		d.token = d.newToken(models.ScopeManage, "alpha")
		before := d.Stored()
		refused("PUT", "/webhooks/wh-beta", d.usual(map[string]any{"location": "alpha"}), "key")
		refused("PUT", "/sources/src-beta", `{"kind":"generic"}`, "name")
		if changed := webtest.Difference(before, d.Stored()); changed != "" {
			d.t.Errorf("stored %s", changed)
		}
		d.do("PUT", "/sources/src-alpha?dry_run=true", `{"kind":"generic"}`, "If-None-Match", "*").want(http.StatusOK)
		d.do("PUT", "/sources/src-alpha", `{"kind":"generic"}`, "If-None-Match", "*").want(http.StatusCreated)
		d.do("PUT", "/sources/src-alpha", `{"kind":"generic"}`, "If-None-Match", "*").want(http.StatusPreconditionFailed)
	})
}

// TestNothingGivenIsIgnored: what a follower does not have, and an empty slug, are
// refused.
func TestNothingGivenIsIgnored(t *testing.T) {
	each(t, func(d *desk) {
		d.do("PUT", "/webhooks/handle", d.usual(nil)).want(http.StatusCreated)
		_, _, err := d.Store.Sources.Create(d.t.Context(), d.Admin.Actor(), "follower", models.SourceInput{Kind: models.KindFollower, Location: "main"})
		webtest.OK(d.t, err)
		before := d.Stored()
		for field, value := range map[string]string{"program": `"."`, "fields": `{"a":"b"}`, "new_address": "true", "secret_1": `{"generate":true}`, "secret_2": `"a secret of it"`} {
			d.do("PUT", "/sources/follower", `{"`+field+`":`+value+`}`).says(http.StatusUnprocessableEntity, field, "A follower has no such field.")
		}
		for _, field := range []string{"key", "community"} {
			d.do("PATCH", "/webhooks/handle", `{"`+field+`":""}`).says(http.StatusUnprocessableEntity, field, "It must not be empty.")
		}
		if changed := webtest.Difference(before, d.Stored()); changed != "" {
			d.t.Errorf("stored %s", changed)
		}
		d.do("PUT", "/sources/follower", d.do("GET", "/sources/follower", nil).Body).want(http.StatusOK)
	})
}
