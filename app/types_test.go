package app_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	svix "github.com/svix/svix-webhooks/go"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// TestOneEventInFiveWireFormats: one acceptance reaches a webhook of every
// type, each in its own words and signed its own way.
func TestOneEventInFiveWireFormats(t *testing.T) {
	const event = `{"id":"accepted","type":"answer.accepted","occurred_at":"2026-11-20T10:00:00.5Z","actor":{"user_id":42,"display_name":"J Marshall"},
		"question":{"question_id":12,"title":"Tea & <biscuits>","link":"https://site.example/questions/12/tea","tags":["tea"]},
		"answer":{"answer_id":21,"body":"<p>Both.</p>","is_accepted":true,"owner":{"user_id":7,"display_name":"Mary"}}}`
	said := map[string][]string{
		"generic":     {`{"questions":[],"answers":[{`, `"answer_id":21`, `"title":"Tea & <biscuits>"`, `"type":"answer accepted"`, `"comments":[]}`},
		"slack":       {`*J Marshall* accepted an answer by *Mary* on the main site`, `<https://site.example/questions/12/tea/21#21|Tea &amp; &lt;biscuits&gt;>`},
		"stackauth":   {`{"type":"answer.accepted","data":{`, `"answer_id":21`, `"is_accepted":true`},
		"userecho":    {`{"hook":"comment.accepted","created":"2026-11-20T10:00:00.500Z","data":{"id":21,"topic_id":12,`, `"name":"Mary"`},
		"superoffice": {`"Changes":["is_accepted"],"Event":"answer.changed","PrimaryKey":21,"Entity":"answer"`, `"ChangedByAssociateId":42,"WebhookName":"To superoffice"`, `"FieldValues":{"owner":{"user_id":7`, `,"source":"forum"}`},
	}
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		hook, trust := apptest.NewTypesReceiver(t)
		in := apptest.Serve(t, apptest.Environment(t, kind), trust)
		b := in.Login()
		b.Quick()
		for _, name := range apptest.TypeNames {
			form := apptest.TypeForm(name, hook.URL)
			if name == "superoffice" {
				form.Set("option_properties", `{"source": "forum"}`)
			}
			b.CreateType(name, form)
		}
		in.Accept(event)
		apptest.Eventually(t, "five deliveries", func() bool { return len(hook.Got()) >= len(apptest.TypeNames) })
		for _, name := range apptest.TypeNames {
			got := hook.Of(name)
			if len(got) != 1 {
				t.Errorf("%s got %d requests", name, len(got))
				continue
			}
			if err := apptest.VerifyType(name, got[0]); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if name != "slack" && apptest.VerifyType(name, apptest.Delivered{Header: got[0].Header, Body: append([]byte(" "), got[0].Body...)}) == nil {
				t.Errorf("%s: the signature holds for another body", name)
			}
			for _, want := range said[name] {
				if !strings.Contains(string(got[0].Body), want) {
					t.Errorf("%s lacks %s\n%s", name, want, got[0].Body)
				}
			}
		}
	})
}

// TestFaultsOfEachTypeInTheForm: a value that a type cannot use is refused
// beside the field, alone, and nothing is stored or sent.
func TestFaultsOfEachTypeInTheForm(t *testing.T) {
	hook, trust := apptest.NewTypesReceiver(t)
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"), trust)
	b := in.Login()
	b.Quick()
	const (
		unknown   = "“question.burnt” is no"
		keyLength = "Use 1 to 256 characters on one line."
	)
	type fault struct{ name, field, value, says string }
	faults := []fault{
		{"superoffice", "url", strings.Replace(hook.URL, "https:", "http:", 1), "This type sends to https addresses only."},
		{"generic", "secret_1", "fifteen letters", "Use 16 to 256 printable ASCII characters."},
		{"generic", "secret_2", strings.Repeat("x", 257), "Use 16 to 256 printable ASCII characters."},
		{"stackauth", "secret_1", "whsec_c2hvcnQ=", "Use 24 to 75 bytes in base64"},
		{"stackauth", "secret_2", "whsec_" + strings.Repeat("AAAA", 26), "Use 24 to 75 bytes in base64"},
		{"userecho", "secret_1", strings.Repeat("x", 257), keyLength},
		{"userecho", "option_digest", "md5", "Choose a value from the list."},
		{"superoffice", "secret_1", strings.Repeat("é", 257), keyLength},
		// One named as a part of the message is no fault: it is left out.
		{"superoffice", "option_properties", `["forum"]`, "Enter a JSON object such as"},
		{"superoffice", "option_properties", `{"a":1,"a":2}`, "appears twice"},
		{"superoffice", "option_properties", `{"eventid": "mine"}`, "“eventid” is a key of every message"},
	}
	for _, name := range apptest.TypeNames {
		faults = append(faults, fault{name, "events", "question.burnt", unknown})
		for _, header := range []string{"webhook-signature", "Svix-Signature", "X-UE-Signature", "x-superoffice-signature", "Content-Type"} {
			faults = append(faults, fault{name, "headers", header + ": mine", "is set by Sitehooks and cannot be changed."})
		}
	}
	for _, f := range faults {
		t.Run(f.name+" "+f.field+" "+f.value[:min(20, len(f.value))], func(t *testing.T) {
			form := apptest.TypeForm(f.name, hook.URL)
			form.Set(f.field, f.value)
			refused(t, b.Post("/admin/webhooks/new?type="+f.name, form), f.field, f.says)
		})
	}
	if list := b.Get("/admin/webhooks"); list.Code != http.StatusOK || strings.Contains(list.Body, "To ") {
		t.Errorf("something was stored: %d %s", list.Code, list.Body)
	}
	if got := hook.Got(); len(got) > 0 {
		t.Errorf("%d requests were sent", len(got))
	}
	b.CreateType("superoffice", apptest.TypeForm("superoffice", hook.URL)) // without its fault the same form is saved
}

// refused wants one fault alone, beside its field.
func refused(t *testing.T, a apptest.Answer, field, says string) {
	t.Helper()
	page := html.UnescapeString(a.Body)
	_, beside, _ := strings.Cut(page, fmt.Sprintf(`id="%s-err">`, field))
	beside, _, _ = strings.Cut(beside, "</p>")
	if a.Code != http.StatusUnprocessableEntity || !strings.Contains(beside, says) {
		t.Errorf("%d, beside %s: %q, want %q", a.Code, field, beside, says)
	}
	if !strings.Contains(page, "<b>Nothing was saved. Correct 1 field:</b>") {
		t.Error("the page does not say that one field is to be corrected")
	}
}

// TestCommentsOfAForumReachOnlyTheForumsType: a Q&A site and a feedback forum
// report comment.created. Of the types that offer Comments only UserEcho's means
// both, and dispatch, explanation and preview say so alike.
func TestCommentsOfAForumReachOnlyTheForumsType(t *testing.T) {
	const ofForum = `{"id":"of-the-forum","type":"comment.created","subject":"77","data":{"id":77,"topic_id":5,"comment":"Please add this."}}`
	const ofSite = `{"id":"of-the-site","type":"comment.created","question":{"question_id":12,"title":"Tea","link":"https://site.example/questions/12/tea"},
		"comment":{"comment_id":31,"body":"Both."}}`
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		hook, trust := apptest.NewTypesReceiver(t)
		in := apptest.Serve(t, apptest.Environment(t, kind), trust)
		b := in.Login()
		b.Quick()
		for _, name := range apptest.TypeNames {
			b.CreateType(name, apptest.TypeForm(name, hook.URL))
		}
		in.Accept(ofForum)
		in.Accept(ofSite)
		apptest.Eventually(t, "the site's comment at each, the forum's at one", func() bool {
			for _, name := range apptest.TypeNames {
				if !slices.ContainsFunc(hook.Of(name), func(d apptest.Delivered) bool { return strings.Contains(string(d.Body), "Both.") }) {
					return false
				}
			}
			return len(hook.Of("userecho")) > 1
		})
		page := html.UnescapeString(b.Event("of-the-forum").Body)
		for _, name := range apptest.TypeNames {
			want, matches := 1, "1 of 2 events"
			if name == "userecho" {
				want, matches = 2, "2 of 2 events"
			}
			if got := hook.Of(name); len(got) != want {
				t.Errorf("%s got %d requests, want %d: %s", name, len(got), want, got[0].Body)
			}
			form := apptest.TypeForm(name, hook.URL)
			form.Set("do", "preview")
			if preview := b.Post("/admin/webhooks/new?type="+name, form); !strings.Contains(preview.Body, matches) {
				t.Errorf("the preview of %s does not say %q", name, matches)
			}
		}
		for _, label := range []string{"Generic", "Slack", "Stack Auth", "SuperOffice"} {
			want := "The event is comment.created from a feedback forum; " + label + " webhooks report it only from a Q&A site."
			if !strings.Contains(page, want) {
				t.Errorf("the explanation lacks %q", want)
			}
		}
		if n := strings.Count(page, "Create a webhook of another type"); n != 4 {
			t.Errorf("it says %d times what helps", n)
		}
		if !strings.Contains(page, "comment.created chosen; accepts all tags") {
			t.Error("the explanation does not say why it reached UserEcho's webhook")
		}
	})
}

// TestAGeneratedSecretSigns: a webhook of a type whose vendor always signs,
// saved without a secret, is signed with the one that Reveal then shows.
func TestAGeneratedSecretSigns(t *testing.T) {
	hook, trust := apptest.NewTypesReceiver(t)
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"), trust)
	b := in.Login()
	b.Quick()
	form := apptest.TypeForm("stackauth", hook.URL)
	form.Del("secret_1")
	b.CreateType("stackauth", form)
	link := regexp.MustCompile(`generated for it.*?href="([^"]+)"`).FindStringSubmatch(b.Get("/admin/webhooks").Body)
	if link == nil {
		t.Fatal("the page after saving does not lead to the secret")
	}
	path, _, _ := strings.Cut(link[1], "?")
	page := b.Post(path, url.Values{"secret": {"1"}, "password": {apptest.AdminPassword}})
	shown := regexp.MustCompile(`id="revealed">([^<]+)<`).FindStringSubmatch(page.Body)
	if shown == nil {
		t.Fatalf("%s: %d %s", path, page.Code, page.Body)
	}
	in.Accept(apptest.QuestionJSON("signed", 1, ""))
	apptest.Eventually(t, "delivery", func() bool { return len(hook.Of("stackauth")) == 1 })
	verify, err := svix.NewWebhook(html.UnescapeString(shown[1]))
	ok(t, err)
	got := hook.Of("stackauth")[0]
	ok(t, verify.Verify(got.Body, got.Header))
}
