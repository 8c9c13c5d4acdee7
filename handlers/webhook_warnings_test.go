package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestFiltersThatNeverMatchAreWarnedOf: such a webhook is saved, the page after
// it and the form say so beside the field, and other filters are not warned of.
func TestFiltersThatNeverMatchAreWarnedOf(t *testing.T) {
	const (
		noTags      = "This webhook will never be notified, because its activities have no tags. Choose All tags, or other activities."
		noCommunity = "This webhook will never be notified, because its activities are in no community. Choose no community, or other activities."
	)
	c := newConsole(t)
	c.addEvent(1, "question.created", "data-platform") // by which the community is known
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
			form := fill(c.get(at).want(http.StatusOK).form(), "name", name, "location", "python-wranglers", "url", "https://example.com/hook", "community", tt.community)
			form["events"] = strings.Split(tt.events, ",")
			if tt.events == "lead.scored" {
				form["events"], form["custom"] = nil, []string{tt.events}
			}
			if tt.tags != "" {
				fill(form, "tag_mode", "specific", "tags", tt.tags)
			}
			warned := func(a *answer) {
				t.Helper()
				for _, field := range []string{"tags", "community"} {
					want := ""
					if field == tt.field {
						want = tt.says
					}
					if got := a.text("#" + field + "-warning"); got != want {
						t.Errorf("beside %s it says %q, want %q", field, got, want)
					}
					described := strings.Contains(a.Find("#"+field).AttrOr("aria-describedby", ""), field+"-warning")
					if described != (want != "") || a.Find(".has-warning #"+field).Length() > 0 != (want != "") {
						t.Errorf("the field %s is described by its warning: %v", field, described)
					}
				}
			}
			warned(c.post(at, fill(form, "do", "preview")).want(http.StatusOK))
			if tt.kind == "superoffice" { // whose receiver would be asked before it is saved
				return
			}
			next := c.next(c.post(at, fill(form, "do", "save")).goesTo(webhooksPath))
			all, _, err := c.store.Webhooks.All(t.Context())
			ok(t, err)
			saved := all[len(all)-1]
			said := next.text("main > .s-notice__warning")
			if tt.says == "" && said != "" || tt.says != "" && said != tt.says+" Edit the webhook" {
				t.Errorf("after saving it says %q", said)
			}
			if link := next.Find("main > .s-notice__warning a").AttrOr("href", editPath(saved)); saved.Name != name || link != editPath(saved) {
				t.Errorf("stored %q; the warning leads to %s", saved.Name, link)
			}
			warned(c.get(editPath(saved)).want(http.StatusOK))
		})
	}
}

// TestATypeThatAlwaysSignsKeepsASecret: one is generated where none was given,
// the page after saving leads to where it is shown, and the last one stays.
func TestATypeThatAlwaysSignsKeepsASecret(t *testing.T) {
	c := newConsole(t)
	const at = "/admin/webhooks/new?type=stackauth"
	a := c.get(at).want(http.StatusOK)
	if help := a.text("#secret_1-help"); !strings.HasPrefix(help, "Leave this empty to have one generated when you save.") || !strings.HasPrefix(a.text("#secret_2-help"), "Optional.") {
		t.Errorf("the field says %q", help)
	}
	form := fill(a.form(), "name", "Users", "url", "https://example.com/hook", "events", "user.created")
	if look := c.post(at, fill(form, "do", "preview")).want(http.StatusOK).text(".form-side"); !strings.Contains(look, "svix-signature: v1,") || !strings.Contains(look, "Signed with a secret that is generated when you save.") {
		t.Errorf("the preview says %q", look)
	}
	next := c.next(c.post(at, fill(form, "do", "save")).goesTo(webhooksPath))
	w := c.only()
	if said := next.text("main > .s-notice"); said != "Created Users. A signing secret was generated for it. Reveal the secret" {
		t.Errorf("it says %q", said)
	}
	reveal := next.Find("main > .s-notice a").AttrOr("href", "")
	made := c.opened(w).Secrets[0]
	if shown := c.post(reveal, url.Values{"secret": {"1"}, "password": {adminPassword}}).want(http.StatusOK).text("#revealed"); shown != made || !strings.HasPrefix(made, "whsec_") {
		t.Errorf("%s shows %q", reveal, shown)
	}

	const keeps = "Stack Auth webhooks are always signed, so this one keeps at least one secret. Enter or generate another one."
	edit := func(do string, pairs ...string) url.Values {
		form := fill(c.get(editPath(w)).want(http.StatusOK).form(), pairs...)
		return fill(c.post(editPath(w), fill(form, "do", do)).want(http.StatusOK).form(), "do", "save")
	}
	if fault := c.post(editPath(w), edit("clear_1")).want(http.StatusUnprocessableEntity).text("#secret_1-err"); fault != keeps {
		t.Errorf("clearing the last one is answered with %q", fault)
	}
	if c.opened(c.only()).Secrets != [2]string{made, ""} {
		t.Error("the secret is gone")
	}
	form = edit("clear_1", "secret_2", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	c.post(editPath(w), form).goesTo(webhooksPath) // another one takes its place
	if c.opened(c.only()).Secrets != [2]string{"", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} {
		t.Error("the first secret stays beside the second")
	}
	if fault := c.post(editPath(w), edit("clear_2")).want(http.StatusUnprocessableEntity).text("#secret_2-err"); fault != keeps {
		t.Errorf("clearing the last one is answered with %q", fault)
	}
	if said := c.flash(c.post(editPath(w), edit("generate_1")).goesTo(webhooksPath)); said != "Saved Users." || c.opened(c.only()).Secrets[0] == "" {
		t.Errorf("after a secret was typed it says %q", said)
	}
	c.post(newForm, c.filled("https://example.com/hook", "do", "save")).goesTo(webhooksPath)
	all, _, err := c.store.Webhooks.All(t.Context())
	ok(t, err)
	if all[1].Secret1 != "" {
		t.Error("a type that may send unsigned got a secret too")
	}
}
