package webhooks_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// step is one button of the page, with the fields that a browser without scripts
// sends along.
func step(c *webtest.Console, w models.Webhook, do string, pairs ...string) *webtest.Answer {
	path := webhooks.WebhookPath(w.ID) + "/rotate"
	form := url.Values{"do": {do}}
	page := c.Get(path).Want(http.StatusOK)
	for _, name := range []string{"updated_at", "number"} {
		form.Set(name, page.Find("form:has(button[value="+do+"]) input[name="+name+"]").AttrOr("value", ""))
	}
	return c.Post(path, webtest.Fill(form, pairs...))
}

// TestRotateWithTwoSecrets: the new secret is added beside the old one, tested
// alone, and then the old one is removed; no step can be taken out of turn.
func TestRotateWithTwoSecrets(t *testing.T) {
	c := webtest.NewConsole(t)
	receiver := webtest.NewReceiver(t)
	for _, kind := range []string{"generic", "stackauth"} {
		t.Run(kind, func(t *testing.T) {
			old := map[string]string{"generic": "an-old-secret-of-32-characters-x", "stackauth": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}[kind]
			w := c.AddWebhook(func(in *models.WebhookInput) {
				in.Type, in.URL, in.URLShown = kind, receiver.URL, receiver.URL
				in.Events = []string{"question.created"}
				in.Secrets[0].Set = old
			})
			step(c, w, "remove").Want(http.StatusUnprocessableEntity)
			added := step(c, w, "add").Want(http.StatusOK)
			plain := strings.TrimSpace(added.Text("#new-secret"))
			if opened := c.Opened(c.Reload(w)); opened.Secrets != [2]string{old, plain} || plain == "" {
				t.Fatalf("secrets %q, shown %q", opened.Secrets, plain)
			}
			if page := c.Get(webhooks.WebhookPath(w.ID) + "/rotate"); strings.Contains(page.Body, plain) {
				t.Error("the new secret is shown again")
			}
			step(c, w, "add").Want(http.StatusUnprocessableEntity)
			before := len(receiver.Requests())
			tested := step(c, w, "test").Want(http.StatusOK)
			request := receiver.Requests()[before]
			if !strings.Contains(tested.Text(".test-result"), "Test arrived") {
				t.Errorf("the test: %s", tested.Text("main"))
			}
			signature := request.Header.Get("webhook-signature") + request.Header.Get("svix-signature")
			if n := len(strings.Fields(signature)); n != 1 {
				t.Errorf("the test has %d signatures: %q", n, signature)
			}
			step(c, w, "remove", "number", "2").Want(http.StatusUnprocessableEntity)
			step(c, w, "remove").GoesTo(webhooks.WebhookPath(w.ID))
			if opened := c.Opened(c.Reload(w)); opened.Secrets != [2]string{"", plain} {
				t.Errorf("left: %q", opened.Secrets)
			}
			step(c, w, "remove").Want(http.StatusUnprocessableEntity)
			// The next change goes into the free place.
			next := strings.TrimSpace(step(c, w, "add").Want(http.StatusOK).Text("#new-secret"))
			if opened := c.Opened(c.Reload(w)); opened.Secrets != [2]string{next, plain} {
				t.Errorf("the next one: %q", opened.Secrets)
			}
			step(c, w, "remove").GoesTo(webhooks.WebhookPath(w.ID))
			if opened := c.Opened(c.Reload(w)); opened.Secrets != [2]string{next, ""} {
				t.Errorf("after the next one: %q", opened.Secrets)
			}
		})
	}
}

// TestRotateSaysWhichSecretIsNewer in every state: none, one, two of which one was
// set later, and two that were set by one save, where no one can tell.
func TestRotateSaysWhichSecretIsNewer(t *testing.T) {
	c := webtest.NewConsole(t)
	receiver := webtest.NewReceiver(t)
	w := c.AddSecretWebhook() // sets both at once
	c.Exec("update webhooks set secret_2_set_at = secret_1_set_at")
	path := webhooks.WebhookPath(w.ID) + "/rotate"
	headings := func(a *webtest.Answer) string {
		var list []string
		for _, h := range a.Find("main section.sec > h2").EachIter() {
			list = append(list, webtest.Words(h))
		}
		return strings.Join(list, " | ")
	}
	says := func(when string, a *webtest.Answer, heads string, sentences ...string) {
		t.Helper()
		if got := headings(a); got != heads {
			t.Errorf("%s: the steps are %s", when, got)
		}
		webtest.Says(t, when, a.Text("main"), sentences...)
	}
	press := func(do, number string) *webtest.Answer {
		return c.Post(path, url.Values{"do": {do}, "number": {number}, "updated_at": {c.Get(path).Find("input[name=updated_at]").AttrOr("value", "")}})
	}
	says("two of one save", c.Get(path), "Remove one of the two secrets", "It is not known which of the two is newer", "Test with signing secret 2 alone")
	if a := press("add", ""); !strings.Contains(a.Want(http.StatusUnprocessableEntity).Text("[role=alert]"), "Remove one first.") {
		t.Errorf("a third: %s", a.Text("main"))
	}
	tested := press("test", "1").Want(http.StatusOK)
	says("a test of one of two", tested, "Remove one of the two secrets", "With signing secret 1:")
	press("remove", "2").GoesTo(webhooks.WebhookPath(w.ID))
	says("one", c.Get(path), "1. Add a new secret beside the old one | Test the receiver with the present secret",
		"signed with signing secret 1. Nothing is recorded.")
	steps := "1. Add a new secret: done | 2. Enter the newer secret at the receiver | 3. Test the receiver with the newer secret alone | 4. Remove the older secret"
	says("two", press("add", "").Want(http.StatusOK), steps, "The newer one is signing secret 2, set", "signed with signing secret 2 and not with signing secret 1",
		"A 200 shows only that the receiver answered: look there that it verified the signature.", "Remove signing secret 1")
	// Years later, or set the other way round, it is the same.
	c.Exec("update webhooks set secret_2_set_at = '2020-01-01 00:00:00+00:00'")
	says("the first is newer", c.Get(path), steps, "The newer one is signing secret 1, set", "Remove signing secret 2")
	press("remove", "1").Want(http.StatusUnprocessableEntity)
	a := press("remove", "2").GoesTo(webhooks.WebhookPath(w.ID))
	if text := c.Flash(a); !strings.Contains(text, "Removed signing secret 2 of") || !strings.Contains(text, "Only signing secret 1 signs now.") {
		t.Errorf("it says %q", text)
	}
	bare := c.AddWebhook(func(in *models.WebhookInput) { in.URL, in.URLShown = receiver.URL, receiver.URL })
	path = webhooks.WebhookPath(bare.ID) + "/rotate"
	says("none", c.Get(path), "Add a secret", "No secret is set")
	says("the first one", press("add", "").Want(http.StatusOK), "Add a secret: done | Test the receiver with the present secret", "Enter it at the receiver.")
}

// TestRotateWithOneSecret: the page says that receiver and console change at the
// same moment, pauses meanwhile when asked to, and resumes.
func TestRotateWithOneSecret(t *testing.T) {
	c := webtest.NewConsole(t)
	receiver := webtest.NewReceiver(t)
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.Type, in.URL, in.URLShown, in.Events = "userecho", receiver.URL, receiver.URL, []string{"topic.created"}
		in.Secrets[0].Set = "the old key"
	})
	page := c.Get(webhooks.WebhookPath(w.ID) + "/rotate").Want(http.StatusOK)
	if text := page.Text("main"); !strings.Contains(text, "the receiver and this console change at the same moment") || !strings.Contains(text, "Pause the webhook until the receiver has the new secret") {
		t.Errorf("the page: %s", text)
	}
	if a := step(c, w, "add", "secret", "the old key").Want(http.StatusUnprocessableEntity); a.Text("#secret-err") == "" || c.Reload(w).State != models.WebhookActive {
		t.Errorf("the same secret again: %s", a.Text("main"))
	}
	// Somebody saved it since the page was opened: nothing is done, so it is not paused either.
	late := c.Post(webhooks.WebhookPath(w.ID)+"/rotate", url.Values{"do": {"add"}, "secret": {"the new key"}, "pause": {"1"}, "updated_at": {"2020-01-01T00:00:00Z"}})
	if late.Want(http.StatusUnprocessableEntity).Text("[role=alert]") == "" || c.Reload(w).State != models.WebhookActive || c.Opened(c.Reload(w)).Secrets[0] != "the old key" {
		t.Errorf("refused, and the webhook is %s: %s", c.Reload(w).State, late.Text("main"))
	}
	added := step(c, w, "add", "secret", "the new key", "pause", "1").Want(http.StatusOK)
	w = c.Reload(w)
	if c.Opened(w).Secrets != [2]string{"the new key"} || w.State != models.WebhookStopped || added.Text("#new-secret") != "the new key" {
		t.Errorf("after the change: %+v, %s", w, added.Text("main"))
	}
	step(c, w, "test").Want(http.StatusOK)
	step(c, w, "remove").Want(http.StatusUnprocessableEntity)
	if added.Find(`form[action$="/resume"] button`).Length() != 1 {
		t.Error("it does not offer to resume")
	}
	// Somebody else saved meanwhile.
	conflict := c.Post(webhooks.WebhookPath(w.ID)+"/rotate", url.Values{"do": {"add"}, "updated_at": {"2020-01-01T00:00:00Z"}}).Want(http.StatusUnprocessableEntity)
	if !strings.Contains(conflict.Text("[role=alert]"), "changed by") || c.Opened(c.Reload(w)).Secrets[0] != "the new key" {
		t.Errorf("a conflict: %s", conflict.Text("main"))
	}
	slack := c.AddWebhook(func(in *models.WebhookInput) { in.Type = "slack" })
	c.Get(webhooks.WebhookPath(slack.ID) + "/rotate").Want(http.StatusNotFound)
}

// TestReplacingOneSecretAndRemovingTheOtherAsks: a save after which the receiver
// knows no secret that signs is asked about once.
func TestReplacingOneSecretAndRemovingTheOtherAsks(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddSecretWebhook()
	form := c.Get(webtest.EditPath(w)).Form()
	form.Set("do", "save")
	form.Set("secret_1", "another-secret-of-32-characters-x")
	form.Set("remove_2", "1")
	a := c.Post(webtest.EditPath(w), form).Want(http.StatusUnprocessableEntity)
	if !strings.Contains(a.Text("#secret_1-err"), "use Rotate") || c.Opened(c.Reload(w)).Secrets != [2]string{webtest.FirstSecret, webtest.SecondSecret} {
		t.Fatalf("it does not ask: %s", a.Text("main"))
	}
	again := a.Form()
	again.Set("do", "save")
	c.Post(webtest.EditPath(w), again).Want(http.StatusSeeOther)
	if got := c.Opened(c.Reload(w)).Secrets; got != [2]string{"another-secret-of-32-characters-x", ""} {
		t.Errorf("saved: %q", got)
	}
	// One secret alone is replaced, or removed, without a question.
	form = c.Get(webtest.EditPath(w)).Form()
	form.Set("do", "save")
	form.Set("secret_1", "a-third-secret-of-32-characters-xx")
	c.Post(webtest.EditPath(w), form).Want(http.StatusSeeOther)
}
