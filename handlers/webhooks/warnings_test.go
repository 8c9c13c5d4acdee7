package webhooks_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
)

// TestFiltersThatNeverMatchAreWarnedOf: such a webhook is saved, the page after
// it and the form say so beside the field, and other filters are not warned of.
func TestFiltersThatNeverMatchAreWarnedOf(t *testing.T) {
	const (
		noTags      = "This webhook will never fire, because its activities have no tags. Choose All tags, or other activities."
		noCommunity = "This webhook will never fire, because its activities are in no community. Choose no community, or other activities."
	)
	c := webtest.NewConsole(t)
	c.AddEvent(1, "question.created", "data-platform") // by which the community is known
	for name, tt := range map[string]struct {
		kind, events, tags, community string
		field, says                   string // empty: no warning
	}{
		"users have no tags":             {kind: "stackauth", events: "user.created", tags: "go", field: "tags", says: noTags},
		"nor have records of a CRM":      {kind: "superoffice", events: "contact.created,sale.sold", tags: "go", field: "tags", says: noTags},
		"nor what a site made up":        {kind: "superoffice", events: "lead.scored", tags: "go", field: "tags", says: noTags},
		"topics have, as questions":      {kind: "userecho", events: "topic.created", tags: "go"},
		"a deleted comment is a forum's": {kind: "userecho", events: "comment.deleted", tags: "go", field: "tags", says: noTags},
		"questions have":                 {kind: "generic", events: "question.created", tags: "go"},
		"all tags":                       {kind: "stackauth", events: "user.created"},
		"one of two": {
			kind: "stackauth", events: "question.created,user.created", tags: "go", field: "tags",
			says: "user.created has no tags, so it is never reported while Specific tags is chosen.",
		},
		"most of them": {
			kind: "stackauth", events: "question.created,user.created,user.updated,user.deleted,team.created,team.updated,team.deleted,team_membership.created",
			tags: "go", field: "tags",
			says: "team.created, team.deleted, team.updated, team_membership.created, user.created and 2 others have no tags, so they are never reported while Specific tags is chosen.",
		},
		"Sitehooks is in no community": {kind: "generic", events: "webhook.broken", community: "data-platform", field: "community", says: noCommunity},
		"beside questions": {
			kind: "generic", events: "question.created,webhook.broken", community: "data-platform", field: "community",
			says: "Webhook broke is in no community, so it is never reported while a community is chosen.",
		},
		"users may be in one": {kind: "stackauth", events: "user.created", community: "data-platform"},
	} {
		t.Run(name, func(t *testing.T) {
			at := "/admin/webhooks/new?type=" + tt.kind
			form := webtest.Fill(c.Get(at).Want(http.StatusOK).Form(), "name", name, "location", "python-wranglers", "url", "https://example.com/hook", "community", tt.community)
			form["events"] = strings.Split(tt.events, ",")
			if tt.events == "lead.scored" {
				form["events"], form["custom"] = nil, []string{tt.events}
			}
			if tt.tags != "" {
				webtest.Fill(form, "tag_mode", "specific", "tags", tt.tags)
			}
			warned := func(a *webtest.Answer) {
				t.Helper()
				for _, field := range []string{"tags", "community"} {
					want := ""
					if field == tt.field {
						want = tt.says
					}
					if got := a.Text("#" + field + "-warning"); got != want {
						t.Errorf("beside %s it says %q, want %q", field, got, want)
					}
					described := strings.Contains(a.Find("#"+field).AttrOr("aria-describedby", ""), field+"-warning")
					if described != (want != "") || a.Find(".has-warning #"+field).Length() > 0 != (want != "") {
						t.Errorf("the field %s is described by its warning: %v", field, described)
					}
				}
			}
			warned(c.Post(at, webtest.Fill(form, "do", "preview")).Want(http.StatusOK))
			if tt.kind == "superoffice" { // whose receiver would be asked before it is saved
				return
			}
			next := c.Next(c.Post(at, webtest.Fill(form, "do", "save")).GoesTo(web.WebhooksPath))
			all, _, err := c.Store.Webhooks.All(t.Context())
			webtest.OK(t, err)
			saved := all[len(all)-1]
			said := next.Text("main > .s-notice__warning")
			if tt.says == "" && said != "" || tt.says != "" && said != tt.says+" Edit the webhook" {
				t.Errorf("after saving it says %q", said)
			}
			if link := next.Find("main > .s-notice__warning a").AttrOr("href", webtest.EditPath(saved)); saved.Name != name || link != webtest.EditPath(saved) {
				t.Errorf("stored %q; the warning leads to %s", saved.Name, link)
			}
			warned(c.Get(webtest.EditPath(saved)).Want(http.StatusOK))
		})
	}
}

// TestATypeThatAlwaysSignsKeepsASecret: one is generated where none was given,
// the page after saving leads to where it is shown, and the last one stays.
func TestATypeThatAlwaysSignsKeepsASecret(t *testing.T) {
	c := webtest.NewConsole(t)
	const at = "/admin/webhooks/new?type=stackauth"
	a := c.Get(at).Want(http.StatusOK)
	if help := a.Text("#secret_1-help"); !strings.HasPrefix(help, "Leave this empty to have one generated when you save.") || !strings.HasPrefix(a.Text("#secret_2-help"), "Optional.") {
		t.Errorf("the field says %q", help)
	}
	form := webtest.Fill(a.Form(), "name", "Users", "url", "https://example.com/hook", "events", "user.created")
	if preview := c.Post(at, webtest.Fill(form, "do", "preview")).Want(http.StatusOK).Text(".form-side"); !strings.Contains(preview, "svix-signature: v1,") || !strings.Contains(preview, "Signed with a secret generated when you save.") {
		t.Errorf("the preview says %q", preview)
	}
	next := c.Next(c.Post(at, webtest.Fill(form, "do", "save")).GoesTo(web.WebhooksPath))
	w := c.Only()
	if said := next.Text("main > .s-notice"); said != "Created Users. A signing secret was generated for it. Reveal the secret" {
		t.Errorf("it says %q", said)
	}
	reveal := next.Find("main > .s-notice a").AttrOr("href", "")
	made := c.Opened(w).Secrets[0]
	if shown := c.Post(reveal, url.Values{"secret": {"1"}, "password": {webtest.AdminPassword}}).Want(http.StatusOK).Text("#revealed"); shown != made || !strings.HasPrefix(made, "whsec_") {
		t.Errorf("%s shows %q", reveal, shown)
	}

	const keeps = "Stack Auth webhooks are always signed, so at least one secret is required. Enter or generate another one."
	edit := func(do string, pairs ...string) url.Values {
		form := webtest.Fill(c.Get(webtest.EditPath(w)).Want(http.StatusOK).Form(), pairs...)
		return webtest.Fill(c.Post(webtest.EditPath(w), webtest.Fill(form, "do", do)).Want(http.StatusOK).Form(), "do", "save")
	}
	if fault := c.Post(webtest.EditPath(w), edit("clear_1")).Want(http.StatusUnprocessableEntity).Text("#secret_1-err"); fault != keeps {
		t.Errorf("clearing the last one is answered with %q", fault)
	}
	if c.Opened(c.Only()).Secrets != [2]string{made, ""} {
		t.Error("the secret is gone")
	}
	form = edit("clear_1", "secret_2", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	c.Post(webtest.EditPath(w), form).GoesTo(web.WebhooksPath) // another one takes its place
	if c.Opened(c.Only()).Secrets != [2]string{"", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		t.Error("the first secret stays beside the second")
	}
	if fault := c.Post(webtest.EditPath(w), edit("clear_2")).Want(http.StatusUnprocessableEntity).Text("#secret_2-err"); fault != keeps {
		t.Errorf("clearing the last one is answered with %q", fault)
	}
	if said := c.Flash(c.Post(webtest.EditPath(w), edit("generate_1")).GoesTo(web.WebhooksPath)); said != "Saved Users." || c.Opened(c.Only()).Secrets[0] == "" {
		t.Errorf("after a secret was typed it says %q", said)
	}
	c.Post(webtest.NewForm, c.Filled("https://example.com/hook", "do", "save")).GoesTo(web.WebhooksPath)
	all, _, err := c.Store.Webhooks.All(t.Context())
	webtest.OK(t, err)
	if all[1].Secret1 != "" {
		t.Error("a type that may send unsigned got a secret too")
	}
}
