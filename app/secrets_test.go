package app_test

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// newTattlingProvider is a provider of single sign-on that repeats the request
// of a log-in in its answer.
func newTattlingProvider(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	provider := httptest.NewServer(mux)
	t.Cleanup(provider.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q,"jwks_uri":%q}`,
			provider.URL, provider.URL+"/auth", provider.URL+"/token", provider.URL+"/keys")
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusBadRequest)
		_, password, _ := r.BasicAuth()
		fmt.Fprintf(w, `{"error":"invalid_client","error_description":"not %s, %s, %v"}`, password, body, r.Header)
	})
	return provider
}

// secretive is an environment in which everything that is secret is known to
// the vault.
func secretive(t *testing.T, v *vault, kind, trust string) []string {
	t.Helper()
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	env := append(apptest.Environment(t, kind), trust, "SITEHOOKS_LOG_LEVEL=debug",
		"SITEHOOKS_ADMIN_PASSWORD="+v.make("password of the administrator"), "SITEHOOKS_INGEST_TOKEN="+v.make("ingest token"),
		"SITEHOOKS_SECRET_KEY="+v.keep("secret key", base64.StdEncoding.EncodeToString(key)),
		"SITEHOOKS_OIDC_ISSUER="+newTattlingProvider(t).URL, "SITEHOOKS_OIDC_CLIENT_ID=sitehooks",
		"SITEHOOKS_OIDC_CLIENT_SECRET="+v.make("secret of the client"))
	if address := apptest.ValueOf(env, "DATABASE_URL"); address != "" {
		env = append(env, "DATABASE_URL="+strings.Replace(address, "postgres@", "postgres:"+v.make("password of the database")+"@", 1))
	}
	return env
}

// TestSecretsAreNowhereInClear uses every kind of secret in every flow, with
// receivers and a provider that repeat their requests, and then looks for them
// in the log at level debug, on all pages, in the answers of the APIs, in the
// exports, and in all tables and files.
func TestSecretsAreNowhereInClear(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		v := &vault{t: t, secrets: map[string]string{}}
		hook, trust := newTattler(t, v)
		env := secretive(t, v, kind, trust)
		in := apptest.Serve(t, env)
		f := &secretFlows{vault: v, in: in, hook: hook, env: env}
		f.logIn()
		f.b.Quick()
		f.webhooks()
		f.tokens()
		f.deliver()
		f.reveal()
		f.move()
		f.people()
		f.search()
		f.faults()
		_ = in.Terminate() // without its tables it may say that it could not hand all back
		v.none("the log", in.Log.String())
		v.database(env)
		if !strings.Contains(in.Log.String(), "level=ERROR") || !strings.Contains(in.Log.String(), "log-in refused") {
			t.Error("the log does not tell of the faults that were made")
		}
	})
}

// secretFlows are the flows, one after the other.
type secretFlows struct {
	*vault
	in      *apptest.Instance
	hook    *tattler
	env     []string
	b       *apptest.Browser
	crm     string // token of the SuperOffice API
	generic url.Values
}

func (f *secretFlows) see(place string, a apptest.Answer, code int) apptest.Answer {
	f.t.Helper()
	if a.Code != code {
		f.t.Fatalf("%s: %d, want %d: %s", place, a.Code, code, a.Body)
	}
	f.none(place, a.Body+fmt.Sprint(a.Header))
	return a
}

func (f *secretFlows) logIn() {
	f.t.Helper()
	f.b = f.in.Browser()
	wrong := url.Values{"email": {apptest.AdminEmail}, "password": {f.make("wrong password")}}
	f.see("the log-in page", f.b.Post("/login", wrong), http.StatusUnauthorized)
	a := f.b.Post("/login", url.Values{"email": {apptest.AdminEmail}, "password": {f.get("password of the administrator")}})
	if a.Code != http.StatusSeeOther {
		f.t.Fatalf("login: %d", a.Code)
	}
	resp := http.Response{Header: a.Header}
	for _, cookie := range resp.Cookies() {
		if cookie.Name == "sitehooks_session" {
			f.keep("session cookie", cookie.Value)
		}
	}
	// Single sign-on that the provider refuses, repeating our secret.
	a = f.b.Get("/login/oidc")
	to, err := url.Parse(a.Header.Get("Location"))
	ok(f.t, err)
	f.see("refused single sign-on", f.b.Get("/login/oidc?code=c&state="+url.QueryEscape(to.Query().Get("state"))), http.StatusBadGateway)
}

// webhooks saves one of each type with all the secrets it can have.
func (f *secretFlows) webhooks() {
	f.t.Helper()
	f.generic = apptest.TypeForm("generic", f.hook.URL)
	f.generic.Set("url", f.hook.URL+"/generic?token="+f.make("generic query"))
	f.generic.Set("secret_1", f.make("generic secret 1"))
	f.generic.Set("headers", "X-Team: data\nX-Api-Key: "+f.make("generic header"))
	f.generic.Set("do", "generate_2")
	a := f.b.Post("/admin/webhooks/new?type=generic", f.generic)
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.Body))
	ok(f.t, err)
	f.generic.Set("secret_2", f.keep("generic secret 2", doc.Find("#secret_2").AttrOr("value", "")))
	for _, do := range []string{"test", "preview", "save"} {
		f.generic.Set("do", do)
		if a = f.b.Post("/admin/webhooks/new?type=generic", f.generic); a.Code >= http.StatusBadRequest {
			f.t.Fatalf("%s: %d %s", do, a.Code, a.Body)
		}
	}
	forms := map[string]url.Values{}
	for _, name := range []string{"slack", "stackauth", "userecho"} {
		forms[name] = apptest.TypeForm(name, f.hook.URL)
	}
	team, app := f.keep("slack team", "T"+rand.Text()[:12]), f.keep("slack app", "B"+rand.Text()[:12])
	forms["slack"].Set("url", f.hook.URL+"/slack/"+team+"/"+app+"/"+f.make("slack address"))
	forms["stackauth"].Set("secret_1", f.keep("stackauth secret", "whsec_"+base64.StdEncoding.EncodeToString([]byte(rand.Text()+"-of-stack-auth"))))
	forms["userecho"].Set("secret_1", f.make("userecho key"))
	for name, form := range forms {
		f.b.CreateType(name, form)
	}
	f.see("the list", f.b.Get("/admin/webhooks"), http.StatusOK)
}

// path is that of the webhook of a type.
func (f *secretFlows) path(name string) string {
	f.t.Helper()
	var id int64
	ok(f.t, openDatabase(f.t, f.env).QueryRowContext(f.t.Context(), "select id from webhooks where type = '"+name+"'").Scan(&id))
	return "/admin/webhooks/" + strconv.FormatInt(id, 10)
}

// saved is the form of a saved webhook as the page holds it.
func (f *secretFlows) saved(name string) url.Values {
	f.t.Helper()
	a := f.b.Get(f.path(name) + "/edit")
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.Body))
	ok(f.t, err)
	form := apptest.TypeForm(name, f.hook.URL)
	form.Del("secret_1")
	for _, field := range []string{"name", "url", "updated_at"} {
		form.Set(field, doc.Find("[name="+field+"]").AttrOr("value", ""))
	}
	form.Set("headers", doc.Find("[name=headers]").Text())
	return form
}

// tokens makes tokens, and a webhook by the API with one.
func (f *secretFlows) tokens() {
	f.t.Helper()
	issue := func(scope string) string {
		a := f.b.Post("/admin/tokens", url.Values{"name": {"of " + scope}, "scope": {scope}})
		if a.Code != http.StatusSeeOther || strings.Contains(a.Body, "shk_") {
			f.t.Fatalf("a new token: %d %s", a.Code, a.Body)
		}
		shown := f.b.Get("/admin/tokens").Body
		return f.keep("token for "+scope, regexp.MustCompile(`shk_[0-9a-f]+`).FindString(shown))
	}
	issue("ingest")
	f.crm = issue("superoffice")
	f.see("tokens", f.b.Get("/admin/tokens"), http.StatusOK)
	f.see("the API for events", f.api(http.MethodPost, "/api/v1/events", f.make("unknown token"), `{}`), http.StatusUnauthorized)
	f.see("the API for events", f.api(http.MethodPost, "/api/v1/events", f.crm, `{}`), http.StatusForbidden)
	body := fmt.Sprintf(`{"Name":"To CRM","Events":["question.created"],"TargetUrl":%q,"Secret":%q,"Headers":{"X-Api-Key":%q}}`,
		f.hook.URL+"/superoffice?token="+f.make("superoffice query"), f.make("superoffice secret"), f.make("superoffice header"))
	made := f.api(http.MethodPost, "/superoffice/api/v1/Webhook", f.crm, body)
	if made.Code != http.StatusOK {
		f.t.Fatalf("SuperOffice API: %d %s", made.Code, made.Body)
	}
	f.without("superoffice query", func() { // its programs need the whole address
		f.none("what the SuperOffice API made", made.Body)
		f.see("the SuperOffice API", f.api(http.MethodGet, "/superoffice/api/v1/Webhook", f.crm, ""), http.StatusOK)
	})
	bad := strings.Replace(body, `"question.created"`, `"question.burnt"`, 1)
	f.see("a refusal of the SuperOffice API", f.api(http.MethodPost, "/superoffice/api/v1/Webhook", f.crm, bad), http.StatusBadRequest)
}

func (f *secretFlows) api(method, path, token, body string) apptest.Answer {
	f.t.Helper()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.in.Base+path, strings.NewReader(body))
	ok(f.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	a, err := apptest.Do(f.t, http.DefaultClient, req)
	ok(f.t, err)
	return a
}

// deliver has a delivery of each webhook fail once, and resends it.
func (f *secretFlows) deliver() {
	f.t.Helper()
	answered := func(status string) func() bool {
		return func() bool {
			return strings.Count(f.b.Get("/admin/deliveries.json").Body, status) == len(apptest.TypeNames)
		}
	}
	f.hook.failing.Store(true)
	accepted := f.api(http.MethodPost, "/api/v1/events", f.get("ingest token"), apptest.QuestionJSON("first", 1, ""))
	f.see("the answer to an event", accepted, http.StatusAccepted)
	apptest.Eventually(f.t, "each failed", answered(`"last_status":500`))
	f.hook.failing.Store(false)
	for _, id := range regexp.MustCompile(`"id":"([^"]+)"`).FindAllStringSubmatch(f.b.Get("/admin/deliveries.json").Body, -1) {
		f.see("resend", f.b.Post("/admin/deliveries/"+id[1]+"/resend", nil), http.StatusSeeOther)
	}
	apptest.Eventually(f.t, "each was resent", answered(`"last_status":200`))
	form := f.saved("generic")
	for _, do := range []string{"test", "preview"} {
		form.Set("do", do)
		f.without("generic query", func() { // the form shows the address that is edited
			f.see(do+" of a saved webhook", f.b.Post(f.path("generic")+"/edit", form), http.StatusOK)
		})
	}
}

// reveal has a saved secret and a saved address shown, which nothing else does.
func (f *secretFlows) reveal() {
	f.t.Helper()
	for name, secret := range map[string][2]string{"generic": {"2", "generic secret 2"}, "slack": {"url", "slack address"}} {
		path := f.path(name) + "/reveal"
		f.see("the question before "+secret[1], f.b.Get(path), http.StatusOK)
		form := url.Values{"secret": {secret[0]}, "password": {f.get("password of the administrator")}}
		if a := f.b.Post(path, form); a.Code != http.StatusOK || strings.Count(a.Body, f.get(secret[1])) != 1 {
			f.t.Errorf("reveal of the %s: %d %s", secret[1], a.Code, a.Body)
		}
	}
}

// move leads a webhook elsewhere: without new secrets it is refused.
func (f *secretFlows) move() {
	f.t.Helper()
	form := f.saved("generic")
	form.Set("url", "https://moved.example/generic?token="+f.make("moved query"))
	form.Set("do", "save")
	f.without("moved query", func() {
		a := f.see("a refused move", f.b.Post(f.path("generic")+"/edit", form), http.StatusUnprocessableEntity)
		if !strings.Contains(a.Body, "The URL is on another host") {
			f.t.Errorf("a move without new secrets: %s", a.Body)
		}
	})
	form.Set("secret_1", f.make("moved secret 1"))
	form.Set("secret_2", f.make("moved secret 2"))
	form.Set("headers", "X-Api-Key: "+f.make("moved header"))
	f.see("a move", f.b.Post(f.path("generic")+"/edit", form), http.StatusSeeOther)
	audit := f.see("the audit", f.b.Get("/admin/audit"), http.StatusOK)
	if !strings.Contains(audit.Body, "target changed from") || !strings.Contains(audit.Body, "moved.example") {
		f.t.Error("the move is not in the audit")
	}
}

// people gives passwords to members.
func (f *secretFlows) people() {
	f.t.Helper()
	a := f.b.Post("/admin/members", url.Values{"email": {"vic@example.com"}, "name": {"Vic"}, "role": {"viewer"}})
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.Body))
	ok(f.t, err)
	f.keep("one-time password", doc.Find("#given-password").Text())
	f.see("members", f.b.Get("/admin/members"), http.StatusOK)
	fresh := f.make("new password")
	form := url.Values{"password": {f.get("password of the administrator")}, "new_password": {fresh}, "new_password_again": {fresh}}
	if a = f.b.Post("/account/password", form); a.Code != http.StatusSeeOther {
		f.t.Fatalf("new password: %d %s", a.Code, a.Body)
	}
	resp := http.Response{Header: a.Header}
	for _, cookie := range resp.Cookies() {
		if cookie.Name == "sitehooks_session" {
			f.keep("second session cookie", cookie.Value)
		}
	}
}

// search reads all pages and files that the console has.
func (f *secretFlows) search() {
	f.t.Helper()
	bodies := 0
	pages := crawl(f.b, func(path, body string) {
		for _, what := range []string{"moved query", "superoffice query"} {
			page, _, _ := strings.Cut(path, "?")
			if secret := f.get(what); strings.HasSuffix(page, "/edit") || strings.HasPrefix(path, "/admin/webhooks/new?") {
				body = strings.ReplaceAll(body, secret, "") // the form has the address that is edited or copied
				body = strings.ReplaceAll(body, url.QueryEscape(secret), "")
			}
		}
		if strings.Contains(body, "no such page") {
			bodies++
		}
		f.none(path, body)
	})
	if pages < 40 || bodies < len(apptest.TypeNames)-1 {
		f.t.Errorf("only %d pages were read, of which %d show what a receiver answered", pages, bodies)
	}
	f.database(f.env)
}

// faults takes a table away, so that handlers and jobs fail in the midst of
// secrets.
func (f *secretFlows) faults() {
	f.t.Helper()
	db := openDatabase(f.t, f.env)
	for _, table := range []string{"webhook_versions", "lanes", "webhooks"} {
		_, err := db.ExecContext(f.t.Context(), "alter table "+table+" rename to "+table+"_gone")
		ok(f.t, err)
		f.generic.Set("do", "save")
		f.see("a save without "+table, f.b.Post("/admin/webhooks/new?type=generic", f.generic), http.StatusInternalServerError)
		f.api(http.MethodPost, "/api/v1/events", f.get("ingest token"), apptest.QuestionJSON("without "+table, 2, ""))
	}
	f.see("the API without its table", f.api(http.MethodGet, "/superoffice/api/v1/Webhook", f.crm, ""), http.StatusServiceUnavailable)
	f.see("a page without its table", f.b.Get("/admin/webhooks"), http.StatusInternalServerError)
	apptest.Eventually(f.t, "the jobs' log of it", func() bool {
		return strings.Count(f.in.Log.String(), "level=ERROR") > strings.Count(f.in.Log.String(), "request failed")
	})
}
