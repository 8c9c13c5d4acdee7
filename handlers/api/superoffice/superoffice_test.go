package superoffice

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/models"
)

func TestSuperOfficeLife(t *testing.T) {
	onBothStores(t, func(d *desk) {
		r := d.do(http.MethodGet, "/v1/Webhook/default", "")
		blank := d.ok(r)
		if !hasKeys(r.body, definitionKeys...) || blank.WebhookID != 0 || blank.State != "Active" || blank.Type != "webhook" || string(blank.Properties) != "{}" {
			d.t.Fatalf("default: %s", r.body)
		}
		r = d.do(http.MethodPost, "/v1/Webhook", d.body(map[string]any{
			"Secret": "a secret", "ErrorsEmail": "ops@example.com", "Headers": map[string]string{"X-Api-Key": "very private"},
			"Properties": map[string]any{"source": "forum", "n": 1.50}, "Type": "Webhook", "webhookid": 99, "Unknown": 1,
		}))
		made := d.ok(r)
		pings := d.target.requests()
		if len(pings) != 1 {
			d.t.Fatalf("%d test events", len(pings))
		}
		sendsTest := pings[0]
		var posted map[string]any
		d.must(json.Unmarshal(sendsTest.body, &posted))
		if !sendsTest.signedWith("a secret") || sendsTest.header.Get("X-Hook-Test") != "true" || sendsTest.header.Get("X-Superoffice-Event") != "test" ||
			sendsTest.header.Get("X-Api-Key") != "very private" || posted["WebhookName"] != "My hook" || posted["source"] != "forum" || posted["Event"] != "test" {
			d.t.Errorf("test event %v %s", sendsTest.header, sendsTest.body)
		}
		if !hasKeys(r.body, definitionKeys...) || strings.Contains(r.body, "private") || strings.Contains(r.body, "a secret") {
			d.t.Errorf("created: %s", r.body)
		}
		value, named := made.Headers["X-Api-Key"]
		if made.WebhookID == 0 || made.WebhookID == 99 || *made.Name != "My hook" || made.State != "Active" || made.Secret != nil || !named || value != nil ||
			*made.TargetURL != d.target.URL+"/hook?a=1" || *made.ErrorsEmail != "ops@example.com" || made.RegisteredAssociate.Name != mary.Name {
			d.t.Errorf("created: %s", r.body)
		}
		if at, err := time.Parse(time.RFC3339, made.Registered); err != nil || !at.Equal(d.clock.Now()) {
			d.t.Errorf("registered %s: %v", made.Registered, err)
		}
		path := fmt.Sprintf("/v1/webhook/%d", made.WebhookID) // paths have no case
		if got := d.do(http.MethodGet, path, ""); got.body != r.body || got.header.Get("Last-Modified") == "" {
			d.t.Errorf("read %s, made %s", got.body, r.body)
		}
		w, o := d.opened(made.WebhookID)
		if w.Type != "superoffice" || w.Location != "main" || w.OwnerName != mary.Name || o.Secrets[0] != "a secret" || w.TagMode != models.TagsAll ||
			w.Options["properties"] != `{"n":1.5,"source":"forum"}` || strings.Contains(w.URLShown, "?") {
			d.t.Errorf("stored %+v %+v", w, o)
		}
		if r = d.do(http.MethodDelete, path, ""); r.status != http.StatusNoContent || r.body != "" {
			d.t.Errorf("delete: %d %s", r.status, r.body)
		}
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			body := ""
			if method == http.MethodPut {
				body = d.body(nil)
			}
			d.refused(d.do(method, path, body), http.StatusNotFound)
		}
		d.refused(d.do(http.MethodGet, path+"/LastError", ""), http.StatusNotFound)
		if d.woken.Load() != 2 || d.count() != 0 {
			d.t.Errorf("woken %d times, %d left", d.woken.Load(), d.count())
		}
	})
}

func TestSuperOfficeTokens(t *testing.T) {
	onSQLite(t, func(d *desk) {
		ingest := d.newToken(models.ScopeIngest, "")
		for _, tc := range []struct {
			authorization string
			status        int
			challenge     string
		}{
			{"", http.StatusUnauthorized, `Bearer realm="sitehooks"`},
			{"Basic eA==", http.StatusUnauthorized, `Bearer realm="sitehooks"`},
			{"Bearer nobody", http.StatusUnauthorized, `error="invalid_token"`},
			{"Bearer " + ingest, http.StatusForbidden, `scope="superoffice"`},
			{"Bearer configured", http.StatusForbidden, `scope="superoffice"`},
		} {
			// A session's cookie makes no difference, and nor does the address.
			for _, path := range []string{"/v1/Webhook", "/v1/nothing/here"} {
				r := d.do(http.MethodGet, path, "", "Authorization", tc.authorization, "Cookie", "sitehooks_session=abc")
				d.refused(r, tc.status)
				if got := r.header.Get("WWW-Authenticate"); !strings.Contains(got, tc.challenge) {
					d.t.Errorf("%s: challenge %q", tc.authorization, got)
				}
			}
		}
		if r := d.do(http.MethodGet, "/v1/Webhook", "", "Authorization", "bearer "+d.token); r.status != http.StatusOK || r.body != "[]" {
			d.t.Errorf("%d %s", r.status, r.body)
		}
	})
}

func TestSuperOfficeAddresses(t *testing.T) {
	onSQLite(t, func(d *desk) {
		for path, allow := range map[string]string{
			"/v1/Webhook": "GET, POST", "/V1/WEBHOOK/": "GET, POST", "/v1/Webhook/Default": "GET", "/v1/Webhook/TEST": "POST",
			"/v1/Webhook/7": "DELETE, GET, PATCH, PUT", "/v1/Webhook/7/lasterror": "GET", "/v1/Webhook/lead.scored/7": "POST",
			"/v1/Agents/Webhook/SaveWebhook": "POST", "/v1/agents/webhook/getlasterror": "POST",
		} {
			r := d.do(http.MethodOptions, path, "")
			d.refused(r, http.StatusMethodNotAllowed)
			if r.header.Get("Allow") != allow {
				d.t.Errorf("%s: %s", path, r.header.Get("Allow"))
			}
		}
		for _, path := range []string{"/v1", "/v1/", "/v2/Webhook", "/v1/Contact", "/v1/Agents/Contact/GetWebhook", "/v1/Agents/Webhook", "/v1/Agents/Webhook/Nothing", "/v1/Webhook/1/2/3"} {
			d.refused(d.do(http.MethodPost, path, "{}"), http.StatusNotFound)
		}
		for _, id := range []string{"1", "0", "-1", "x", "99999999999999999999"} {
			d.refused(d.do(http.MethodGet, "/v1/Webhook/"+id, ""), http.StatusNotFound)
		}
		if r := d.do(http.MethodHead, "/v1/Webhook/default", ""); r.status != http.StatusOK || r.body != "" {
			d.t.Errorf("HEAD: %d %q", r.status, r.body)
		}
	})
}

func TestSuperOfficeBodies(t *testing.T) {
	onSQLite(t, func(d *desk) {
		const path = "/v1/Webhook"
		for _, tc := range []struct{ body, says string }{
			{"", "keys of a webhook"},
			{"null", "keys of a webhook"},
			{"[]", "keys of a webhook"},
			{"{", "Body: It is not"},
			{`{"Name":"a","Name":"b"}`, "Name: It appears twice"},
			{`{"Name":"a","nAME":"b"}`, "Name: It appears twice"},
			{`{} {}`, "followed by something else"},
			{`{"Name":"\u0000"}`, "Name: It contains the character NUL"},
			{`{"Name":"\ud800"}`, "Name"},
			{"{\"Name\":\"\xff\"}", "Name"},
			{`{"Properties":{"a":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}}`, "deeper than 64"},
		} {
			d.refused(d.do(http.MethodPost, path, tc.body), http.StatusBadRequest, tc.says)
		}
		for _, header := range [][]string{
			{"Content-Type", "application/xml"}, {"Content-Type", ""}, {"Content-Type", "application/json; charset=latin1"}, {"Content-Encoding", "gzip"},
		} {
			d.refused(d.do(http.MethodPost, path, "{}", header...), http.StatusUnsupportedMediaType)
		}
		d.refused(d.do(http.MethodPost, path, strings.Repeat(" ", api.MaxBody)+"{}"), http.StatusRequestEntityTooLarge)
		if d.count() != 0 {
			d.t.Errorf("%d webhooks", d.count())
		}
	})
}

func TestSuperOfficeBusyAndAway(t *testing.T) {
	onSQLite(t, func(d *desk) {
		var held []*api.Request
		for range placesInAll { // all of them by the token that asks
			token, err := d.store.Tokens.Authenticate(d.t.Context(), d.token)
			d.must(err)
			q, rej := d.api.places.Enter(d.t.Context(), api.Flow(token))
			if rej != nil {
				d.t.Fatal(rej.Detail)
			}
			held = append(held, q)
		}
		r := d.do(http.MethodGet, "/v1/Webhook", "")
		d.refused(r, http.StatusTooManyRequests)
		if r.header.Get("Retry-After") == "" {
			d.t.Error("no Retry-After")
		}
		for _, q := range held {
			q.Release()
		}
		if f := d.api.fail(d.t.Context(), errors.New("any")); f.status != http.StatusServiceUnavailable || strings.Contains(f.message, "any") {
			d.t.Errorf("%+v", f)
		}
		d.store.Close()
		r = d.do(http.MethodGet, "/v1/Webhook", "")
		d.refused(r, http.StatusServiceUnavailable, "database")
		if r.header.Get("Retry-After") == "" {
			d.t.Error("no Retry-After")
		}
	})
}

func TestSuperOfficeFeatureOff(t *testing.T) {
	onSQLite(t, func(d *desk) {
		h := d.created(nil)
		path := fmt.Sprintf("/v1/Webhook/%d", h.WebhookID)
		d.feature("False")
		d.refused(d.do(http.MethodPost, "/v1/Webhook", d.body(nil)), http.StatusForbidden, models.EnableGenericWebhooks)
		d.refused(d.do(http.MethodPost, "/v1/Webhook/Test", d.body(nil)), http.StatusForbidden, models.EnableGenericWebhooks)
		d.refused(d.do(http.MethodPost, "/v1/Agents/Webhook/SaveWebhook", d.body(nil)), http.StatusForbidden)
		d.refused(d.do(http.MethodPost, "/v1/Agents/Webhook/TestWebhook", `{"webhook":`+d.body(nil)+`}`), http.StatusForbidden)
		if len(d.target.requests()) > 0 {
			d.t.Error("the target was asked")
		}
		// An existing webhook can be read, saved, tried and deleted.
		d.ok(d.do(http.MethodGet, path, ""))
		d.ok(d.do(http.MethodPut, path, d.body(map[string]any{"Name": "other"})))
		r := d.do(http.MethodPost, "/v1/Webhook/Test", d.body(map[string]any{"WebhookId": h.WebhookID}))
		if r.status != http.StatusOK || !strings.HasPrefix(r.body, `{"Success":true,`) {
			d.t.Errorf("%d %s", r.status, r.body)
		}
		if r = d.do(http.MethodDelete, path, ""); r.status != http.StatusNoContent {
			d.t.Errorf("%d %s", r.status, r.body)
		}
	})
}
