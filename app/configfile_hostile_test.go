package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/sitehooks/sitehooks/app/configfile"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestApplyFillsSecretsAlone: a variable of the environment goes into URLs, secrets
// and values of headers, and nothing that apply prints has its value.
func TestApplyFillsSecretsAlone(t *testing.T) {
	receiver := webtest.NewReceiver(t)
	in := newInstallation(t)
	environ := []string{"WORD=leaked-value", "TARGET=" + receiver.URL + "/leaked-value", "BAD=ftp://leaked-value/", "LINES=leaked-value\n"}
	printed := func(what, text string, exit int) string {
		t.Helper()
		said, err := in.apply(t, text, environ)
		if err != nil {
			said += ErrorText(err)
		}
		if ExitCode(err) != exit || strings.Contains(said, "leaked") {
			t.Errorf("%s: exit code %d, it prints\n%s", what, ExitCode(err), said)
		}
		return said
	}
	const usual = "webhooks: [{key: a, type: userecho, name: '%s', url: '%s', events: [topic.created], tags: ['%s'], secret_1: '%s', headers: {X-Word: '%s'}}]"
	printed("a new one", fmt.Sprintf(usual, "It is ${WORD}", "${TARGET}", "${word}", "secret ${WORD}", "${WORD} $${WORD}"), 0)
	w, err := in.Store.Webhooks.ByKey(t.Context(), "a")
	webtest.OK(t, err)
	if o := in.Opened(w); w.Name != "It is ${WORD}" || !slices.Equal(w.Tags, []string{"${word}"}) || o.URL != receiver.URL+"/leaked-value" ||
		o.Secrets[0] != "secret leaked-value" || o.Headers[0].Value != "leaked-value ${WORD}" {
		t.Errorf("it is %+v with %+v", w, o)
	}
	said := printed("a change", fmt.Sprintf(usual, "Now ${WORD}", "${TARGET}?x", "a-${word}", "${WORD}", "${WORD}"), 0)
	if !strings.Contains(said, `name: "It is ${WORD}" → "Now ${WORD}"`) || !strings.Contains(said, "url: changed") {
		t.Errorf("the change is\n%s", said)
	}
	for _, field := range []string{
		"type: '${WORD}'", "location: '${WORD}'", "community: '${WORD}'", "events: ['${WORD}']", "options: {digest: '${WORD}'}", "url: '${BAD}'", "secret_1: '${LINES}'",
		"headers: {X-Word: '${LINES}'}", "'${WORD}': 1", "paused: '${WORD}'",
	} {
		printed(field, strings.Replace(fmt.Sprintf(usual, "A", "${TARGET}", "b", "c", "d"), "key: a,", "key: a, "+field+",", 1), 1)
	}
	printed("a source", "sources: [{name: forum, kind: custom, secret_1: 'a ${WORD}', program: '${WORD}', location: '${WORD}'}]", 1)
	printed("a location", "locations: [{slug: team, name: 'Team ${WORD}', description: '${WORD}'}]", 0)
	printed("a setting", "settings: {Webhooks.DispatchDelay: '${WORD}'}", 1)
}

// TestApplyBoundsItsFile: a file that would cost much more to read than it is long
// is refused, with the place.
func TestApplyBoundsItsFile(t *testing.T) {
	in := newInstallation(t)
	var bomb strings.Builder
	bomb.WriteString("settings:\n  a0: &a0 [x]\n")
	for i := range 9 {
		fmt.Fprintf(&bomb, "  a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	for what, tc := range map[string]struct{ text, says string }{
		"aliases":           {bomb.String(), "[2:7] anchors and aliases"},
		"an alias":          {"settings: {}\nwebhooks: [{key: *a}]", "[2:18] anchors and aliases"},
		"a key of another":  {"settings:\n  <<: *a", "[2:7] anchors and aliases"},
		"lists in lists":    {"webhooks: " + strings.Repeat("[", 100_000), "nested too deep"},
		"objects in object": {"webhooks: " + strings.Repeat("{a: ", 100_000), "nested too deep"},
		"lists on a line":   {"webhooks:\n" + strings.Repeat("- ", 100_000), "[2:257] it is nested too deep"},
		"keys on a line":    {"webhooks:\n" + strings.Repeat("? ", 100_000), "[2:257] it is nested too deep"},
		"a large file":      {"# " + strings.Repeat("x", configfile.MaxFile), "the file is larger than 4 MiB"},
	} {
		if _, err := in.apply(t, tc.text, nil, "--dry-run"); ExitCode(err) != 1 || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %.200v", what, err)
		}
	}
	quoted := "settings: {Webhooks.DispatchDelay: '&a'}\nlocations: [{slug: team, name: 'R&D *all*', description: \"&x\"}, {slug: other, name: R&D *a}]"
	if _, err := in.apply(t, quoted, nil); err == nil || strings.Contains(err.Error(), "aliases") {
		t.Errorf("text with the same characters: %v", err)
	}
}

// TestApplyReadsOneDocumentWithoutTags: what would not be read, or would be read as
// something else, is refused, with the exit code of a refusal.
func TestApplyReadsOneDocumentWithoutTags(t *testing.T) {
	in := newInstallation(t)
	in.AddWebhook(func(w *models.WebhookInput) { w.Key = "kept" })
	for text, says := range map[string]string{
		"webhooks: !!binary aGVsbG8=":                                    "[1:11] tags, as !!str",
		"webhooks: !!map {}":                                             "[1:11] tags",
		"webhooks: !!str x":                                              "[1:11] tags",
		"webhooks: !!null \"\"":                                          "[1:11] tags",
		"webhooks: !!set {a}":                                            "[1:11] tags",
		"webhooks: !!float 1":                                            "[1:11] tags",
		"settings: {a: !own b}":                                          "[1:15] tags",
		"--- !!map\nwebhooks: []":                                        "[1:5] tags",
		"webhooks: []\n---\nsources: []":                                 "[2:1] a second document",
		"# one\n---\nwebhooks: []\n--- \nwebhooks: [{key: a}]":           "[4:1] a second document",
		"---\n---\nwebhooks: []":                                         "[2:1] a second document",
		"webhooks: []\n...\nsources: []":                                 "[3:1] a second document",
		"%YAML 1.2\n---\nwebhooks: []\n...\n%YAML 1.2\n---\nsources: []": "[6:1] a second document",
		"":                        "--prune: the file has nothing in settings, locations, sources or webhooks",
		"---\n# nothing\n...\n":   "--prune: the file has nothing",
		"webhooks:\nsources: ~\n": "--prune: the file has nothing",
	} {
		before := in.Stored()
		if said, err := in.apply(t, text, nil, "--prune"); ExitCode(err) != 1 || err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q is answered %v %s", text, err, said)
		}
		if changed := webtest.Difference(before, in.Stored()); changed != "" {
			t.Errorf("%q stored %s", text, changed)
		}
	}
	const saved = "[{key: kept, type: generic, name: 'Hi! !!str\n  --- more', url: 'https://forum.example.com/!', events: [question.created]}]"
	for _, text := range []string{"%YAML 1.2\n# one\n---\nwebhooks: " + saved + "\n...\n# the end\n...\n", "", "--- {webhooks: []}"} {
		prune := []string{"--prune"}[:min(1, len(text))]
		if said, err := in.apply(t, text, nil, prune...); err != nil {
			t.Errorf("%q is refused: %v %s", text, err, said)
		}
	}
	if _, err := in.Store.Webhooks.ByKey(t.Context(), "kept"); err == nil {
		t.Error("webhooks: [] with --prune leaves a webhook with a key")
	}
}

// TestNoControlCharactersArePrinted: neither those of a file nor those of a server.
func TestNoControlCharactersArePrinted(t *testing.T) {
	const odd = `"a\x1b[2J\nb\x7f\u202e\x9b"`
	in := newInstallation(t)
	check := func(what, printed string) {
		t.Helper()
		if strings.ContainsFunc(printed, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) || strings.Contains(printed, "\nb") || !strings.Contains(printed, `\u001b`) {
			t.Errorf("%s prints %q", what, printed)
		}
	}
	for what, text := range map[string]string{
		"a key":             "webhooks: [{key: ODD, type: generic}]",
		"a key twice":       "webhooks: [{key: ODD}, {key: ODD}]",
		"a field":           "webhooks: [{key: a, type: generic, ODD: 1}]",
		"a section":         "ODD: 1",
		"a missing secret":  "webhooks: [{key: ODD, secret_1: '${NONE}'}]",
		"a setting":         "settings: {ODD: 1}",
		"a location":        "locations: [{slug: ODD, name: x}]",
		"a source":          "sources: [{name: ODD, kind: generic}]",
		"an unknown option": "webhooks: [{key: a, type: userecho, name: A, url: 'http://127.0.0.1/', events: [topic.created], options: {ODD: x}}]",
	} {
		said, err := in.apply(t, strings.ReplaceAll(text, "ODD", odd), nil)
		if ExitCode(err) != 1 {
			t.Fatalf("%s is accepted: %s", what, said)
		}
		check(what, said+ErrorText(err))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const thing = `{"id":1,"name":"a\u001b[2J\nb","key":null,"location":"a\u001b[2J\nb","slug":"a"}`
		switch {
		case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/webhooks"), strings.HasSuffix(r.URL.Path, "/locations"):
			_, _ = w.Write([]byte(`{"data":[` + thing + `],"next":null}`))
		case r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/settings/odd"):
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"detail":"a\u001b[2J\nb","errors":[{"field":"","message":"x"}]}`))
		case r.Method == http.MethodPut:
			_, _ = w.Write([]byte(`{"creates":false,"changes":["value","a\u001b[2J\nb"]}`))
		case r.Method == http.MethodGet:
			_, _ = w.Write([]byte(`{"name":"x","value":"a\u001b[2J\nb","a\u001b[2J\nb":"a\u001b[2J\nb","data":[],"next":null}`))
		}
	}))
	t.Cleanup(server.Close)
	away := &installation{Console: &webtest.Console{Server: &httptest.Server{URL: server.URL}}, token: in.token}
	_, remarks := away.exported(t)
	check("export", remarks)
	for what, text := range map[string]string{
		"a difference": "settings: {Webhooks.DispatchDelay: 1}", "fields of a webhook": "webhooks: [{key: a}]", "a refusal": "settings: {odd: 1}",
	} {
		said, err := away.apply(t, text, nil, "--dry-run")
		if err != nil {
			said += ErrorText(err)
		}
		check(what, said)
	}
}
