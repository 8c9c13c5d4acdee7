package app

import (
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// withSources has a source of two secrets in a location of its own, whose name a
// webhook has too, one with a program, and a follower.
func (in *installation) withSources(t *testing.T) {
	t.Helper()
	by := in.Admin.Actor()
	webtest.OK(t, in.Store.Locations.Ensure(t.Context(), "team-a", "Team A"))
	for name, source := range map[string]models.SourceInput{
		"forum": {Kind: "generic", Location: "team-a", ExpectHours: 6, Secrets: [2]models.SecretChange{{Set: "the first secret of the forum"}, {Set: "the second secret of it"}}},
		"42-crm": {
			Kind: "custom", Location: models.MainLocation, Program: "# ${first}\n.items[] | {id: \"$${\"}",
			Fields: map[string]string{"signature": "sha256-hex", "header": "X-Sum"}, Secrets: [2]models.SecretChange{{Set: "a secret of the crm"}},
		},
		"open": {Kind: "generic", Location: models.MainLocation},
	} {
		_, _, err := in.Store.Sources.Create(t.Context(), by, name, source)
		webtest.OK(t, err)
	}
	_, err := in.Store.Sources.PutCursor(t.Context(), by, "answer", models.CursorInput{Holder: "here", Location: models.MainLocation})
	webtest.OK(t, err)
	in.AddWebhook(func(w *models.WebhookInput) {
		w.Key, w.Name, w.Secrets[0].Set = "forum", "Forum", "a secret of the webhook"
	})
}

var sourcesEnvironment = []string{
	"SOURCE_FORUM_SECRET_1=the first secret of the forum", "SOURCE_FORUM_SECRET_2=the second secret of it", "SOURCE_42_CRM_SECRET_1=a secret of the crm",
	"FORUM_SECRET_1=a secret of the webhook",
}

// TestSourcesInAFile: an empty installation gets equal ones, with the secrets of
// the environment; applied again there is nothing to do. Followers, which
// register themselves, are in no file and stay.
func TestSourcesInAFile(t *testing.T) {
	from, to := newInstallation(t), newInstallation(t)
	from.withSources(t)
	text, _ := from.exported(t)
	for _, one := range sourcesEnvironment {
		name, secret, _ := strings.Cut(one, "=")
		if !strings.Contains(text, "${"+name+"}") || strings.Contains(text, secret) {
			t.Errorf("%s is not in the file, or its value is:\n%s", name, text)
		}
	}
	if !strings.Contains(text, "expect_hours: 6\n") || strings.Contains(text, "name: answer") {
		t.Errorf("the follower is in the file, or the hours are not:\n%s", text)
	}
	for i, one := range sourcesEnvironment {
		name, _, _ := strings.Cut(one, "=")
		lacks := append(append([]string{}, sourcesEnvironment[:i]...), sourcesEnvironment[i+1:]...)
		if _, err := to.apply(t, text, lacks); ExitCode(err) != 1 || !strings.Contains(err.Error(), name+" is not set") {
			t.Errorf("without %s: %v", name, err)
		}
	}
	if said, err := to.apply(t, text, sourcesEnvironment); err != nil || !strings.Contains(said, "Done: 5 created.") {
		t.Fatalf("apply: %v\n%s", err, said)
	}
	if again, _ := to.exported(t); again != text {
		t.Errorf("the new installation is\n%s\nwant\n%s", again, text)
	}
	before := to.Stored()
	if said, err := to.apply(t, text, sourcesEnvironment); err != nil || said != "Nothing to do.\n" {
		t.Errorf("applied twice: %v %s", err, said)
	}
	if changed := webtest.Difference(before, to.Stored()); changed != "" {
		t.Errorf("applied twice it stored %s", changed)
	}
	for name, want := range map[string][2]string{"forum": {"the first secret of the forum", "the second secret of it"}, "42-crm": {"a secret of the crm"}, "open": {}} {
		src, err := to.Store.Sources.Get(t.Context(), name)
		webtest.OK(t, err)
		if secrets, err := to.Store.Sources.Open(src); err != nil || secrets != want {
			t.Errorf("%s has the secrets %q: %v", name, secrets, err)
		}
	}

	changed := strings.Replace(text, "expect_hours: 6", "expect_hours: 7", 1)
	begins, ends := strings.Index(changed, "- name: open\n"), strings.Index(changed, "webhooks:\n")
	changed = changed[:begins] + changed[ends:]
	const want = `~ source forum
    expect_hours: 6 → 7
    secret_2: changed
- source open
Done: 1 changed, 1 removed.
`
	environ := append([]string{"SOURCE_FORUM_SECRET_2=a third secret of it"}, sourcesEnvironment...)
	if said, err := from.apply(t, changed, environ, "--prune"); err != nil || said != want {
		t.Errorf("it says %v\n%s", err, said)
	}
	rows, err := from.Store.Sources.List(t.Context(), models.AllLocations())
	webtest.OK(t, err)
	if len(rows) != 3 || rows[1].Name != "answer" {
		t.Errorf("left are %+v", rows)
	}
}
