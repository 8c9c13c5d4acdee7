package management_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestAWebhookAsProgramsSeeIt: all its fields, and no secret in any of them.
func TestAWebhookAsProgramsSeeIt(t *testing.T) {
	each(t, func(d *desk) {
		a := d.created(map[string]any{
			"key": "python-accepted", "tags": []string{"Python", "go"}, "headers": map[string]any{"X-Team": "blue"},
			"secret_1": "a-secret-of-the-test", "options": map[string]any{},
		})
		if !strings.HasSuffix(a.Header.Get("Location"), a.path()) {
			t := d.t
			t.Errorf("Location is %q", a.Header.Get("Location"))
		}
		read := d.do("GET", "/webhooks/python-accepted", nil).want(http.StatusOK)
		same(d.t, "the answer to the creation", a.value, read.value)
		same(d.t, "by number", d.do("GET", a.path(), nil).value, read.value)
		secrets, _ := read.value["secrets"].([]any)
		if info, _ := secrets[0].(map[string]any); len(secrets) != 2 || info["set_at"] == nil || secrets[1] != nil {
			d.t.Errorf("secrets are %v", secrets)
		}
		for _, key := range []string{"secrets", "created_at", "updated_at", "id"} {
			delete(read.value, key)
		}
		same(d.t, "the webhook", read.value, map[string]any{
			"key": "python-accepted", "type": "generic", "name": "Python", "location": "main", "events": []string{"answer.accepted"},
			"tags": []string{"go", "python"}, "community": nil, "url": d.receiver.URL + "/hook?a=1", "headers": map[string]any{"X-Team": nil},
			"options": map[string]any{}, "state": "active", "state_reason": "", "owner": d.Admin.Name,
		})
		for _, hidden := range []string{"a-secret-of-the-test", "blue"} {
			if strings.Contains(read.Body, hidden) {
				d.t.Errorf("%q is in the answer", hidden)
			}
		}
		d.token = d.newToken(models.ScopeRead, "")
		if url := d.do("GET", a.path(), nil).value["url"]; url != d.receiver.URL+"/hook" {
			d.t.Errorf("a viewer sees %v", url)
		}
	})
}

// TestPutCreatesOrReplaces: the same request twice changes nothing the second
// time, and what was read can be sent back.
func TestPutCreatesOrReplaces(t *testing.T) {
	each(t, func(d *desk) {
		const path = "/webhooks/python"
		body := d.usual(map[string]any{"secret_1": "a-secret-of-the-test", "headers": map[string]any{"X-Team": "blue"}, "tags": []string{"go"}})
		d.do("PUT", path+"?dry_run=true", body).want(http.StatusOK)
		if all, _, err := d.Store.Webhooks.All(t.Context()); err != nil || len(all) > 0 {
			d.t.Fatalf("a dry run stored %v %v", all, err)
		}
		first := d.do("PUT", path, body).want(http.StatusCreated)
		before := d.Stored()
		for _, again := range []any{body, first.Body, d.usual(map[string]any{"tags": []string{"go"}})} {
			second := d.do("PUT", path, again).want(http.StatusOK)
			same(d.t, "put again", second.value, first.value)
			same(d.t, "would change", d.do("PUT", path+"?dry_run=true", again).value, map[string]any{"creates": false, "changes": []string{}})
		}
		if changed := webtest.Difference(before, d.Stored()); changed != "" {
			d.t.Errorf("a put without a change stored %s", changed)
		}
		next := d.usual(map[string]any{"name": "Go", "secret_1": "another-secret-of-it", "events": []string{"question.created"}, "headers": map[string]any{"X-Team": "red"}})
		same(d.t, "would change", d.do("PUT", path+"?dry_run=true", next).value,
			map[string]any{"creates": false, "changes": []string{"name", "events", "tags", "headers", "secret_1"}})
		replaced := d.do("PUT", path, next).want(http.StatusOK)
		if w := d.Only(); w.Name != "Go" || w.TagMode != models.TagsAll || d.Opened(w).Secrets[0] != "another-secret-of-it" || d.Opened(w).Headers[0].Value != "red" {
			d.t.Errorf("stored is %+v", w)
		}
		if replaced.value["updated_at"] == first.value["updated_at"] {
			d.t.Error("a change left updated_at alone")
		}
		d.do("PUT", path, d.usual(map[string]any{"key": "other"})).says(http.StatusUnprocessableEntity, "key", "The address names")
		d.do("PUT", "/webhooks/99", body).want(http.StatusNotFound)
		d.do("PUT", "/webhooks/No!", body).says(http.StatusUnprocessableEntity, "key", "Use 1 to 64")
	})
}

// TestPatchChangesWhatIsGiven: a null empties a field, and an absent field stays.
func TestPatchChangesWhatIsGiven(t *testing.T) {
	d := newDesk(t)
	a := d.created(map[string]any{"key": "python", "tags": []string{"go"}, "headers": map[string]any{"X-A": "1", "X-B": "2"}, "secret_1": "a-secret-of-the-test"})
	change := func(body string, status int) models.Webhook {
		t.Helper()
		d.do("PATCH", a.path(), body).want(status)
		return d.Only()
	}
	before := d.Stored()
	change(`{}`, http.StatusOK)
	if changed := webtest.Difference(before, d.Stored()); changed != "" {
		t.Errorf("nothing stored %s", changed)
	}
	if w := change(`{"name":"New"}`, http.StatusOK); w.Name != "New" || w.Tags[0] != "go" || w.Key != "python" || len(d.Opened(w).Headers) != 2 {
		t.Errorf("with a name: %+v", w)
	}
	d.do("PATCH", a.path(), `{"tags":[]}`).says(http.StatusUnprocessableEntity, "tags", "Add at least one tag")
	d.do("PATCH", a.path(), `{"events":[]}`).says(http.StatusUnprocessableEntity, "events", "Choose at least one activity.")
	if w := change(`{"tags":null,"key":null}`, http.StatusOK); w.TagMode != models.TagsAll || w.Key != "" {
		t.Errorf("with nulls: %+v", w)
	}
	if w := change(`{"headers":{"X-B":null,"X-C":"3"}}`, http.StatusOK); !slices.Equal(d.Opened(w).Headers, []models.Header{{Name: "X-B", Value: "2"}, {Name: "X-C", Value: "3"}}) {
		t.Errorf("headers: %v", d.Opened(w).Headers)
	}
	if w := change(`{"secret_2":"the-second-of-the-test"}`, http.StatusOK); d.Opened(w).Secrets != [2]string{"a-secret-of-the-test", "the-second-of-the-test"} {
		t.Errorf("secrets: %v", d.Opened(w).Secrets)
	}
	if w := change(`{"secret_1":null}`, http.StatusOK); d.Opened(w).Secrets != [2]string{"", "the-second-of-the-test"} {
		t.Errorf("secrets: %v", d.Opened(w).Secrets)
	}
	for body, fault := range map[string][2]string{
		`{"name":null}`:               {"name", "Enter a name"},
		`{"name":7}`:                  {"name", "It must be a string."},
		`{"events":"x"}`:              {"events", "It must be a list of strings."},
		`{"headers":{"X-A":1}}`:       {"headers", "It must be an object whose values are strings or null."},
		`{"secret_1":{"generate":1}}`: {"secret_1", `It must be a string, {"generate":true} or null.`},
		`{"secret_1":""}`:             {"secret_1", "Use "},
		`{"type":"slack"}`:            {"type", "The type of a webhook cannot be changed."},
		`{"type":null}`:               {"type", "The type of a webhook cannot be changed."},
		`{"location":null}`:           {"location", "Choose a location."},
		`{"tag":["go"]}`:              {"tag", "There is no field of this name."},
		`{"options":{"x":"y"}}`:       {"options.x", "Generic webhooks have no such option."},
		`{"tags":[]}`:                 {"tags", "Add at least one tag"},
		`{"key":"7"}`:                 {"key", "Use 1 to 64"},
		`{"location":"nowhere"}`:      {"location", "There is no location"},
		`[]`:                          {"", "The body must be a JSON object."},
		`{"name":"a","name":"b"}`:     {"name", "It appears twice"},
		`{"name":`:                    {"name", "It is not valid JSON"},
	} {
		a := d.do("PATCH", a.path(), body)
		if a.Status != http.StatusBadRequest && a.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", body, a.Status)
		}
		a.says(a.Status, fault[0], fault[1])
	}
}

// TestAGeneratedSecretIsToldOnce: in the answer to the request that asked for it,
// or for which a type that always signs made one.
func TestAGeneratedSecretIsToldOnce(t *testing.T) {
	d := newDesk(t)
	a := d.created(map[string]any{"secret_1": map[string]any{"generate": true}})
	secret, _ := a.value["secret_1"].(string)
	if stored := d.Opened(d.Only()).Secrets; secret == "" || stored != [2]string{secret, ""} || a.value["secret_2"] != nil {
		t.Fatalf("told %v, stored %q", a.Body, stored)
	}
	if read := d.do("GET", a.path(), nil); strings.Contains(read.Body, secret) || read.value["secret_1"] != nil {
		t.Errorf("it is read: %s", read.Body)
	}
	if other := d.do("PATCH", a.path(), `{"name":"x"}`); strings.Contains(other.Body, secret) {
		t.Errorf("another change tells it: %s", other.Body)
	}
	b := d.do("PATCH", a.path(), `{"secret_2":{"generate":true}}`).want(http.StatusOK)
	if stored := d.Opened(d.Only()).Secrets; stored[1] == "" || b.value["secret_2"] != stored[1] || b.value["secret_1"] != nil {
		t.Errorf("told %s, stored %q", b.Body, stored)
	}
	signs := d.created(map[string]any{"type": "stackauth", "events": []string{"user.created"}})
	if text, _ := signs.value["secret_1"].(string); text == "" {
		t.Errorf("a type that always signs: %s", signs.Body)
	}
}

// TestOnlyTheVersionThatWasSeenIsChanged: by If-Match and If-None-Match, also
// for a change in the console.
func TestOnlyTheVersionThatWasSeenIsChanged(t *testing.T) {
	each(t, func(d *desk) {
		a := d.do("PUT", "/webhooks/python", d.usual(nil), "If-None-Match", "*").want(http.StatusCreated)
		d.do("PUT", "/webhooks/python", d.usual(nil), "If-None-Match", "*").want(http.StatusPreconditionFailed)
		tag := a.Header.Get("ETag")
		if read := d.do("GET", a.path(), nil); tag == "" || read.Header.Get("ETag") != tag {
			d.t.Errorf("tags %q and %q", tag, read.Header.Get("ETag"))
		}
		b := d.do("PATCH", a.path(), `{"name":"B"}`, "If-Match", `"other", `+tag).want(http.StatusOK)
		if b.Header.Get("ETag") == tag {
			d.t.Error("a change left the tag")
		}
		before := d.Stored()
		for _, tried := range [][3]string{
			{"PATCH", "", `{"name":"C"}`}, {"PUT", "", `{}`}, {"DELETE", "", ""}, {"POST", "/pause", ""}, {"POST", "/resume", `{"held":"send"}`},
		} {
			d.do(tried[0], a.path()+tried[1], tried[2], "If-Match", tag).says(http.StatusPreconditionFailed, "", "It was changed in the meantime.")
		}
		if changed := webtest.Difference(before, d.Stored()); changed != "" {
			d.t.Errorf("stored %s", changed)
		}
		w := d.Only()
		webtest.OK(d.t, d.Store.Webhooks.Pause(d.t.Context(), d.Admin.Actor(), w.ID))
		d.do("PATCH", a.path(), `{"name":"C"}`, "If-Match", b.Header.Get("ETag")).want(http.StatusPreconditionFailed)
		d.do("PUT", "/webhooks/new", d.usual(nil), "If-Match", "*").want(http.StatusPreconditionFailed)
		d.do("DELETE", a.path(), nil, "If-Match", "*").want(http.StatusNoContent)
		d.do("GET", a.path(), nil).want(http.StatusNotFound)
	})
}

// TestWhatWasSavedMeanwhileIsLeftAsItIs: between the look at the condition of a
// request and the change that it asks for, somebody else saves.
func TestWhatWasSavedMeanwhileIsLeftAsItIs(t *testing.T) {
	each(t, func(d *desk) {
		hook := d.do("PUT", "/webhooks/python", d.usual(nil)).want(http.StatusCreated).path()
		d.do("PUT", "/sources/forum", `{"kind":"generic"}`).want(http.StatusCreated)
		for i, tried := range []struct{ read, method, path, body, table, edit string }{
			{hook, "POST", hook + "/pause", "", "webhooks", `{"name":"%d"}`},
			{hook, "POST", hook + "/resume", `{"held":"send"}`, "webhooks", `{"name":"%d"}`},
			{hook, "DELETE", hook, "", "webhooks", `{"name":"%d"}`},
			{"/sources/forum", "DELETE", "/sources/forum", "", "sources", `{"kind":"generic","expect_hours":%d}`},
		} {
			if strings.HasSuffix(tried.path, "/resume") {
				d.do("POST", hook+"/pause", "").want(http.StatusOK)
			}
			before := d.do("GET", tried.read, nil).want(http.StatusOK)
			saved := false
			save := func() {
				saved = true
				verb := map[string]string{"webhooks": "PATCH", "sources": "PUT"}[tried.table]
				d.do(verb, tried.read, fmt.Sprintf(tried.edit, i+7)).want(http.StatusOK)
			}
			d.After(tried.table, save)
			d.do(tried.method, tried.path, tried.body, "If-Match", before.Header.Get("ETag")).says(http.StatusPreconditionFailed, "", "It was changed in the meantime.")
			after := d.do("GET", tried.read, nil).want(http.StatusOK)
			if !saved || after.value["state"] != before.value["state"] {
				d.t.Errorf("%s %s: saved %t, %v → %v", tried.method, tried.path, saved, before.value["state"], after.value["state"])
			}
			// For any version it is carried out.
			saved = false
			d.After(tried.table, save)
			if a := d.do(tried.method, tried.path, tried.body, "If-Match", "*"); a.Status/100 != 2 || !saved {
				d.t.Errorf("%s %s of any version: %d, saved %t", tried.method, tried.path, a.Status, saved)
			}
		}
	})
}

// TestPauseResumeAndTest: as in the console.
func TestPauseResumeAndTest(t *testing.T) {
	each(t, func(d *desk) {
		a := d.created(map[string]any{"key": "python"})
		if p := d.do("POST", "/webhooks/python/pause", nil).want(http.StatusOK); p.value["state"] != models.WebhookStopped {
			d.t.Errorf("paused: %s", p.Body)
		}
		if r := d.do("POST", "/webhooks/python/resume", nil).want(http.StatusOK); r.value["state"] != models.WebhookActive {
			d.t.Errorf("resumed: %s", r.Body)
		}
		for held, key := range map[string]string{"send": "sent", "drop": "dropped"} {
			w := d.Only()
			d.do("POST", a.path()+"/pause", nil).want(http.StatusOK)
			d.AddDelivery(w)
			d.do("POST", a.path()+"/resume", nil).says(http.StatusUnprocessableEntity, "held", "Choose whether to send or drop")
			d.do("POST", a.path()+"/resume", `{"held":"keep"}`).says(http.StatusUnprocessableEntity, "held", "Choose whether to send or drop")
			d.do("POST", a.path()+"/resume", `{"held":1}`).says(http.StatusBadRequest, "held", "It must be a string.")
			if r := d.do("POST", a.path()+"/resume", map[string]any{"held": held}).want(http.StatusOK); r.value[key] == 0.0 {
				d.t.Errorf("%s: %s", held, r.Body)
			}
		}
		for status, delivered := range map[int]bool{200: true, 500: false} {
			d.receiver.Answers(status)
			r := d.do("POST", a.path()+"/test", nil).want(http.StatusOK)
			if r.value["delivered"] != delivered || r.value["code"] != float64(status) || (r.value["reason"] == "") != delivered {
				d.t.Errorf("test with %d: %s", status, r.Body)
			}
		}
	})
}

// TestWebhooksAreListedInPages: each once, by every filter.
func TestWebhooksAreListedInPages(t *testing.T) {
	each(t, func(d *desk) {
		var want []string
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			d.created(map[string]any{"name": name, "location": map[bool]string{true: "main", false: "python-wranglers"}[name < "d"]})
			want = append(want, name)
		}
		names := func(query string) (list []string) {
			for next := ""; ; {
				a := d.do("GET", "/webhooks?limit=2"+query+next, nil).want(http.StatusOK)
				rows, _ := a.value["data"].([]any)
				for _, row := range rows {
					w, _ := row.(map[string]any)
					list = append(list, w["name"].(string))
				}
				cursor, more := a.value["next"].(string)
				if !more || len(rows) == 0 {
					return list
				}
				next = "&cursor=" + cursor
			}
		}
		same(d.t, "all", names(""), want)
		same(d.t, "of a location", names("&location=python-wranglers"), want[3:])
		same(d.t, "by name", names("&q=b"), want[1:2])
		same(d.t, "by state", names("&state=broken"), []string(nil))
		for query, field := range map[string]string{"limit=0": "limit", "limit=201": "limit", "limit=x": "limit", "cursor=x": "cursor", "state=odd": "state", "type=odd": "type", "sort=name": "sort", "location=A": "location"} {
			if a := d.do("GET", "/webhooks?"+query, nil); !strings.Contains(a.Body, `"field":"`+field+`"`) {
				d.t.Errorf("%s: %d %s", query, a.Status, a.Body)
			}
		}
	})
}

// TestChangesAreAuditedWithTheToken: by the name of the token.
func TestChangesAreAuditedWithTheToken(t *testing.T) {
	d := newDesk(t)
	a := d.created(nil)
	d.do("PATCH", a.path(), `{"name":"B"}`).want(http.StatusOK)
	d.do("POST", a.path()+"/pause", nil).want(http.StatusOK)
	d.do("POST", a.path()+"/resume", nil).want(http.StatusOK)
	d.do("DELETE", a.path(), nil).want(http.StatusNoContent)
	rows, _, err := d.Store.Audit.Search(t.Context(), models.AuditQuery{Within: models.AllLocations(), Limit: 50})
	webtest.OK(t, err)
	seen := 0
	for _, row := range rows {
		if strings.HasPrefix(row.Action, "webhook.") {
			if seen++; !strings.HasSuffix(row.From, "with the token deploy manage") || row.ByName != d.Admin.Name {
				t.Errorf("%s by %s from %s", row.Action, row.ByName, row.From)
			}
		}
	}
	if seen != 5 {
		t.Errorf("%d changes are audited", seen)
	}
}
