package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/client"
	"github.com/sitehooks/sitehooks/app/configfile"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// installation is a console with its APIs and a token that may manage it.
type installation struct {
	*webtest.Console
	token string
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	c := webtest.NewConsole(t, webtest.WithAPIs)
	plain, err := c.Store.Tokens.Create(t.Context(), models.Token{Name: "deploy", Scope: models.ScopeManage, CreatedBy: c.Admin.Name, CreatedByID: c.Admin.ID})
	webtest.OK(t, err)
	return &installation{c, plain}
}

// exported is what export prints.
func (in *installation) exported(t *testing.T, more ...string) (text, remarks string) {
	t.Helper()
	text, remarks, err := run(t, nil, append([]string{"export", "--url", in.Server.URL, "--token", in.token}, more...)...)
	webtest.OK(t, err)
	return text, remarks
}

// apply runs the command over a file with this text.
func (in *installation) apply(t *testing.T, text string, environ []string, more ...string) (said string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sitehooks.yaml")
	webtest.OK(t, os.WriteFile(file, []byte(text), 0o600))
	said, remarks, err := run(t, environ, append([]string{"apply", file, "--url", in.Server.URL, "--token", in.token, "--reason", "Release 42"}, more...)...)
	return said + remarks, err
}

// filled has settings, a location with a community, and webhooks of several
// types; one has no key.
func (in *installation) filled(t *testing.T, receiver string) {
	t.Helper()
	by := in.Admin.Actor()
	webtest.OK(t, in.Store.Settings.Change(t.Context(), by, models.DispatchDelay, "7", "test"))
	state, err := in.Store.Locations.State(t.Context(), "team-a")
	webtest.OK(t, err)
	next := state
	next.Location.Name, next.Location.Description = "Team A: ${first}", "Has \"quotes\",\nlines and a # sign"
	next.Communities = []models.Community{{Location: "team-a", Slug: "data", Name: "Data"}}
	webtest.OK(t, in.Store.Locations.Replace(t.Context(), by, state, next))
	in.AddWebhook(func(w *models.WebhookInput) {
		w.Key, w.Name, w.Location, w.Community = "python", "Python: yes # \"no\"", "team-a", "data"
		w.URL, w.URLShown = receiver+"/hook?a=${b}", receiver+"/hook"
		w.TagMode, w.Tags = models.TagsSpecific, []string{"1.0", "go", "true"}
		w.Secrets[0].Set, w.Secrets[1].Set = "the first secret of it", "the second secret of it"
		w.Headers = []models.Header{{Name: "X-Team", Value: "blue"}, {Name: "Authorization", Value: "Bearer x"}}
	})
	in.AddWebhook(func(w *models.WebhookInput) {
		w.Key, w.Type, w.Name, w.Events = "team-chat", "slack", "Chat", []string{"question.created"}
		w.URL, w.URLShown = "https://hooks.slack.com/services/T0/B0/secret", "hooks.slack.com/…cret"
	})
	in.AddWebhook(func(w *models.WebhookInput) {
		w.Key, w.Type, w.Name, w.Events = "42-x", "userecho", "Forum", []string{"topic.created"}
		w.URL, w.URLShown, w.Options = receiver+"/ue", receiver+"/ue", map[string]string{"digest": "sha1"}
		w.Secrets[0].Set, w.Paused = "a secret of the forum", true
	})
	in.AddWebhook(func(w *models.WebhookInput) { w.Name = "Without a key" })
}

// environment has the secrets that the export names.
var environment = []string{
	"PYTHON_SECRET_1=the first secret of it", "PYTHON_SECRET_2=the second secret of it", "PYTHON_HEADER_X_TEAM=blue", "PYTHON_HEADER_AUTHORIZATION=Bearer x",
	"TEAM_CHAT_URL=https://hooks.slack.com/services/T0/B0/secret", "WEBHOOK_42_X_SECRET_1=a secret of the forum",
}

// TestExportIntoAnEmptyInstallation gives an equal one, whose signatures verify;
// applied again there is nothing to do.
func TestExportIntoAnEmptyInstallation(t *testing.T) {
	receiver := webtest.NewReceiver(t)
	from, to := newInstallation(t), newInstallation(t)
	from.filled(t, receiver.URL)
	text, remarks := from.exported(t)
	if !strings.Contains(remarks, `webhook 4 "Without a key"`) || strings.Contains(text, "Without a key") {
		t.Errorf("it remarks %q", remarks)
	}
	for _, secret := range []string{"the first secret", "blue", "Bearer", "T0/B0", "a secret of"} {
		if strings.Contains(text, secret) {
			t.Errorf("the file has %q:\n%s", secret, text)
		}
	}

	_, err := to.apply(t, text, nil)
	for _, missing := range environment {
		name, _, _ := strings.Cut(missing, "=")
		if err == nil || !strings.Contains(err.Error(), name+" is not set") {
			t.Errorf("%s is not missed: %v", name, err)
		}
	}
	empty := to.Stored()
	if said, err := to.apply(t, text, environment, "--dry-run"); ExitCode(err) != 2 || !strings.Contains(said, "+ webhook python") {
		t.Errorf("a dry run: %v %s", err, said)
	}
	if changed := webtest.Difference(empty, to.Stored()); changed != "" {
		t.Errorf("a dry run stored %s", changed)
	}
	said, err := to.apply(t, text, environment)
	if ExitCode(err) != 0 || !strings.Contains(said, "Done: 4 created, 2 changed.") {
		t.Fatalf("apply: %v\n%s", err, said)
	}
	again, _ := to.exported(t)
	if again != text {
		t.Errorf("the new installation is\n%s\nwant\n%s", again, text)
	}
	before := to.Stored()
	if said, err := to.apply(t, text, environment); err != nil || said != "Nothing to do.\n" {
		t.Errorf("applied twice: %v %s", err, said)
	}
	if changed := webtest.Difference(before, to.Stored()); changed != "" {
		t.Errorf("applied twice it stored %s", changed)
	}

	w, err := to.Store.Webhooks.ByKey(t.Context(), "python")
	webtest.OK(t, err)
	if o := to.Opened(w); o.URL != receiver.URL+"/hook?a=${b}" || o.Secrets != [2]string{"the first secret of it", "the second secret of it"} {
		t.Errorf("it has %+v", o)
	}
	c := client.Client{Base: to.Server.URL, Token: to.token}
	webtest.OK(t, c.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/api/v1/webhooks/python/test"}, new(any)))
	got := receiver.Requests()[0]
	for _, secret := range []string{"the first secret of it", "the second secret of it"} {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(got.Header.Get("Webhook-Id") + "." + got.Header.Get("Webhook-Timestamp") + "." + got.Body))
		if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); !strings.Contains(got.Header.Get("Webhook-Signature"), want) {
			t.Errorf("the signature %q is not by %q", got.Header.Get("Webhook-Signature"), secret)
		}
	}
	if got.Header.Get("X-Team") != "blue" {
		t.Errorf("headers are %v", got.Header)
	}
}

// TestApplyShowsAndChangesWhatDiffers: with a readable difference, and removes
// what the file lacks only if it is asked to.
func TestApplyShowsAndChangesWhatDiffers(t *testing.T) {
	receiver := webtest.NewReceiver(t)
	in := newInstallation(t)
	in.filled(t, receiver.URL)
	text, _ := in.exported(t)
	text, _, _ = strings.Cut(text, "- key: team-chat")
	changed := strings.Replace(text, "- go\n", "- rust\n", 1)
	changed = strings.Replace(changed, "X-Team: ${PYTHON_HEADER_X_TEAM}", "X-Team: red\n    X-New: 7", 1)
	changed = strings.Replace(changed, `Webhooks.DispatchDelay: "7"`, "Webhooks.DispatchDelay: 8", 1)
	said, err := in.apply(t, changed, append([]string{"PYTHON_SECRET_2=another secret of it"}, environment...))
	const want = `~ setting Webhooks.DispatchDelay
    7 → 8
~ webhook python
    tags: +rust -go
    headers: +X-New
    secret_2: changed
Done: 2 changed.
`
	if err != nil || said != want {
		t.Errorf("it says %v\n%s", err, said)
	}
	history, err := in.Store.Settings.History(t.Context(), models.DispatchDelay)
	webtest.OK(t, err)
	if history[0].Reason != "Release 42" {
		t.Errorf("the reason is %q", history[0].Reason)
	}
	environ := append([]string{"PYTHON_SECRET_2=another secret of it"}, environment...)
	if said, err := in.apply(t, changed, environ, "--prune", "--dry-run"); ExitCode(err) != 2 || said != "- webhook team-chat\n" {
		t.Errorf("a dry run of prune says %v\n%s", err, said)
	}
	if said, err := in.apply(t, changed, environ, "--prune"); err != nil || !strings.Contains(said, "Done: 1 removed.") {
		t.Errorf("prune says %v\n%s", err, said)
	}
	if all, _, err := in.Store.Webhooks.All(t.Context()); err != nil || len(all) != 3 { // one has no key
		t.Errorf("left are %d %v", len(all), err)
	}
}

// TestApplyOverwritesNothingThatChanged: a change between the look and the save
// is told and stays.
func TestApplyOverwritesNothingThatChanged(t *testing.T) {
	receiver := webtest.NewReceiver(t)
	in := newInstallation(t)
	in.filled(t, receiver.URL)
	text, _ := in.exported(t)
	changed := strings.Replace(text, "- go\n", "- rust\n", 1)
	w, err := in.Store.Webhooks.ByKey(t.Context(), "python")
	webtest.OK(t, err)
	getenv := Process{Environ: environment}.getenv
	c := &client.Client{Base: in.Server.URL, Token: in.token, HTTP: &http.Client{Transport: between(func() {
		webtest.OK(t, in.Store.Webhooks.Pause(t.Context(), in.Admin.Actor(), w.ID))
	})}}
	var out strings.Builder
	err = configfile.Apply(t.Context(), configfile.Options{Client: c, Out: &out, Err: &out}, configfile.Wanted{File: []byte(changed), Getenv: getenv, Reason: "test"})
	if ExitCode(err) != 1 || !strings.Contains(err.Error(), "the webhook python was changed in the meantime") {
		t.Errorf("it says %v", err)
	}
	now, err := in.Store.Webhooks.Get(t.Context(), models.AllLocations(), w.ID)
	webtest.OK(t, err)
	if now.State != models.WebhookStopped || !now.UpdatedAt.Equal(w.UpdatedAt) {
		t.Errorf("it is %+v", now)
	}
}

// between calls a function before the first request that changes something.
type between func()

func (f between) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPut && r.URL.RawQuery == "" && strings.Contains(r.URL.Path, "/webhooks/") {
		f()
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestWhatApplyRefuses: each fault in words, before anything is changed.
func TestWhatApplyRefuses(t *testing.T) {
	in := newInstallation(t)
	before := in.Stored()
	for text, says := range map[string]string{
		"webhook: []":                                                       "unknown field",
		"webhooks: [{key: a}]":                                              "type: Choose a type",
		"webhooks: [{type: generic}]":                                       "webhooks[0] has no key",
		"webhooks: [{key: a}, {key: a}]":                                    "the webhook a is in the file twice",
		"webhooks: [{key: 'A b', type: generic}]":                           "key: Use 1 to 64",
		"webhooks: [{key: a, type: generic, tag: x}]":                       "tag: There is no field of this name.",
		"webhooks: [{key: a, type: generic, name: '', url: x, events: []}]": "name: Enter a name",
		"settings: {Webhooks.DispatchDelay: soon}":                          "value: Webhooks.DispatchDelay must be",
		"settings: {Odd: 1}":                                                "There is no such setting.",
		"settings: {'Webhooks.EnableTriggerHistory#': 'False'}":             "There is no such setting.",
		"settings: {'Webhooks.EnableTriggerHistory?x': 'False'}":            "There is no such setting.",
		"locations: [{slug: a, name: 7}]":                                   "name: It must be a string.",
		"webhooks: {":                                                       "the file is not as it must be",
		"webhooks: [{key: a, type: generic, name: A, url: 'https://example.com', events: [question.created], location: nowhere}]": "location: There is no location",
	} {
		if !strings.HasPrefix(text, "settings") && !strings.Contains(text, "nowhere") {
			text = "settings: {Webhooks.DispatchInterval: 9}\n" + text // which would be a change
		}
		said, err := in.apply(t, text, nil)
		if ExitCode(err) != 1 || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v\n%s", text, err, said)
		}
	}
	if changed := webtest.Difference(before, in.Stored()); changed != "" {
		t.Errorf("stored %s", changed)
	}
	for _, scope := range []string{models.ScopeRead, models.ScopeIngest} {
		plain, err := in.Store.Tokens.Create(t.Context(), models.Token{Name: "other", Scope: scope})
		webtest.OK(t, err)
		if _, _, err := run(t, nil, "export", "--url", in.Server.URL, "--token", plain); err == nil || !strings.Contains(err.Error(), "needs the scope") {
			t.Errorf("%s may export: %v", scope, err)
		}
	}
	for args, says := range map[string]string{
		"export --url " + in.Server.URL:                           "--token: a token with the scope manage is needed",
		"apply x.yaml --token t --url " + in.Server.URL:           "--reason: give a reason",
		"apply x.yaml --reason x --token @/nothing":               "--token: open /nothing",
		"apply /nothing.yaml --reason x --token t --url http://x": "open /nothing.yaml",
	} {
		if _, _, err := run(t, nil, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// TestPageShowsWhatExportWrites: for a webhook whose URL has no query.
func TestPageShowsWhatExportWrites(t *testing.T) {
	in := newInstallation(t)
	w := in.AddWebhook(func(w *models.WebhookInput) {
		w.Key, w.Type, w.Name, w.Events = "42-x", "userecho", "It's ${a} \"forum\"", []string{"topic.created"}
		w.URL, w.URLShown, w.Options = "http://127.0.0.1:9/ue", "http://127.0.0.1:9/ue", map[string]string{"digest": "sha1"}
		w.Secrets[0].Set, w.Paused, w.Headers = "a secret of the forum", true, []models.Header{{Name: "X-Team", Value: "blue"}}
		w.TagMode, w.Tags = models.TagsAll, nil
	})
	text, _ := in.exported(t)
	page := in.Get(fmt.Sprint("/admin/webhooks/", w.ID)).Want(http.StatusOK)
	shown := page.Find("#as-yaml").Text()
	if _, section, _ := strings.Cut(text, "webhooks:\n"); "webhooks:\n"+section != shown || section == "" {
		t.Errorf("the page shows\n%s\nthe file has\n%s", shown, text)
	}
	curl := page.Find("#as-curl").Text()
	for _, want := range []string{"/api/v1/webhooks/42-x'", `"name": "It'\''s ${a} \"forum\""`, `"options": {"digest":"sha1"}`} {
		if !strings.Contains(curl, want) {
			t.Errorf("%s is not in %s", want, curl)
		}
	}
	for _, secret := range []string{"blue", "a secret of"} {
		if strings.Contains(page.Body, secret) {
			t.Errorf("%q is on the page", secret)
		}
	}
	in.LogIn(in.AddViewer())
	if in.Get(fmt.Sprint("/admin/webhooks/", w.ID)).Want(http.StatusOK).Find("#as-yaml").Length() > 0 {
		t.Error("a viewer is shown it")
	}
}

// TestTheShownRequestRuns runs what the pages of webhooks show for curl: it
// changes nothing but the key of one that has none, with which the file that the
// same page shows has nothing to do.
func TestTheShownRequestRuns(t *testing.T) {
	in := newInstallation(t)
	in.AddWebhook(func(w *models.WebhookInput) { w.Key, w.Name = "it-s-python", "Has the key" })
	hooks := []models.Webhook{
		in.AddWebhook(func(w *models.WebhookInput) {
			w.Name, w.TagMode, w.Tags = "It's ${a} \"Python\" $(false)", models.TagsSpecific, []string{"1.0", "go"}
			w.URL, w.URLShown = "http://127.0.0.1:9/hook?a=${b}'c", "http://127.0.0.1:9/hook"
			w.Secrets[0].Set, w.Headers = "a secret of this webhook", []models.Header{{Name: "X-Team", Value: "blue"}}
		}),
		in.AddWebhook(func(w *models.WebhookInput) {
			w.Type, w.Name, w.Events = "slack", "It's Python", []string{"question.created"}
			w.URL, w.URLShown = "https://hooks.slack.com/services/T0/B0/secret", "hooks.slack.com/…cret"
		}),
		in.AddWebhook(func(w *models.WebhookInput) {
			w.Key, w.Name, w.URL, w.URLShown = "path", "Path", "http://127.0.0.1:9/${a}", "http://127.0.0.1:9/${a}"
		}),
	}
	keys := []string{"it-s-a-python-false", "it-s-python-2", "path"}
	environ := []string{
		"IT_S_A_PYTHON_FALSE_URL=http://127.0.0.1:9/hook?a=${b}'c", "IT_S_A_PYTHON_FALSE_SECRET_1=a secret of this webhook", "IT_S_A_PYTHON_FALSE_HEADER_X_TEAM=blue",
		"IT_S_PYTHON_2_URL=https://hooks.slack.com/services/T0/B0/secret",
	}
	for i, w := range hooks {
		page := in.Get(fmt.Sprint("/admin/webhooks/", w.ID)).Want(http.StatusOK)
		if w.Key == "" && !strings.Contains(page.Text("section:has(#co)"), "would create a second webhook") {
			t.Errorf("%s: the page does not say what the file would do", w.Name)
		}
		script := strings.Replace(page.Find("#as-curl").Text(), "http://console.example.com", in.Server.URL, 1) + " --silent --show-error --fail-with-body"
		cmd := exec.CommandContext(t.Context(), "bash", "-c", strings.Replace(script, "\n --silent", " --silent", 1))
		cmd.Env = slices.Concat(environ, []string{"PATH=" + os.Getenv("PATH"), "TOKEN=" + in.token, "NO_PROXY=127.0.0.1", "CURL_HOME=" + t.TempDir()})
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v %s\n%s", w.Name, err, out, script)
			continue
		}
		now, err := in.Store.Webhooks.ByKey(t.Context(), keys[i])
		webtest.OK(t, err)
		was, err := in.Store.Webhooks.Open(w)
		webtest.OK(t, err)
		is, err := in.Store.Webhooks.Open(now)
		webtest.OK(t, err)
		if now.ID != w.ID || now.Name != w.Name || !reflect.DeepEqual(now.Tags, w.Tags) || !reflect.DeepEqual(is, was) {
			t.Errorf("%s became %+v with %+v, was %+v", w.Name, now, is, was)
		}
		if said, err := in.apply(t, page.Find("#as-yaml").Text(), environ); err != nil || !strings.Contains(said, "Nothing to do.") {
			t.Errorf("%s: apply of what the page shows: %v\n%s", w.Name, err, said)
		}
	}
}

// TestAssignKeys gives each webhook a key of its own, made of its name.
func TestAssignKeys(t *testing.T) {
	in := newInstallation(t)
	for _, name := range []string{"Python: Accepted!", "python accepted", "123", "日本"} {
		in.AddWebhook(func(w *models.WebhookInput) { w.Name = name })
	}
	text, _ := in.exported(t, "--assign-keys")
	for _, key := range []string{"python-accepted", "python-accepted-2", "webhook-123", "webhook"} {
		if _, err := in.Store.Webhooks.ByKey(t.Context(), key); err != nil || !strings.Contains(text, "key: "+key+"\n") {
			t.Errorf("%s: %v", key, err)
		}
	}
}
