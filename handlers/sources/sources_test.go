package sources_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/inbound"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire/read"
	"github.com/sitehooks/sitehooks/models"
)

func newConsole(t *testing.T) *webtest.Console {
	t.Helper()
	return webtest.NewConsole(t, func(d *handlers.Deps) {
		log := slog.New(slog.DiscardHandler)
		d.Inbound = inbound.New(inbound.Deps{
			Store: d.Store, Reader: &inbound.Reader{Log: log}, Sender: send.New(send.Config{}),
			Access: api.NewAccess(api.AccessDeps{Tokens: d.Store.Tokens, Log: log}), Log: log,
		})
		d.IngestToken = true
	})
}

const userEcho = `{"hook":"topic.created","created":"2026-11-25T04:17:38.306Z","data":{"id":7,"header":"A topic"}}`

// receive posts userEcho to a source's address.
func receive(t *testing.T, c *webtest.Console, address string) (status int, text string) {
	t.Helper()
	u, err := url.Parse(address)
	webtest.OK(t, err)
	q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, u.Path, strings.NewReader(userEcho))
	q.Header.Set("Authorization", "Bearer something")
	w := httptest.NewRecorder()
	c.Engine.ServeHTTP(w, q)
	answer, err := io.ReadAll(w.Body)
	webtest.OK(t, err)
	return w.Code, string(answer)
}

// add adds a source without a secret, and returns its address.
func add(t *testing.T, c *webtest.Console, name string, pairs ...string) string {
	t.Helper()
	form := c.Get("/admin/sources/new?kind=userecho").Want(http.StatusOK).Form()
	form.Set("name", name)
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	a := c.Post("/admin/sources/new?kind=userecho", form).Want(http.StatusSeeOther).GoesTo("/admin/sources/" + name)
	return c.Next(a).Want(http.StatusOK).Text("#fresh-address")
}

// TestAddingASource goes the way of an administrator: choose a kind, fill in the
// form, enter the address at the sender, and see what arrives.
func TestAddingASource(t *testing.T) {
	c := newConsole(t)
	if text := c.Get("/admin/sources").Want(http.StatusOK).Text("main"); !strings.Contains(text, "SITEHOOKS_INGEST_TOKEN") || !strings.Contains(text, "Nothing received yet") {
		t.Errorf("the list says %s", text)
	}
	kinds := c.Get("/admin/sources/new").Want(http.StatusOK)
	if kinds.Find(`a[href="/admin/sources/new?kind=userecho"]`).Length() != 1 {
		t.Error("UserEcho is not offered")
	}
	c.Get("/admin/sources/new?kind=carrier-pigeon").Want(http.StatusNotFound)
	form := c.Get("/admin/sources/new?kind=userecho").Want(http.StatusOK)
	for label, id := range map[string]string{
		"Name": "name", "Location": "location", "Signing secret 1": "secret_1", "Signing secret 2": "secret_2", "Expect an event every (hours)": "expect_hours",
	} {
		if got := form.Text(`label[for="` + id + `"]`); got != label {
			t.Errorf("%s is called %q, want %q", id, got, label)
		}
	}
	guide := form.Find(`a[href="/developer/sources/userecho"]`).AttrOr("href", "none")
	if text := c.Get(guide).Want(http.StatusOK).Text("main"); !strings.Contains(text, "X-UE-Signature") {
		t.Errorf("the guide says %s", text)
	}
	for _, kind := range read.Readers() {
		c.Get("/developer/sources/" + kind.Kind).Want(http.StatusOK)
	}
	c.Get("/developer/sources/custom.md").Want(http.StatusOK)
	c.Get("/developer/sources/nothing").Want(http.StatusNotFound)
	if got := form.Text(`button[value="save"]:not([aria-hidden])`); got != "Add source" || form.Find("form[data-source-form] button").First().AttrOr("value", "") != "save" {
		t.Errorf("the button is called %q", got)
	}

	// What is wrong is said beside its field, and what was typed stays.
	typed := form.Form()
	typed.Set("name", "New Forum")
	typed.Set("expect_hours", "soon")
	typed.Set("secret_1", "short")
	a := c.Post("/admin/sources/new?kind=userecho", typed).Want(http.StatusUnprocessableEntity)
	if a.Text("#name-err") == "" || a.Text("#expect_hours-err") == "" || a.Form().Get("name") != "New Forum" || a.Form().Get("expect_hours") != "soon" {
		t.Errorf("refused: %s", a.Text("main"))
	}
	typed.Set("name", "new")
	if a = c.Post("/admin/sources/new?kind=userecho", typed).Want(http.StatusUnprocessableEntity); !strings.Contains(a.Text("#name-err"), "reserved") {
		t.Errorf("new as a name: %s", a.Text("#name-err"))
	}
	if rows, err := c.Store.Sources.List(t.Context(), models.AllLocations()); err != nil || len(rows) > 0 {
		t.Errorf("stored all the same: %+v, %v", rows, err)
	}

	address := add(t, c, "forum", "expect_hours", "12")
	if !strings.HasPrefix(address, "http://console.example.com/in/forum/") || len(address) != len("http://console.example.com/in/forum/")+64 {
		t.Fatalf("its address is %q", address)
	}
	c.Post("/admin/sources/new?kind=userecho", url.Values{"name": {"another"}, "location": {"main"}}).Want(http.StatusSeeOther)
	if text := c.Get("/admin/sources/forum").Want(http.StatusOK).Text("#fresh-address"); text != "" {
		t.Errorf("it shows the address of another source: %s", text)
	}
	page := c.Get("/admin/sources/forum").Want(http.StatusOK)
	if page.Text("#address") != "http://console.example.com/in/forum/…" || strings.Contains(page.Body, address) || !strings.Contains(page.Text("main"), "An event every 12 hours") {
		t.Errorf("later it shows %s", page.Text("main"))
	}
	a = c.Post("/admin/sources/new?kind=userecho", url.Values{"name": {"forum"}, "location": {"main"}}).Want(http.StatusUnprocessableEntity)
	if !strings.Contains(a.Text("#name-err"), "already a source") {
		t.Errorf("the name again: %s", a.Text("#name-err"))
	}

	if status, text := receive(t, c, address); status != http.StatusOK || text != `{"accepted":1,"duplicates":0}` { // UserEcho takes nothing else for a success
		t.Fatalf("%d %s", status, text)
	}
	if status, _ := receive(t, c, "http://x/in/forum/"+strings.Repeat("0", 64)); status != http.StatusUnauthorized {
		t.Error(status)
	}
	page = c.Get("/admin/sources/forum").Want(http.StatusOK)
	if text := page.Text("tbody"); !strings.Contains(text, "Accepted") || !strings.Contains(text, "1 event") || !strings.Contains(text, "Refused") {
		t.Errorf("its requests: %s", text)
	}
	webtest.OK(t, c.Store.Sources.Keep(t.Context(), &models.SourceRequest{Source: "another", Verified: true, State: models.RequestIgnored}))
	if text := c.Get("/admin/sources").Text("tbody"); !strings.Contains(text, "No events yet") {
		t.Errorf("the list, when a source had nothing but what is ignored: %s", text)
	}
	if text := c.Get("/admin/sources").Text("tbody"); !strings.Contains(text, "forum") || !strings.Contains(text, "Receiving") || !strings.Contains(text, "UserEcho") {
		t.Errorf("the list: %s", text)
	}
}

// TestARequestOfASource shows what arrived, without what is secret, and reads it
// again.
func TestARequestOfASource(t *testing.T) {
	c := newConsole(t)
	address := add(t, c, "forum")
	receive(t, c, address)
	requests, err := c.Store.Sources.Requests(t.Context(), "forum")
	webtest.OK(t, err)
	path := c.Get("/admin/sources/forum").Find("tbody a").First().AttrOr("href", "")
	a := c.Get(path).Want(http.StatusOK)
	text := a.Text("main")
	if !strings.Contains(text, "A topic") || !strings.Contains(text, "Authorization: ***") || strings.Contains(a.Body, "Bearer something") || !strings.Contains(a.Text("#events + ul"), "forum:") {
		t.Errorf("the request shows %s", text)
	}
	event := a.Find("#events + ul a").AttrOr("href", "")
	if found := c.Get(c.Get(event).Want(http.StatusSeeOther).Header.Get("Location")).Want(http.StatusOK).Text("main"); !strings.Contains(found, "A topic") || !strings.Contains(found, "Sourceforum") {
		t.Errorf("%s leads to %s", event, found)
	}
	said := c.Flash(c.Post(path+"/again", nil).Want(http.StatusSeeOther).GoesTo(path))
	if !strings.Contains(said, "Accepted: 0 events, 1 duplicate") {
		t.Errorf("read again: %s", said)
	}
	c.Get("/admin/sources/forum/requests/99").Want(http.StatusNotFound)
	c.Get("/admin/sources/other/requests/" + strings.TrimPrefix(path, "/admin/sources/forum/requests/")).Want(http.StatusNotFound)
	if len(requests) != 1 {
		t.Errorf("%d requests", len(requests))
	}
	// A viewer sees no bodies and changes nothing.
	c.LogIn(c.AddViewer())
	if a = c.Get(path).Want(http.StatusOK); strings.Contains(a.Body, "A topic") || !strings.Contains(a.Text("main"), "Only administrators see it") {
		t.Errorf("a viewer sees %s", a.Text("main"))
	}
	c.Post(path+"/again", nil).Want(http.StatusForbidden)
	for _, one := range []string{"/admin/sources/new", "/admin/sources/forum/edit", "/admin/sources/forum/delete", "/admin/sources/forum/reveal"} {
		c.Get(one).Want(http.StatusForbidden)
	}
}

// TestEditingASource: a stale version is refused, secrets never come back, and
// the preview shows what the last request becomes and who would get it.
func TestEditingASource(t *testing.T) {
	c := newConsole(t)
	address := add(t, c, "forum")
	receive(t, c, address)
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.Name, in.Type, in.Events = "Topics", "userecho", []string{"topic.created"}
	})
	const path = "/admin/sources/forum/edit"
	stale := c.Get(path).Want(http.StatusOK).Form()
	form := c.Get(path).Form()
	form.Set("do", "generate_1")
	a := c.Post(path, form).Want(http.StatusOK)
	secret := a.Form().Get("secret_1")
	if len(secret) < 16 {
		t.Fatalf("generated %q", secret)
	}
	form = a.Form()
	form.Set("do", "preview")
	a = c.Post(path, form).Want(http.StatusOK)
	if text := a.Text("[data-preview]"); !strings.Contains(text, "1 event") || !strings.Contains(text, "topic.created") || !strings.Contains(text, w.Name) || a.Form().Get("secret_1") != secret {
		t.Errorf("the preview shows %s", text)
	}
	form.Set("do", "save")
	c.Post(path, form).Want(http.StatusSeeOther).GoesTo("/admin/sources/forum")
	src, err := c.Store.Sources.Get(t.Context(), "forum")
	webtest.OK(t, err)
	if opened, err := c.Store.Sources.Open(src); err != nil || opened[0] != secret {
		t.Errorf("saved %q, %v", opened, err)
	}
	if a = c.Get(path).Want(http.StatusOK); strings.Contains(a.Body, secret) || strings.Contains(c.Get("/admin/sources/forum").Body, secret) {
		t.Error("a saved secret is shown")
	}
	stale.Set("expect_hours", "3")
	a = c.Post(path, stale).Want(http.StatusUnprocessableEntity)
	if text := a.Text("[role=alert]"); !strings.Contains(text, "changed by Mary Wilkins") || a.Form().Get("expect_hours") != "3" {
		t.Errorf("a stale version: %s", text)
	}

	// Reveal asks for the password, and is in the audit log.
	reveal := url.Values{"secret": {"1"}, "password": {"wrong"}}
	if a = c.Post("/admin/sources/forum/reveal", reveal); a.Status == http.StatusOK || strings.Contains(a.Body, secret) {
		t.Errorf("a wrong password: %d", a.Status)
	}
	reveal.Set("password", webtest.AdminPassword)
	if a = c.Post("/admin/sources/forum/reveal", reveal).Want(http.StatusOK); a.Text("#revealed") != secret || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("revealed %q", a.Text("#revealed"))
	}
	reveal.Set("secret", "address")
	if a = c.Post("/admin/sources/forum/reveal", reveal).Want(http.StatusOK); a.Text("#revealed") != address {
		t.Errorf("revealed %q, want %q", a.Text("#revealed"), address)
	}
	if text := c.Get("/admin/audit").Text("main"); !strings.Contains(text, "Revealed a source's secret") || !strings.Contains(text, "Added a source") {
		t.Errorf("the audit log: %s", text)
	}
	c.Get("/admin/sources/forum/delete").Want(http.StatusOK)
	c.Post("/admin/sources/forum/delete", nil).Want(http.StatusSeeOther).GoesTo("/admin/sources")
	c.Get("/admin/sources/forum").Want(http.StatusNotFound)
}

// TestSourcesOfOtherLocations are not there for a member who is limited to some.
func TestSourcesOfOtherLocations(t *testing.T) {
	c := newConsole(t)
	add(t, c, "forum")
	add(t, c, "wranglers", "location", "python-wranglers")
	limited := c.AddUser(models.User{
		Email: "lim@example.com", Name: "Lim", PasswordHash: webtest.AdminHash(), Role: models.RoleAdministrator, Limited: true, Locations: []string{"python-wranglers"},
	})
	c.LogIn(limited)
	if text := c.Get("/admin/sources").Want(http.StatusOK).Text("main"); strings.Contains(text, "forum") || !strings.Contains(text, "wranglers") || strings.Contains(text, "SITEHOOKS_INGEST_TOKEN") {
		t.Errorf("the list: %s", text)
	}
	c.Get("/admin/sources/wranglers/edit").Want(http.StatusOK)
	for _, path := range []string{"", "/edit", "/delete", "/reveal"} {
		c.Get("/admin/sources/forum" + path).Want(http.StatusNotFound)
	}
	form := c.Get("/admin/sources/new?kind=userecho").Want(http.StatusOK).Form()
	form.Set("name", "mine")
	form.Set("location", "main")
	c.Post("/admin/sources/new?kind=userecho", form).Want(http.StatusUnprocessableEntity)
}

// refusedForms are forms for a new source of a kind, and what is said beside a field.
var refusedForms = map[string]struct {
	kind, field, says string
	form              url.Values
}{
	"no name":              {"userecho", "name", "Enter a name.", url.Values{"name": {""}}},
	"no location":          {"userecho", "location", "Choose a location.", url.Values{"location": {""}}},
	"hours that are many":  {"userecho", "expect_hours", "Enter a whole number of hours up to 8760", url.Values{"expect_hours": {"8761"}}},
	"no hours":             {"userecho", "expect_hours", "Enter a whole number of hours up to 8760", url.Values{"expect_hours": {"-1"}}},
	"a short secret":       {"discourse", "secret_1", "Use 12 to 256 characters on one line.", url.Values{"secret_1": {"short"}}},
	"no instance":          {"discourse", "option_instance", "This field is required.", url.Values{"option_instance": {""}}},
	"an odd instance":      {"discourse", "option_instance", "Enter the forum's address", url.Values{"option_instance": {"forum"}}},
	"an instance in here":  {"discourse", "option_instance", "", url.Values{"option_instance": {"http://169.254.1.1/forum"}}},
	"no program":           {"custom", "program", "Enter a program.", url.Values{"program": {" \r\n "}}},
	"a program of bytes":   {"custom", "program", "The program may have up to 65536 bytes of text.", url.Values{"program": {"\x00"}}},
	"a program too long":   {"custom", "program", "The program may have up to 65536 bytes of text.", url.Values{"program": {strings.Repeat(".", 65537)}}},
	"a program with fault": {"custom", "program", "The program does not compile.", url.Values{"program": {".\r\n|broken"}}},
}

// TestRefusedForms: what is wrong is said beside its field, what was typed stays, and
// nothing is stored.
func TestRefusedForms(t *testing.T) {
	c := webtest.NewConsole(t, func(d *handlers.Deps) {
		d.Program = func(_ context.Context, program string) error {
			if program == ".\n|broken" {
				return errors.New("the program does not compile")
			}
			return nil
		}
	})
	for name, test := range refusedForms {
		path := "/admin/sources/new?kind=" + test.kind
		form := c.Get(path).Want(http.StatusOK).Form()
		form.Set("name", "team")
		if form.Has("option_instance") {
			form.Set("option_instance", "https://127.0.0.1/forum")
		}
		maps.Copy(form, test.form)
		a := c.Post(path, form).Want(http.StatusUnprocessableEntity)
		if said := a.Text("#" + test.field + "-err"); said == "" || !strings.Contains(said, test.says) || a.Find("[role=alert] a[href='#"+test.field+"']").Length() != 1 {
			t.Errorf("%s: it says %q, above %q", name, said, a.Text("[role=alert]"))
		}
	}
	form := c.Get("/admin/sources/new?kind=custom").Form()
	if form.Get("program") != "." {
		t.Errorf("a new program is %q", form.Get("program"))
	}
	form.Set("do", "dance")
	if a := c.Post("/admin/sources/new?kind=custom", form).Want(http.StatusUnprocessableEntity); !strings.Contains(a.Text("main"), "The form has no button with this name.") {
		t.Errorf("another button: it says %q", a.Text("main"))
	}
	if rows, err := c.Store.Sources.List(t.Context(), models.AllLocations()); err != nil || len(rows) > 0 {
		t.Errorf("stored all the same: %+v, %v", rows, err)
	}
	// One source too many.
	add(t, c, "first")
	c.Exec(`insert into sources (name, kind, location, fields, program, secret_1, secret_2, address, address_hash, expect_hours, created_at, updated_at, updated_by)
		with recursive g(i) as (select 2 union all select i + 1 from g where i < ?)
		select 'source-' || i, kind, location, fields, program, secret_1, secret_2, address, address_hash, expect_hours, created_at, updated_at, updated_by from sources, g where name = 'first'`, models.MaxSources)
	form.Set("do", "save")
	form.Set("name", "too-many")
	if a := c.Post("/admin/sources/new?kind=custom", form).Want(http.StatusUnprocessableEntity); !strings.Contains(a.Text("#name-err"), "There are already 1000 sources, and there can be no more.") {
		t.Errorf("one too many: it says %q", a.Text("main"))
	}
}

// TestFormsOfASavedSource: without its version nothing is saved, and a kind that this
// version does not know cannot be edited.
func TestFormsOfASavedSource(t *testing.T) {
	c := newConsole(t)
	add(t, c, "forum", "expect_hours", "12")
	const path = "/admin/sources/forum/edit"
	form := c.Get(path).Want(http.StatusOK).Form()
	if form.Get("expect_hours") != "12" {
		t.Errorf("the form has %v", form)
	}
	form.Set("expect_hours", "24")
	form.Set("updated_at", "yesterday")
	before := c.Stored()
	if a := c.Post(path, form).Want(http.StatusUnprocessableEntity); !strings.Contains(a.Text("[role=alert]"), "does not name the version that it was opened with") || a.Form().Get("expect_hours") != "24" {
		t.Errorf("without a version: %s", a.Text("main"))
	}
	if changed := webtest.Difference(before, c.Stored()); changed != "" {
		t.Errorf("stored %s", changed)
	}
	c.Exec("update sources set kind = 'newer'")
	c.Get(path).Want(http.StatusInternalServerError)
	c.Post(path, form).Want(http.StatusInternalServerError)
	c.Exec("update sources set kind = 'follower'")
	form = c.Get(path).Want(http.StatusOK).Form()
	if form.Has("secret_1") || form.Has("program") {
		t.Errorf("the form of a follower has %v", form)
	}
	form.Set("do", "generate_1")
	if a := c.Post(path, form).Want(http.StatusUnprocessableEntity); !strings.Contains(a.Text("main"), "This kind of source has no such signing secret.") {
		t.Errorf("a secret of a follower: %q", a.Text("main"))
	}
	form.Set("do", "save")
	form.Set("expect_hours", "2")
	if got := c.Flash(c.Post(path, form).GoesTo("/admin/sources/forum")); got != "Saved forum." {
		t.Errorf("it says %q", got)
	}
}
