package superoffice

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/models"
)

func TestSuperOfficeReplace(t *testing.T) {
	onBothStores(t, func(d *desk) {
		h := d.created(map[string]any{
			"Secret": "first", "ErrorsEmail": "ops@example.com", "Properties": map[string]any{"a": 1},
			"Headers": map[string]string{"X-A": "1", "X-B": "2"},
		})
		// The same again, as it was read: nothing changes, nobody is asked.
		r := d.do(http.MethodGet, pathOf(h), "")
		d.ok(d.do(http.MethodPut, pathOf(h), r.body))
		if _, o := d.opened(h.WebhookID); o.Secrets[0] != "first" || len(o.Headers) != 2 || o.Headers[1].Value != "2" || len(d.target.requests()) > 0 {
			d.t.Errorf("%+v", o)
		}
		// A replacement: missing values are removed, except for secrets.
		d.clock.Add(time.Hour)
		got := d.ok(d.do(http.MethodPut, pathOf(h), d.body(map[string]any{
			"WebhookId": h.WebhookID, "Name": "Other", "Events": []string{"lead.scored", "lead.scored", "question.changed"},
		})))
		w, o := d.opened(h.WebhookID)
		if *got.Name != "Other" || len(got.Events) != 2 || *got.ErrorsEmail != "" || string(got.Properties) != "{}" || len(got.Headers) != 2 ||
			o.Secrets[0] != "first" || o.Headers[0].Value != "1" || got.Registered == got.Updated || got.UpdatedAssociate.Name != mary.Name || len(w.Options) != 0 ||
			*got.UpdatedAssociate != *got.RegisteredAssociate {
			d.t.Errorf("%+v", got)
		}
		// Headers: null keeps one, a value replaces it, absence removes it.
		d.ok(d.do(http.MethodPut, pathOf(h), d.body(map[string]any{"Headers": map[string]any{"x-b": nil, "X-C": "3"}, "Secret": ""})))
		_, o = d.opened(h.WebhookID)
		if o.Secrets[0] != "" || len(o.Headers) != 2 || o.Headers[1] != (models.Header{Name: "x-b", Value: "2"}) || o.Headers[0].Value != "3" {
			d.t.Errorf("%+v", o)
		}
		if posted := d.target.requests(); len(posted) != 1 || posted[0].header.Get("X-B") != "2" || posted[0].header.Get("X-Superoffice-Signature") != "" {
			d.t.Errorf("asked %+v", posted)
		}
		d.ok(d.do(http.MethodPut, pathOf(h), d.body(map[string]any{"Headers": map[string]any{}})))
		if _, o = d.opened(h.WebhookID); len(o.Headers) != 0 {
			d.t.Errorf("%+v", o)
		}
	})
}

// TestSuperOfficeKeepsTheFilter: fields that only the form has stay.
func TestSuperOfficeKeepsTheFilter(t *testing.T) {
	onSQLite(t, func(d *desk) {
		d.must(d.store.Locations.Ensure(t.Context(), "sales", "Sales"))
		w, err := d.store.Webhooks.Create(t.Context(), models.Actor{UserID: 5, Name: "Tony"}, models.WebhookInput{
			Type: "superoffice", Name: "From the form", Location: "sales", Community: "nordic", TagMode: models.TagsSpecific, Tags: []string{"go"},
			Events: []string{"contact.created"}, URL: d.target.URL, URLShown: d.target.URL,
		})
		d.must(err)
		h := hook{WebhookID: w.ID}
		got := d.ok(d.do(http.MethodPut, pathOf(h), d.body(nil)))
		w, _ = d.opened(w.ID)
		if got.RegisteredAssociate.Name != "Tony" || w.OwnerName != "Tony" || w.Location != "sales" || w.Community != "nordic" || w.TagMode != models.TagsSpecific || len(w.Tags) != 1 {
			d.t.Errorf("%+v", w)
		}
	})
}

// TestSuperOfficeOwner: webhooks created with a token belong to the member who
// created the token, and have no owner when there is no such member.
func TestSuperOfficeOwner(t *testing.T) {
	onBothStores(t, func(d *desk) {
		h := d.created(nil)
		if w, _ := d.opened(h.WebhookID); w.OwnerID != mary.UserID || w.OwnerName != mary.Name || *h.RegisteredAssociate != (associate{mary.UserID, mary.Name, mary.Name}) {
			d.t.Errorf("owned by %d %s, registered by %+v", w.OwnerID, w.OwnerName, h.RegisteredAssociate)
		}
		plain, err := d.store.Tokens.Create(d.t.Context(), models.Token{Name: "importer", Scope: models.ScopeSuperOffice, CreatedBy: "command line"})
		d.must(err)
		d.token = plain
		h = d.created(nil)
		if w, _ := d.opened(h.WebhookID); w.OwnerID != 0 || w.OwnerName != "token importer" || w.UpdatedBy != w.OwnerName {
			d.t.Errorf("owned by %d %s, saved by %s", w.OwnerID, w.OwnerName, w.UpdatedBy)
		}
	})
}

// TestSuperOfficeMoved: to another host nothing secret goes along.
func TestSuperOfficeMoved(t *testing.T) {
	onSQLite(t, func(d *desk) {
		h := d.created(map[string]any{"Secret": "first", "Headers": map[string]string{"X-A": "1"}})
		for _, change := range []map[string]any{
			{}, {"Secret": nil, "Headers": nil}, {"Headers": map[string]any{"X-A": nil}}, {"Headers": map[string]any{"X-A": ""}},
		} {
			change["TargetUrl"] = d.other.URL
			d.refused(d.do(http.MethodPut, pathOf(h), d.body(change)), http.StatusBadRequest, "Secret:", "Headers:", "again")
		}
		moves := `[{"op":"replace","path":"/TargetUrl","value":"` + d.other.URL + `"}]`
		d.refused(d.do(http.MethodPatch, pathOf(h), moves), http.StatusBadRequest, "Secret:", "Headers:")
		d.refused(d.do(http.MethodPatch, pathOf(h), `{"targetUrl":"`+d.other.URL+`"}`), http.StatusBadRequest, "Secret:", "Headers:")
		if _, o := d.opened(h.WebhookID); o.URL == d.other.URL || len(d.other.requests()) > 0 {
			d.t.Fatal("it was moved")
		}
		d.ok(d.do(http.MethodPatch, pathOf(h), `{"targetUrl":"`+d.other.URL+`","Secret":"","Headers":{"X-A":"2"}}`))
		if _, o := d.opened(h.WebhookID); o.URL != d.other.URL || o.Secrets[0] != "" || o.Headers[0].Value != "2" {
			d.t.Errorf("%+v", o)
		}
		// Another path is no other host, and another port is one.
		d.ok(d.do(http.MethodPatch, pathOf(h), `{"targetUrl":"`+d.other.URL+`/path?x=1"}`))
	})
}

func TestSuperOfficeAsksBeforeASaveThatMatters(t *testing.T) {
	onSQLite(t, func(d *desk) {
		h := d.created(nil)
		d.target.answers(http.StatusInternalServerError)
		d.ok(d.do(http.MethodPut, pathOf(h), d.body(map[string]any{"Name": "While it is away"})))
		for _, change := range []map[string]any{
			{"TargetUrl": d.target.URL + "/new"}, {"Secret": "new"}, {"Headers": map[string]any{"X-New": "1"}},
		} {
			d.refused(d.do(http.MethodPut, pathOf(h), d.body(change)), http.StatusBadRequest, "TargetUrl: The receiver did not accept")
		}
		if n := len(d.target.requests()); n != 3 {
			d.t.Errorf("asked %d times", n)
		}
		// One that is being stopped may be away.
		got := d.ok(d.do(http.MethodPut, pathOf(h), d.body(map[string]any{"Secret": "new", "State": 2})))
		if got.State != "Stopped" || len(d.target.requests()) > 0 {
			d.t.Errorf("%+v", got)
		}
	})
}

func TestSuperOfficeStates(t *testing.T) {
	onBothStores(t, func(d *desk) {
		put := func(h hook, state any) hook {
			d.t.Helper()
			return d.ok(d.do(http.MethodPut, pathOf(h), d.body(map[string]any{"State": state})))
		}
		h := d.created(map[string]any{"State": "stopped"})
		if h.State != "Stopped" {
			d.t.Fatalf("%+v", h)
		}
		if w, _ := d.opened(h.WebhookID); w.State != models.WebhookStopped || w.StateBy != mary.Name {
			d.t.Errorf("%+v", w)
		}
		for _, tc := range []struct {
			says any
			then string
		}{
			{nil, "Stopped"},
			{"Unknown", "Stopped"},
			{3, "Stopped"},
			{"TooManyErrors", "Stopped"},
			{"active", "Active"},
			{0, "Active"},
			{2, "Stopped"},
			{"Stopped", "Stopped"},
			{1, "Active"},
			{"Active", "Active"},
		} {
			if got := put(h, tc.says); got.State != tc.then {
				d.t.Errorf("said %v: %s, want %s", tc.says, got.State, tc.then)
			}
		}
		d.clock.Add(time.Minute)
		d.must(d.store.Webhooks.Break(t.Context(), h.WebhookID, "Seven failures."))
		broken := d.ok(d.do(http.MethodGet, pathOf(h), ""))
		if broken.State != "TooManyErrors" || broken.UpdatedAssociate.Name != "Sitehooks" || broken.UpdatedAssociate.AssociateID != 0 {
			d.t.Fatalf("%+v", broken)
		}
		// A save sends one test: failure keeps it broken, success heals it.
		d.target.requests()
		d.target.answers(http.StatusBadGateway)
		if got := put(h, "TooManyErrors"); got.State != "TooManyErrors" {
			d.t.Errorf("%+v", got)
		}
		d.target.answers(http.StatusOK)
		if got := put(h, nil); got.State != "Active" || len(d.target.requests()) != 2 {
			d.t.Errorf("%+v", got)
		}
		// Active resumes with any answer of the target; Stopped stops.
		d.target.answers(http.StatusBadGateway)
		for _, state := range []string{"Active", "Stopped"} {
			d.clock.Add(time.Minute)
			d.must(d.store.Webhooks.Break(t.Context(), h.WebhookID, "Seven failures."))
			if got := put(h, state); got.State != state || len(d.target.requests()) > 0 {
				d.t.Errorf("%+v", got)
			}
		}
	})
}

func TestSuperOfficeUnmodified(t *testing.T) {
	onBothStores(t, func(d *desk) {
		h := d.created(nil)
		r := d.do(http.MethodGet, pathOf(h), "")
		read := r.header.Get("Last-Modified")
		d.clock.Add(time.Minute)
		d.ok(d.do(http.MethodPut, pathOf(h), d.body(nil), "If-Unmodified-Since", read))
		for _, attempt := range [][2]string{
			{http.MethodGet, ""},
			{http.MethodPut, d.body(nil)},
			{http.MethodPatch, `{"Name":"other"}`},
			{http.MethodDelete, ""},
		} {
			d.refused(d.do(attempt[0], pathOf(h), attempt[1], "If-Unmodified-Since", read), http.StatusPreconditionFailed, mary.Name)
		}
		// A pause is a change too; a date that is none is no condition.
		read = d.do(http.MethodGet, pathOf(h), "").header.Get("Last-Modified")
		d.clock.Add(time.Minute)
		d.must(d.store.Webhooks.Pause(t.Context(), models.Actor{Name: "Tony"}, h.WebhookID))
		d.refused(d.do(http.MethodPut, pathOf(h), d.body(nil), "If-Unmodified-Since", read), http.StatusPreconditionFailed, "Tony")
		d.ok(d.do(http.MethodPut, pathOf(h), d.body(nil), "If-Unmodified-Since", "yesterday"))
		read = d.do(http.MethodGet, pathOf(h), "").header.Get("Last-Modified")
		if r = d.do(http.MethodDelete, pathOf(h), "", "If-Unmodified-Since", read); r.status != http.StatusNoContent {
			d.t.Errorf("%d %s", r.status, r.body)
		}
	})
}

// TestSuperOfficeQuickerSave: a save that was overtaken between its reading
// and its writing changes nothing.
func TestSuperOfficeQuickerSave(t *testing.T) {
	onBothStores(t, func(d *desk) {
		for _, conditional := range []bool{false, true} {
			h := d.created(nil)
			q, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "/", http.NoBody)
			d.must(err)
			status := http.StatusConflict
			if conditional {
				q.Header.Set("If-Unmodified-Since", d.do(http.MethodGet, pathOf(h), "").header.Get("Last-Modified"))
				status = http.StatusPreconditionFailed
			}
			_, err = d.api.update(t.Context(), &call{request: q, id: pathOf(h)[len("/v1/Webhook/"):]}, func(*definition.Saved) (*givenWebhook, error) {
				d.clock.Add(time.Minute)
				d.ok(d.do(http.MethodPut, pathOf(h), d.body(map[string]any{"Name": "quicker"})))
				return readDefinition([]byte(d.body(nil)))
			})
			if f := d.api.fail(t.Context(), err); f.status != status || !strings.Contains(f.text(), "changed by "+mary.Name) {
				d.t.Errorf("with a condition %v: %+v", conditional, f)
			}
			if w, _ := d.opened(h.WebhookID); w.Name != "quicker" {
				d.t.Errorf("%+v", w)
			}
		}
	})
}
