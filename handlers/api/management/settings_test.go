package management_test

import (
	"net/http"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestSettings: read, and changed with a reason by the form's rules.
func TestSettings(t *testing.T) {
	each(t, func(d *desk) {
		const path = "/settings/" + models.DispatchDelay
		a := d.do("GET", path, nil).want(http.StatusOK)
		if a.value["value"] != "10" || a.value["default"] != "10" || a.value["unit"] != "seconds" {
			d.t.Errorf("it is %s", a.Body)
		}
		if all := d.do("GET", "/settings", nil).want(http.StatusOK).rows(); len(all) != len(models.SettingDefs()) {
			d.t.Errorf("listed are %v", all)
		}
		tag, before := a.Header.Get("ETag"), d.Stored()
		for body, fault := range map[string][2]string{
			`{"value":"7"}`:                           {"reason", "Give a reason."},
			`{"value":"7","reason":" "}`:              {"reason", "Give a reason."},
			"{\"value\":\"7\",\"reason\":\"\u200b\"}": {"reason", "Give a reason."},
			`{"value":"-1","reason":"x"}`:             {"value", "Webhooks.DispatchDelay must be a whole number of seconds"},
			`{"reason":"x"}`:                          {"value", "Give a value."},
			`{"value":7,"reason":"x"}`:                {"value", "It must be a string."},
			`{"value":"7","reason":"x","why":""}`:     {"why", "There is no field"},
		} {
			b := d.do("PUT", path, body)
			b.says(b.Status, fault[0], fault[1])
		}
		same(d.t, "dry", d.do("PUT", path+"?dry_run=true", `{"value":"7","reason":"x"}`).value, map[string]any{"creates": false, "changes": []string{"value"}})
		d.do("PUT", path, `{"value":"10","reason":"x"}`).want(http.StatusOK)
		if changed := webtest.Difference(before, d.Stored()); changed != "" {
			d.t.Errorf("stored %s", changed)
		}
		d.do("PUT", path, `{"value":"07","reason":" Slower "}`, "If-Match", tag).want(http.StatusOK)
		d.do("PUT", path, `{"value":"8","reason":"x"}`, "If-Match", tag).want(http.StatusPreconditionFailed)
		history, err := d.Store.Settings.History(d.t.Context(), models.DispatchDelay)
		webtest.OK(d.t, err)
		if len(history) != 1 || history[0].NewValue != "7" || history[0].Reason != "Slower" {
			d.t.Errorf("history is %+v", history)
		}
		d.do("PUT", "/settings/Odd", `{"value":"8","reason":"x"}`).want(http.StatusNotFound)
	})
}

// TestLocations: listed in pages, described, and added with their communities.
func TestLocations(t *testing.T) {
	each(t, func(d *desk) {
		if all := d.do("GET", "/locations", nil).want(http.StatusOK).rows(); len(all) != 2 || all[0]["slug"] != "main" || all[1]["name"] != "Python wranglers" {
			d.t.Errorf("listed are %v", all)
		}
		first := d.do("GET", "/locations?limit=1", nil)
		if rest := d.do("GET", "/locations?limit=1&cursor="+first.value["next"].(string), nil); rest.rows()[0]["slug"] != "python-wranglers" || rest.value["next"] != nil {
			d.t.Errorf("the second page is %s", rest.Body)
		}
		before := d.Stored()
		body := `{"description":"A team","hidden":true,"communities":[{"slug":"data","name":" Data ","hidden":true},{"slug":"web","name":"","description":"Pages"}]}`
		same(d.t, "dry", d.do("PUT", "/locations/team-a?dry_run=true", body).value, map[string]any{"creates": true, "changes": []string{"name", "description", "kind", "hidden", "communities"}})
		for bad, field := range map[string]string{
			`{"name":""}`: "name", `{"name":7}`: "name", `{"kind":"team"}`: "kind", `{"hidden":"yes"}`: "hidden", `{"communities":[{"slug":"A"}]}`: "communities[0].slug",
			`{"communities":[{"slug":"a"},{"slug":"a"}]}`: "communities[1].slug", `{"title":""}`: "title",
		} {
			a := d.do("PUT", "/locations/team-a", bad)
			a.says(a.Status, field, "")
		}
		d.do("PUT", "/locations/No", `{}`).says(http.StatusUnprocessableEntity, "slug", "Use 1 to 64")
		if changed := webtest.Difference(before, d.Stored()); changed != "" {
			d.t.Errorf("stored %s", changed)
		}
		made := d.do("PUT", "/locations/team-a", body).want(http.StatusCreated)
		same(d.t, "it", made.value, map[string]any{"slug": "team-a", "name": "Team a", "description": "A team", "kind": "private_team", "hidden": true, "communities": []map[string]any{
			{"slug": "data", "name": "Data", "description": "", "hidden": true}, {"slug": "web", "name": "", "description": "Pages", "hidden": false},
		}})
		before = d.Stored()
		same(d.t, "again", d.do("PUT", "/locations/team-a", made.Body).want(http.StatusOK).value, made.value)
		if changed := webtest.Difference(before, d.Stored()); changed != "" {
			d.t.Errorf("put again stored %s", changed)
		}
		tag := made.Header.Get("ETag")
		d.do("PUT", "/locations/team-a", `{"communities":[{"slug":"web","name":"Web","description":"Pages"}]}`, "If-Match", tag).want(http.StatusOK)
		d.do("PUT", "/locations/team-a", `{"name":"X"}`, "If-Match", tag).want(http.StatusPreconditionFailed)
		main := d.do("PUT", "/locations/main", `{}`).want(http.StatusOK)
		d.do("PUT", "/locations/main", main.Body).want(http.StatusOK)
		d.do("PUT", "/locations/main", `{"kind":"private_team"}`).says(http.StatusUnprocessableEntity, "kind", "The location main is always the main site")
		d.do("PUT", "/locations/main", `{"hidden":true}`).says(http.StatusUnprocessableEntity, "hidden", "The main site cannot be hidden")
		same(d.t, "kind", d.do("PUT", "/locations/team-a?dry_run=true", `{"kind":"main_site","hidden":false}`).value, map[string]any{"creates": false, "changes": []string{"kind", "hidden"}})
		now := d.do("PUT", "/locations/team-a", `{"kind":"main_site","hidden":false}`).want(http.StatusOK).value
		if now["kind"] != "main_site" || now["hidden"] != false || now["description"] != "A team" {
			d.t.Errorf("changed to %v", now)
		}
		one, err := d.Store.Locations.Community(d.t.Context(), "team-a", "web")
		webtest.OK(d.t, err)
		if one.Name != "Web" {
			d.t.Errorf("the community is %+v", one)
		}
	})
}

// TestATokenForOneLocationDescribesNone: it sees its location, and changes
// neither that nor another one, as an administrator of some locations.
func TestATokenForOneLocationDescribesNone(t *testing.T) {
	each(t, func(d *desk) {
		d.token = d.newToken(models.ScopeManage, "python-wranglers")
		same(d.t, "listed", len(d.do("GET", "/locations", nil).want(http.StatusOK).rows()), 1)
		now := d.do("PUT", "/locations/python-wranglers", `{}`).want(http.StatusOK)
		if now.Header.Get("ETag") == "" {
			d.t.Error("it has no ETag")
		}
		before := d.Stored()
		d.do("PUT", "/locations/python-wranglers", now.Body).want(http.StatusOK)
		for _, change := range []string{`{"name":"Ours"}`, `{"description":"Ours"}`, `{"kind":"main_site"}`, `{"hidden":true}`, `{"communities":[{"slug":"ours"}]}`} {
			for _, query := range []string{"", "?dry_run=true"} {
				d.do("PUT", "/locations/python-wranglers"+query, change).says(http.StatusForbidden, "", "The token is for the location python-wranglers only, and changing a location")
			}
		}
		for _, other := range []string{"main", "new"} {
			d.do("PUT", "/locations/"+other, `{"name":"Ours"}`).want(http.StatusNotFound)
		}
		if changed := webtest.Difference(before, d.Stored()); changed != "" {
			d.t.Errorf("stored %s", changed)
		}
	})
}
