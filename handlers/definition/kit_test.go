package definition_test

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/models"
)

// wish is a webhook as somebody describes it, to be said in the form's words or
// the API's.
type wish struct {
	name       string
	events     []string
	url        string
	secret     *string
	headers    []models.Header // an empty value keeps the saved one
	properties string
	email      string // for errors

	// The API of SuperOffice has no words for these: its webhooks are at the token's
	// location, for all tags and communities.
	location, community string
	tags                []string // nil: all
}

// desk has all ways to save a webhook, over one store.
type desk struct {
	*webtest.Console
	t        *testing.T
	token    string // of the API of SuperOffice
	manager  string // of the management API
	receiver *webtest.Receiver
	here     string // URL of the receiver
	there    string // another host, whose certificate is trusted too
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	receiver := webtest.NewReceiver(t)
	here := httptest.NewTLSServer(receiver.Config.Handler) // the type sends to https alone
	t.Cleanup(here.Close)
	there := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	t.Cleanup(there.Close)
	roots := x509.NewCertPool()
	roots.AddCert(here.Certificate())
	d := &desk{t: t, receiver: receiver, here: here.URL, there: there.URL}
	d.Console = webtest.NewConsole(t, func(d *handlers.Deps) {
		d.Sender = send.New(send.Config{AllowCIDRs: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, RootCAs: roots})
		t.Cleanup(d.Sender.Close)
	}, webtest.WithAPIs)
	var err error
	d.token, err = d.Store.Tokens.Create(t.Context(), models.Token{Name: "crm", Scope: models.ScopeSuperOffice, CreatedBy: d.Admin.Name, CreatedByID: d.Admin.ID})
	webtest.OK(t, err)
	d.manager, err = d.Store.Tokens.Create(t.Context(), models.Token{Name: "deploy", Scope: models.ScopeManage, CreatedBy: d.Admin.Name, CreatedByID: d.Admin.ID})
	webtest.OK(t, err)
	return d
}

// usual is a webhook without a fault.
func (d *desk) usual() wish {
	return wish{name: "CRM", events: []string{"contact.created"}, url: d.here + "/hook", properties: `{"source":"forum"}`}
}

// verdict is the result of a save: the sentences by neutral field, none when it
// was saved.
type verdict map[string]string

// way is one way to save: w is nil for a new webhook.
type way func(d *desk, w *models.Webhook, wanted wish) verdict

var ways = map[string]way{"form": (*desk).byForm, "API": (*desk).byAPI, "management API": (*desk).byManagement}

func (d *desk) byManagement(w *models.Webhook, wanted wish) verdict {
	d.t.Helper()
	method, path := http.MethodPost, "/api/v1/webhooks"
	if w != nil {
		method, path = http.MethodPut, fmt.Sprint(path, "/", w.ID)
	}
	headers := []string{}
	for _, h := range wanted.headers {
		value := plain(d.t, h.Value)
		if h.Value == "" {
			value = []byte("null")
		}
		headers = append(headers, string(plain(d.t, h.Name))+":"+string(value))
	}
	in := map[string]any{
		"type": "superoffice", "name": wanted.name, "events": wanted.events, "url": wanted.url, "options": map[string]string{"properties": wanted.properties, "errors_email": wanted.email},
		"headers": json.RawMessage("{" + strings.Join(headers, ",") + "}"),
	}
	for field, value := range map[string]string{"location": wanted.location, "community": wanted.community} {
		if value != "" {
			in[field] = value
		}
	}
	if wanted.tags != nil {
		in["tags"] = wanted.tags
	}
	if wanted.secret != nil {
		if in["secret_1"] = *wanted.secret; *wanted.secret == "" {
			in["secret_1"] = nil
		}
	}
	req := d.Request(method, path, bytes.NewReader(plain(d.t, in)))
	req.Header.Set("Authorization", "Bearer "+d.manager)
	req.Header.Set("Content-Type", "application/json")
	a := d.Do(req)
	if a.Status == http.StatusOK || a.Status == http.StatusCreated {
		return verdict{}
	}
	a.Want(http.StatusUnprocessableEntity)
	var problem struct{ Errors []api.FieldError }
	webtest.OK(d.t, json.Unmarshal([]byte(a.Body), &problem))
	found := verdict{}
	for _, fault := range problem.Errors {
		found[strings.Replace(fault.Field, "options.", "option_", 1)] = fault.Message
	}
	return found
}

func (d *desk) byForm(w *models.Webhook, wanted wish) verdict {
	d.t.Helper()
	path := "/admin/webhooks/new?type=superoffice"
	if w != nil {
		path = webtest.EditPath(*w)
	}
	form := d.Get(path).Want(http.StatusOK).Form()
	form["events"], form["custom"] = nil, nil
	for _, event := range wanted.events {
		form.Add("events", event)
	}
	var lines []string
	for _, h := range wanted.headers {
		lines = append(lines, h.Name+": "+h.Value)
	}
	webtest.Fill(form, "name", wanted.name, "url", wanted.url, "headers", strings.Join(lines, "\n"), "option_properties", wanted.properties, "option_errors_email", wanted.email, "do", "save")
	if wanted.location != "" {
		webtest.Fill(form, "location", wanted.location)
	}
	webtest.Fill(form, "community", wanted.community)
	if wanted.tags != nil {
		webtest.Fill(form, "tag_mode", "specific", "tags", strings.Join(wanted.tags, ", "))
	}
	if wanted.secret != nil {
		webtest.Fill(form, "secret_1", *wanted.secret, "remove_1", map[bool]string{true: "1"}[*wanted.secret == ""])
	}
	a := d.Post(path, form)
	if a.Status == http.StatusSeeOther {
		return verdict{}
	}
	a.Want(http.StatusUnprocessableEntity)
	found := verdict{}
	a.Find("main [id$=-err]").Each(func(_ int, fault *goquery.Selection) {
		found[strings.TrimSuffix(fault.AttrOr("id", ""), "-err")] = strings.Join(strings.Fields(fault.Text()), " ")
	})
	if len(found) == 0 {
		found[""] = a.Text("[role=alert]")
	}
	return found
}

// neutral are the fields by the vendor's names.
var neutral = map[string]string{
	"Name": "name", "Events": "events", "TargetUrl": "url", "Secret": "secret_1", "Headers": "headers",
	"Properties": "option_properties", "ErrorsEmail": "option_errors_email",
}

func (d *desk) byAPI(w *models.Webhook, wanted wish) verdict {
	d.t.Helper()
	method, path := http.MethodPost, "/superoffice/api/v1/Webhook"
	if w != nil {
		method, path = http.MethodPut, fmt.Sprint(path, "/", w.ID)
	}
	var headers []string
	for _, h := range wanted.headers {
		headers = append(headers, string(plain(d.t, h.Name))+":"+string(plain(d.t, h.Value)))
	}
	body := plain(d.t, map[string]any{
		"Name": wanted.name, "Events": wanted.events, "TargetUrl": wanted.url, "Secret": wanted.secret, "ErrorsEmail": wanted.email,
		"Headers": json.RawMessage("{" + strings.Join(headers, ",") + "}"), "Properties": json.RawMessage(cmp.Or(wanted.properties, "null")),
	})
	req := d.Request(method, path, bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+d.token)
	req.Header.Set("Content-Type", "application/json")
	a := d.Do(req)
	if a.Status == http.StatusOK {
		return verdict{}
	}
	var problem struct{ Errors []api.FieldError }
	webtest.OK(d.t, json.Unmarshal([]byte(a.Body), &problem))
	found := verdict{}
	for _, fault := range problem.Errors {
		found[neutral[fault.Field]] = fault.Message
	}
	return found
}

func plain(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	webtest.OK(t, err)
	return text
}

// saved is a webhook with a secret and a header.
func (d *desk) saved() *models.Webhook {
	d.t.Helper()
	w := d.AddWebhook(func(in *models.WebhookInput) {
		u := d.usual()
		in.Type, in.Name, in.Events, in.URL, in.URLShown = "superoffice", u.name, u.events, u.url, u.url
		in.Options = map[string]string{"properties": u.properties}
		in.Secrets[0].Set, in.Headers = "the saved secret", []models.Header{{Name: "X-Key", Value: "saved value"}}
	})
	return &w
}

const closed = "closed"

// hide makes the hidden location closed with a hidden community, unless it is there.
func (d *desk) hide() {
	d.t.Helper()
	old, err := d.Store.Locations.State(d.t.Context(), closed)
	webtest.OK(d.t, err)
	if !old.New {
		return
	}
	next := old
	next.Location.Name, next.Location.Hidden = "Closed", true
	next.Communities = []models.Community{{Location: closed, Slug: "data", Name: "Data", Hidden: true}}
	webtest.OK(d.t, d.Store.Locations.Replace(d.t.Context(), d.Admin.Actor(), old, next))
}

// AddCommunity adds a community to a location.
func (d *desk) AddCommunity(location, slug string) {
	d.t.Helper()
	old, err := d.Store.Locations.State(d.t.Context(), location)
	webtest.OK(d.t, err)
	next := old
	next.Communities = []models.Community{{Location: location, Slug: slug}}
	webtest.OK(d.t, d.Store.Locations.Replace(d.t.Context(), d.Admin.Actor(), old, next))
}
