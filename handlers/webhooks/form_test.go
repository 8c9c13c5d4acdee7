package webhooks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

func TestFormAsTheContractHasIt(t *testing.T) {
	c := webtest.NewConsole(t)
	a := c.Get(webtest.NewForm).Want(http.StatusOK)
	for id, label := range map[string]string{
		"name": "What would you like to name this webhook?", "location": "Which location should be used for this notification?",
		"tags": "Tags", "community": "What community would you like to be notified about?",
		"url": "Where would you like the payload to be sent?", "secret_1": "Signing secret 1", "secret_2": "Signing secret 2",
		"tag_mode-all": "All tags", "tag_mode-specific": "Specific tags", "headers": "Custom headers",
	} {
		if got := a.Text("label[for='" + id + "']"); got != label {
			t.Errorf("%s has the label %q, want %q", id, got, label)
		}
	}
	var legends, activities []string
	for _, node := range a.Find("legend").EachIter() {
		legends = append(legends, node.Text())
	}
	if got := strings.Join(legends, "|"); got != "What activity type would you like to be notified about?|What tags would you like to be notified about?" {
		t.Errorf("legends %s", got)
	}
	for _, node := range a.Find("input[name=events] + label").EachIter() {
		activities = append(activities, node.Text())
	}
	want := []string{"Questions", "Edited questions", "Answers", "Updated answers", "Accepted answers", "Comments"}
	if !slices.Equal(activities[:6], want) {
		t.Errorf("activities %v", activities)
	}
	if do := a.Find("main form [type=submit]").First().AttrOr("value", ""); do != "save" {
		t.Errorf("Enter presses %q", do)
	}
	if _, has := a.Find("main form").Attr("action"); has {
		t.Error("the form posts to another address than its own")
	}
	if got := a.Text(".form-foot"); got != "Create notification Test notification Preview Cancel" {
		t.Errorf("buttons %q", got)
	}
	if got := a.Text("option"); !strings.Contains(got, "Main sitePython wranglersNo community selected") {
		t.Errorf("choices %q", got)
	}
}

func TestSaveNew(t *testing.T) {
	c := webtest.NewConsole(t)
	form := c.Filled("https://api.example.com/soe-hooks/receive?token=1", "location", "python-wranglers", "tag_mode", "specific",
		"tags", " Pandas, python,,PYTHON ", "secret_1", "sixteen-or-more-characters", "headers", "X-Team: data\r\n\r\nX-Key:  two words ", "do", "save")
	form["events"] = []string{"answer.accepted", "question.created"}
	changed := c.Change
	a := c.Post(webtest.NewForm, form).GoesTo("/admin/webhooks")
	if c.Flash(a) != "Created Python Accepted Answers." || c.Change != changed+1 {
		t.Errorf("it says %q and woke the jobs %d times", c.Flash(a), c.Change-changed)
	}
	w := c.Only()
	o := c.Opened(w)
	if !slices.Equal(w.Tags, []string{"pandas", "python"}) || !slices.Equal(w.Events, []string{"question.created", "answer.accepted"}) {
		t.Errorf("stored tags %v, events %v", w.Tags, w.Events)
	}
	if w.Location != "python-wranglers" || w.URLShown != "https://api.example.com/soe-hooks/receive" || w.OwnerName != "Mary Wilkins" {
		t.Errorf("stored %+v", w)
	}
	if o.URL != "https://api.example.com/soe-hooks/receive?token=1" || o.Secrets[0] != "sixteen-or-more-characters" || o.Secrets[1] != "" {
		t.Errorf("sealed %+v", o)
	}
	if !slices.Equal(o.Headers, []models.Header{{Name: "X-Team", Value: "data"}, {Name: "X-Key", Value: "two words"}}) {
		t.Errorf("headers %v", o.Headers)
	}
}

func TestFaultsStandBesideTheirFields(t *testing.T) {
	c := webtest.NewConsole(t)
	long := strings.Repeat("x", 3000)
	for field, values := range map[string][]string{
		"name":      {"", " \t ", "two\nlines", "nul\x00", "\xff\xfe", long},
		"location":  {"", "moon", "\x00"},
		"events":    {"", "question.eaten", "\x00"},
		"tag_mode":  {"some"},
		"tags":      {"", " , ", strings.Repeat("t", 65), "a\x00b", strings.Repeat("tag,", 5000), manyTags()},
		"community": {"nowhere", "\x00"},
		"url": {
			"", "nonsense", "ftp://example.com/", "http://user:pass@example.com/", "http://10.0.0.1/", "http://169.254.169.254/", "https://example.com/\x00", "javascript:alert(1)",
			"https://example.com/" + long,
		},
		"secret_1": {"short", "sixteen-characters-é", long},
		"secret_2": {"short"},
		"headers":  {"X-Team", "X-Team:", "Content-Type: text/plain", "webhook-signature: v1,x", "X Y: z", "X-A: 1\nx-a: 2", "Host: x", "X-A: é", strings.Repeat("X-A: 1\n", 50)},
	} {
		for _, value := range values {
			form := c.Filled("https://example.com/hook", "tag_mode", "specific", "tags", "python", field, value, "do", "save")
			a := c.Post(webtest.NewForm, form).Want(http.StatusUnprocessableEntity)
			at := field
			if field == "tag_mode" {
				at = "tags"
			}
			if a.Text("#"+at+"-err") == "" || a.Find("[role=alert] a").Length() != 1 {
				t.Errorf("%s=%q: %q", field, wording.Cut(value, 40), a.Text("[role=alert]"))
			}
			if field != "events" && field != "tag_mode" && a.Find("#"+field).AttrOr("aria-invalid", "") != "true" {
				t.Errorf("%s=%q is not marked", field, wording.Cut(value, 40))
			}
			if field != "name" && a.Find("#name").AttrOr("value", "") != "Python Accepted Answers" {
				t.Errorf("%s=%q: what was typed is gone", field, wording.Cut(value, 40))
			}
		}
	}
	all, _, err := c.Store.Webhooks.All(t.Context())
	webtest.OK(t, err)
	if len(all) != 0 {
		t.Errorf("%d webhooks were stored", len(all))
	}
	blocked := c.Post(webtest.NewForm, c.Filled("http://10.0.0.1/"))
	if !strings.Contains(blocked.Text("#url-err"), "SITEHOOKS_ALLOW_TARGETS") {
		t.Errorf("a blocked target says %q", blocked.Text("#url-err"))
	}
}

func manyTags() string {
	var tags []string
	for i := range definition.TagsMax + 1 {
		tags = append(tags, fmt.Sprint("t", i))
	}
	return strings.Join(tags, ",")
}

func TestUnknownButton(t *testing.T) {
	c := webtest.NewConsole(t)
	for _, do := range []string{"launch", "generate_3", "clear_0", "undo_3"} {
		c.Post(webtest.NewForm, c.Filled("https://example.com/", "do", do)).Want(http.StatusUnprocessableEntity)
	}
	// A type with one secret has no second one, and what was never saved has
	// nothing to undo: a typed one stays.
	c.Post("/admin/webhooks/new?type=userecho", c.Filled("https://example.com/", "do", "undo_2")).Want(http.StatusUnprocessableEntity)
	form := c.Post(webtest.NewForm, c.Filled("https://example.com/", "do", "undo_1", "secret_1", "typed")).Want(http.StatusOK).Form()
	if form.Get("secret_1") != "typed" {
		t.Errorf("the typed secret became %q", form.Get("secret_1"))
	}
}

func TestGenerateAndClearStoreNothing(t *testing.T) {
	c := webtest.NewConsole(t)
	form := c.Filled("https://example.com/hook", "do", "generate_1")
	a := c.Post(webtest.NewForm, form).Want(http.StatusOK)
	if a.Header.Get("Cache-Control") != "no-store" {
		t.Error("a page with an unsaved secret may be kept")
	}
	form = a.Form()
	secret := form.Get("secret_1")
	if len(secret) != 64 || form.Get("name") != "Python Accepted Answers" || form.Get("secret_2") != "" {
		t.Errorf("the form holds %v", form)
	}
	a = c.Post(webtest.NewForm, webtest.Fill(form, "do", "generate_2")).Want(http.StatusOK)
	form = a.Form()
	if form.Get("secret_1") != secret || len(form.Get("secret_2")) != 64 || form.Get("secret_2") == secret {
		t.Errorf("the form holds %v", form)
	}
	form = c.Post(webtest.NewForm, webtest.Fill(form, "do", "clear_1")).Want(http.StatusOK).Form()
	if form.Get("secret_1") != "" || form.Get("secret_2") == "" {
		t.Errorf("the form holds %v", form)
	}
	if all, _, _ := c.Store.Webhooks.All(t.Context()); len(all) != 0 {
		t.Error("something was stored")
	}
	// A refused form keeps the secret that was typed.
	refused := c.Post(webtest.NewForm, webtest.Fill(form, "name", "", "do", "save")).Want(http.StatusUnprocessableEntity)
	if refused.Form().Get("secret_2") != form.Get("secret_2") {
		t.Error("the unsaved secret is gone")
	}
}

func TestSavedSecretsNeverComeBack(t *testing.T) {
	c := webtest.NewConsole(t)
	const secret, key, token = "a-secret-nobody-may-see", "header-value-nobody-may-see", "query-secret"
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.Secrets[0].Set = secret
		in.Headers = []models.Header{{Name: "X-Key", Value: key}}
	})
	c.Exec("update webhooks set secret_1_used_at = ? where id = ?", time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC), w.ID)
	edit := c.Get(webtest.EditPath(w)).Want(http.StatusOK)
	if got := edit.Text("#secret_1-help"); got != "Set on "+time.Now().UTC().Format("Jan 2, 2006")+", last signed with May 4, 2026. Leave this empty to keep it." {
		t.Errorf("the secret's line says %q", got)
	}
	if got := c.Get(webhooks.WebhookPath(w.ID)).Text("dt:contains('Signing secret 1') + dd"); !strings.Contains(got, ", last signed with ") || strings.Contains(got, "used") {
		t.Errorf("the webhook's page says %q", got)
	}
	pages := []*webtest.Answer{edit, c.Get("/admin/webhooks"), c.Get(webhooks.WebhookPath(w.ID)), c.Get(webhooks.WebhookPath(w.ID) + "/delete")}
	for _, do := range []string{"test", "preview", "generate_2", "clear_1", "save"} {
		pages = append(pages, c.Post(webtest.EditPath(w), webtest.Fill(edit.Form(), "do", do, "name", "")))
	}
	for _, page := range pages {
		if strings.Contains(page.Body, secret) || strings.Contains(page.Body, key) {
			t.Errorf("a saved secret comes back: %s", page.Text("h1"))
		}
	}
	for _, page := range pages[1:4] {
		if strings.Contains(page.Body, token) {
			t.Errorf("the URL's query is shown: %s", page.Text("h1"))
		}
	}
	if edit.Form().Get("headers") != "X-Key:" || !strings.Contains(edit.Form().Get("url"), token) {
		t.Errorf("the form holds %v", edit.Form())
	}
}

func TestEditKeepsReplacesAndRemovesSecrets(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.Secrets[0].Set, in.Secrets[1].Set = "the-first-secret-1", "the-second-secret-2"
		in.Headers = []models.Header{{Name: "X-A", Value: "1"}, {Name: "X-B", Value: "2"}}
	})
	form := c.Get(webtest.EditPath(w)).Form()
	c.Post(webtest.EditPath(w), webtest.Fill(form, "name", "Renamed", "do", "save")).GoesTo("/admin/webhooks")
	w = c.Only()
	if o := c.Opened(w); w.Name != "Renamed" || o.Secrets != [2]string{"the-first-secret-1", "the-second-secret-2"} || len(o.Headers) != 2 {
		t.Fatalf("stored %q, %+v", w.Name, o)
	}

	a := c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "do", "clear_1")).Want(http.StatusOK)
	if !strings.Contains(a.Text("#secret_1-help"), "Removed on save.") {
		t.Errorf("the secret's line says %q", a.Text("#secret_1-help"))
	}
	if c.Opened(c.Only()).Secrets[0] == "" {
		t.Fatal("the secret was removed before the save")
	}
	form = webtest.Fill(a.Form(), "secret_2", "another-second-secret", "headers", "X-B:\nX-C: 3", "do", "save", "swapping", "1")
	c.Post(webtest.EditPath(w), form).GoesTo("/admin/webhooks")
	o := c.Opened(c.Only())
	if o.Secrets != [2]string{"", "another-second-secret"} || !slices.Equal(o.Headers, []models.Header{{Name: "X-B", Value: "2"}, {Name: "X-C", Value: "3"}}) {
		t.Errorf("sealed %+v", o)
	}

	// Undo after Clear: the saved one is kept.
	w = c.Only()
	before := c.Stored()
	a = c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "name", "Typed", "do", "clear_2")).Want(http.StatusOK)
	if first := a.Find("main button").First().AttrOr("value", ""); a.Text("button[value=undo_2]") != "Undo" || first != "save" {
		t.Errorf("beside the removed secret stands %q; Enter presses %q", a.Text("button[value=undo_2]"), first)
	}
	for _, typed := range []string{"", "typed-after-the-removal"} {
		undone := c.Post(webtest.EditPath(w), webtest.Fill(a.Form(), "secret_2", typed, "do", "undo_2")).Want(http.StatusOK)
		if help := undone.Text("#secret_2-help"); !strings.HasPrefix(help, "Set on ") || undone.Find("button[value=undo_2], [name=remove_2]").Length() > 0 {
			t.Errorf("after Undo the secret's line says %q", help)
		}
		form = undone.Form()
		if form.Get("secret_2") != "" || form.Get("name") != "Typed" {
			t.Errorf("after Undo the form holds %v", form)
		}
	}
	if after := c.Stored(); after != before {
		t.Errorf("Clear and Undo stored something: %s", webtest.Difference(before, after))
	}
	c.Post(webtest.EditPath(w), webtest.Fill(form, "do", "save")).GoesTo("/admin/webhooks")
	if w = c.Only(); c.Opened(w).Secrets[1] != "another-second-secret" || w.Name != "Typed" {
		t.Errorf("after Undo and a save: %q, %q", w.Name, c.Opened(w).Secrets[1])
	}

	// Generate after Clear: the new one is saved, not the removal.
	w = c.Only()
	form = c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "do", "clear_2")).Form()
	form = c.Post(webtest.EditPath(w), webtest.Fill(form, "do", "generate_2")).Form()
	c.Post(webtest.EditPath(w), webtest.Fill(form, "do", "save")).GoesTo("/admin/webhooks")
	if got := c.Opened(c.Only()).Secrets[1]; got != form.Get("secret_2") || len(got) != 64 {
		t.Errorf("sealed %q", got)
	}
}

func TestSecretsStayBehindWhenTheURLMoves(t *testing.T) {
	c := webtest.NewConsole(t)
	r := webtest.NewReceiver(t)
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.URL = "http://127.0.0.1:9/hook"
		in.Secrets[0].Set, in.Secrets[1].Set = "the-first-secret-1", "the-second-secret-2"
		in.Headers = []models.Header{{Name: "X-Key", Value: "header-value"}, {Name: "X-Team", Value: "data"}}
	})
	for do, status := range map[string]int{"save": http.StatusUnprocessableEntity, "test": http.StatusOK, "preview": http.StatusOK} {
		a := c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "url", r.URL+"/hook", "do", do)).Want(status)
		for _, field := range []string{"secret_1", "secret_2", "headers"} {
			if !strings.Contains(a.Text("#"+field+"-err"), "is on another host") {
				t.Errorf("%s: no fault at %s", do, field)
			}
		}
		if text := a.Text("#headers-err"); !strings.HasSuffix(text, "Enter them again: X-Key and X-Team.") {
			t.Errorf("%s: it says %q", do, text)
		}
		if strings.Contains(a.Body, "webhook-signature") {
			t.Errorf("%s signs for another host", do)
		}
	}
	if n := len(r.Requests()); n != 0 {
		t.Fatalf("%d requests were sent", n)
	}
	form := c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "do", "clear_1")).Form()
	c.Post(webtest.EditPath(w), webtest.Fill(form, "url", r.URL, "secret_2", "entered-anew-once-more", "headers", "X-Key: anew", "do", "save")).GoesTo("/admin/webhooks")
	if o := c.Opened(c.Only()); o.Secrets != [2]string{"", "entered-anew-once-more"} || o.Headers[0].Value != "anew" {
		t.Errorf("sealed %+v", o)
	}
	// The same host and port: nothing has to be entered again.
	w = c.Only()
	c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "url", r.URL+"/other?x=y", "do", "save")).GoesTo("/admin/webhooks")
}

func TestStaleFormIsRefused(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	mine, theirs := c.Get(webtest.EditPath(w)).Form(), c.Get(webtest.EditPath(w)).Form()
	c.Post(webtest.EditPath(w), webtest.Fill(theirs, "name", "Theirs", "do", "save")).GoesTo("/admin/webhooks")
	a := c.Post(webtest.EditPath(w), webtest.Fill(mine, "name", "Mine", "do", "save")).Want(http.StatusUnprocessableEntity)
	if text := a.Text("[role=alert]"); !strings.Contains(text, "changed by Mary Wilkins") || strings.Contains(text, "Correct") || a.Form().Get("name") != "Mine" {
		t.Errorf("it says %q", a.Text("[role=alert]"))
	}
	if c.Only().Name != "Theirs" {
		t.Error("it was stored")
	}
	c.Post(webtest.EditPath(w), webtest.Fill(mine, "updated_at", "yesterday", "do", "save")).Want(http.StatusUnprocessableEntity)
	webtest.OK(t, func() error { _, err := c.Store.Webhooks.Delete(t.Context(), c.Admin.Actor(), w.ID); return err }())
	c.Post(webtest.EditPath(w), webtest.Fill(mine, "do", "save")).Want(http.StatusNotFound)
}

func TestMoveToAnotherLocationAsksAboutWhatWaits(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	for range 3 {
		c.AddDelivery(w)
	}
	a := c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "location", "python-wranglers", "do", "save")).Want(http.StatusUnprocessableEntity)
	if !strings.Contains(a.Text("#location-err"), "3 notifications that wait to be sent") {
		t.Errorf("it says %q", a.Text("#location-err"))
	}
	if n, _ := c.Store.Webhooks.Waiting(t.Context(), w.ID); n != 3 {
		t.Errorf("%d wait", n)
	}
	c.Post(webtest.EditPath(w), webtest.Fill(a.Form(), "do", "save")).GoesTo("/admin/webhooks")
	if n, _ := c.Store.Webhooks.Waiting(t.Context(), w.ID); n != 0 || c.Only().Location != "python-wranglers" {
		t.Errorf("%d wait", n)
	}
}

func TestTestNotification(t *testing.T) {
	c := webtest.NewConsole(t)
	r := webtest.NewReceiver(t)
	const secret = "fce393f66e03f7cbd31966ab9412e057"
	form := c.Filled(r.URL+"/hook?token=abc", "secret_1", secret, "headers", "X-Team: data-value", "do", "test")
	form["events"] = []string{"question.created", "comment.created"}
	a := c.Post(webtest.NewForm, form).Want(http.StatusOK)
	got := r.Requests()
	if len(got) != 1 {
		t.Fatalf("%d requests", len(got))
	}
	hook, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	webtest.OK(t, err)
	webtest.OK(t, hook.Verify([]byte(got[0].Body), got[0].Header))
	var body map[string][]map[string]any
	webtest.OK(t, json.Unmarshal([]byte(got[0].Body), &body))
	if len(body["questions"]) != 1 || len(body["answers"]) != 0 || len(body["comments"]) != 1 {
		t.Errorf("sent %s", got[0].Body)
	}
	if got[0].Header.Get("X-Team") != "data-value" || got[0].Header.Get("webhook-test") != "true" {
		t.Errorf("headers %v", got[0].Header)
	}
	side := a.Text(".form-side")
	for _, want := range []string{"Test arrived", "200 OK", "thank you", "X-Receiver: test", "webhook-id", r.URL + "/hook"} {
		if !strings.Contains(side, want) {
			t.Errorf("the page does not show %q: %s", want, side)
		}
	}
	if strings.Contains(side, "data-value") || strings.Contains(side, "token=abc") || a.Form().Get("secret_1") != secret {
		t.Errorf("the page shows %s", side)
	}
	r.Answers(http.StatusGone)
	if side = c.Post(webtest.NewForm, form).Want(http.StatusOK).Text(".form-side"); !strings.Contains(side, "Test failed410 Gone") || !strings.Contains(side, "What to do:") {
		t.Errorf("the page shows %s", side)
	}
	if all, _, _ := c.Store.Webhooks.All(t.Context()); len(all) != 0 {
		t.Error("a test stored something")
	}
	if bad := c.Post(webtest.NewForm, webtest.Fill(form, "name", "")).Want(http.StatusOK); !strings.Contains(bad.Text("[role=alert]"), "No test was sent.") || len(r.Requests()) != 2 {
		t.Errorf("it says %q", bad.Text("[role=alert]"))
	}
	r.Close()
	if side = c.Post(webtest.NewForm, webtest.Fill(form, "name", "Gone")).Want(http.StatusOK).Text(".form-side"); !strings.Contains(side, "Test failedrefused") {
		t.Errorf("the page shows %s", side)
	}
}

func TestSavedSecretsSignTheTest(t *testing.T) {
	c := webtest.NewConsole(t)
	r := webtest.NewReceiver(t)
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.URL = r.URL
		in.Secrets[1].Set = "the-second-secret-2"
		in.Headers = []models.Header{{Name: "X-Key", Value: "saved-value"}}
	})
	c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "do", "test")).Want(http.StatusOK)
	got := r.Requests()[0]
	hook, err := standardwebhooks.NewWebhookRaw([]byte("the-second-secret-2"))
	webtest.OK(t, err)
	webtest.OK(t, hook.Verify([]byte(got.Body), got.Header))
	if got.Header.Get("X-Key") != "saved-value" {
		t.Errorf("headers %v", got.Header)
	}
}

func TestSavingABrokenWebhookTriesIt(t *testing.T) {
	c := webtest.NewConsole(t)
	r := webtest.NewReceiver(t)
	w := c.AddWebhook(func(in *models.WebhookInput) { in.URL = r.URL })
	c.AddDelivery(w)
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))
	r.Answers(http.StatusBadGateway)
	a := c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "name", "Mended", "do", "save")).GoesTo("/admin/webhooks")
	if text := c.Flash(a); !strings.Contains(text, "stays broken") || !strings.Contains(text, "502 Bad Gateway") {
		t.Errorf("it says %q", text)
	}
	if w = c.Only(); w.State != models.WebhookBroken || w.Name != "Mended" {
		t.Errorf("%s is %s", w.Name, w.State)
	}
	r.Answers(http.StatusNoContent)
	a = c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "do", "save")).GoesTo("/admin/webhooks")
	if text := c.Flash(a); !strings.Contains(text, "active again and sends the 1 held") {
		t.Errorf("it says %q", text)
	}
	if text := c.Get(webhooks.WebhookPath(w.ID)).Text("[aria-labelledby=sh] tbody tr"); !strings.Contains(text, "Active A test arrived") {
		t.Errorf("the history says %q", text)
	}
	if w = c.Only(); w.StateReason != "" || w.State != models.WebhookActive || len(r.Requests()) != 2 {
		t.Errorf("%s after %d tests", w.State, len(r.Requests()))
	}
}

func TestTwoEqualSecretsAreRefused(t *testing.T) {
	c := webtest.NewConsole(t)
	const one, two = "the-first-secret-1", "the-second-secret-2"
	a := c.Post(webtest.NewForm, c.Filled("https://example.com/", "secret_1", one, "secret_2", one, "do", "save")).Want(http.StatusUnprocessableEntity)
	if text := a.Text("#secret_2-err"); !strings.Contains(text, "the same as secret 1") || a.Text("#secret_1-err") != "" {
		t.Errorf("it says %q", text)
	}
	w := c.AddWebhook(func(in *models.WebhookInput) { in.Secrets[0].Set, in.Secrets[1].Set = one, two })
	c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "secret_2", one, "do", "save")).Want(http.StatusUnprocessableEntity)
	c.Post(webtest.EditPath(w), webtest.Fill(c.Get(webtest.EditPath(w)).Form(), "name", "Other", "do", "save")).GoesTo("/admin/webhooks")
}

func TestDuplicate(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.Secrets[0].Set = "a-secret-nobody-may-see"
		in.TagMode, in.Tags = models.TagsSpecific, []string{"go", "python"}
		in.Headers = []models.Header{{Name: "X-Key", Value: "header-value"}}
	})
	at := webhooks.WebhookPath(w.ID) + "/duplicate"
	to := c.Get(at).Want(http.StatusSeeOther).Header.Get("Location")
	a := c.Get(to).Want(http.StatusOK)
	form := a.Form()
	if form.Get("name") != "Copy of "+w.Name || form.Get("tags") != "go, python" || form.Get("secret_1") != "" || form.Get("headers") != "X-Key:" || form.Has("updated_at") {
		t.Errorf("the form holds %v", form)
	}
	if text := a.Text(".form-fields .s-notice"); !strings.Contains(text, "It is created paused") || !strings.Contains(text, "Secrets and header values are not copied") {
		t.Errorf("it says %q", text)
	}
	a = c.Post(to, webtest.Fill(form, "do", "save")).Want(http.StatusUnprocessableEntity) // the header has no value
	if text := a.Text(".form-fields .s-notice__info"); !strings.Contains(text, "It is created paused") {
		t.Errorf("after a fault it says %q", text)
	}
	c.Post(to, webtest.Fill(form, "headers", "", "do", "save")).GoesTo("/admin/webhooks")
	all, _, err := c.Store.Webhooks.All(t.Context())
	webtest.OK(t, err)
	if len(all) != 2 || all[1].Secret1 != "" || all[1].Headers != "" || all[1].State != models.WebhookStopped || all[0].State != models.WebhookActive {
		t.Errorf("stored %+v", all)
	}
	versions, err := c.Store.Webhooks.History(t.Context(), models.AllLocations(), all[1].ID, 5)
	webtest.OK(t, err)
	if len(versions) != 1 || versions[0].State != models.WebhookStopped {
		t.Errorf("the history says %+v", versions)
	}
	if text := c.Get(webhooks.WebhookPath(all[1].ID)).Want(http.StatusOK).Text("main"); !strings.Contains(text, "Paused") || !strings.Contains(text, "Created") {
		t.Errorf("its page says %q", text)
	}
	c.Get("/admin/webhooks/new?type=generic&from=99").Want(http.StatusNotFound)
}

// TestDuplicateAsAnotherType: sealed values of a type cannot be read in the
// form of another type.
func TestDuplicateAsAnotherType(t *testing.T) {
	c := webtest.NewConsole(t)
	const address = "https://hooks.slack.com/services/T0123ABCD/B0123ABCD/x9QkSecretOfSlack"
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.Type, in.URL, in.URLShown = "slack", address, "hooks.slack.com · …lack"
	})
	from := "&from=" + web.FormatID(w.ID)
	for _, f := range wire.Formats() {
		want := http.StatusNotFound
		if f.Name == w.Type {
			want = http.StatusOK
		}
		if a := c.Get("/admin/webhooks/new?type=" + f.Name + from).Want(want); strings.Contains(a.Body, "T0123ABCD") {
			t.Errorf("the form of %s shows the address", f.Name)
		}
	}
	c.Get("/admin/webhooks/new?type=" + from).Want(http.StatusNotFound)
}

// TestChoicesOfATypesOwnField: a value that its list does not have is refused
// beside the field.
func TestChoicesOfATypesOwnField(t *testing.T) {
	c := webtest.NewConsole(t)
	const path = "/admin/webhooks/new?type=userecho"
	form := webtest.Fill(c.Get(path).Want(http.StatusOK).Form(), "name", "Topics", "events", "topic_created", "url", "https://example.com/hook", "do", "save")
	a := c.Post(path, webtest.Fill(form, "option_digest", "md5")).Want(http.StatusUnprocessableEntity)
	if got := a.Text("#option_digest-err"); got != "Choose a value from the list." {
		t.Errorf("it says %q: %s", got, a.Text("[role=alert]"))
	}
}
