package webhooks_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestFormReadsEachListOnce: a request for the form reads the locations, the
// communities and the settings at most once each, with any outcome.
func TestFormReadsEachListOnce(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		c.AddEvent(1, "question.created", "data-platform") // by which the community is known
		edit := webtest.EditPath(c.AddWebhook(nil))
		form := webtest.Fill(c.Get(edit).Form(), "location", "python-wranglers", "community", "data-platform")
		for _, tc := range []struct {
			name, path, do string
			form           url.Values
			change         []string
			status         int
		}{
			{name: "a preview", path: edit, do: "preview", form: form, status: http.StatusOK},
			{name: "a refused save", path: edit, do: "save", form: form, change: []string{"name", ""}, status: http.StatusUnprocessableEntity},
			{name: "an unknown location", path: edit, do: "save", form: form, change: []string{"name", "N", "location", "moon"}, status: http.StatusUnprocessableEntity},
			{name: "a save", path: edit, do: "save", form: form, change: []string{"location", "Python wranglers"}, status: http.StatusSeeOther},
			{name: "a refused new one", path: webtest.NewForm, do: "save", form: c.Filled("nonsense"), status: http.StatusUnprocessableEntity},
		} {
			webtest.Fill(tc.form, append(tc.change, "do", tc.do)...)
			queries := c.Queries(func() { c.Post(tc.path, tc.form).Want(tc.status) })
			counts := map[string]int{}
			for _, table := range []string{"locations", "communities", "settings"} {
				from := regexp.MustCompile("(?:from|FROM) [\"`]?" + table + `\b`)
				one := regexp.MustCompile("^SELECT . FROM .(locations|communities). WHERE (location = .+ and )?slug (=|in) ") // no list
				for _, statement := range queries {
					statement = strings.ReplaceAll(statement, "(select slug from locations where hidden)", "(…)")
					if from.MatchString(statement) && !one.MatchString(statement) {
						counts[table]++
					}
				}
				if counts[table] > 1 {
					t.Errorf("%s reads the %s %d times: %q", tc.name, table, counts[table], queries)
				}
			}
			t.Logf("%s: %d statements, of which %v", tc.name, len(queries), counts)
		}
	})
}

// TestFormDecryptsTheWebhookOnce: a request for the form decrypts each sealed
// value of its webhook at most once, with any outcome.
func TestFormDecryptsTheWebhookOnce(t *testing.T) {
	c := webtest.NewConsole(t)
	r := webtest.NewReceiver(t)
	w := c.AddWebhook(func(in *models.WebhookInput) {
		in.URL = r.URL
		in.Secrets[0].Set, in.Secrets[1].Set = webtest.FirstSecret, webtest.SecondSecret
		in.Headers = []models.Header{{Name: "X-Team", Value: "data"}}
	})
	const sealed = 4 // the URL, two secrets and the headers
	edit := webtest.EditPath(w)
	opened := func(what string, request func()) {
		t.Helper()
		before := c.Box.Opened()
		request()
		if n := c.Box.Opened() - before; n > sealed {
			t.Errorf("%s decrypts %d values", what, n)
		} else {
			t.Logf("%s decrypts %d values", what, n)
		}
	}
	post := func(do string, status int, change ...string) {
		t.Helper()
		form := webtest.Fill(c.Get(edit).Form(), append(change, "do", do)...)
		opened(do+" "+http.StatusText(status), func() { c.Post(edit, form).Want(status) })
	}
	opened("the form", func() { c.Get(edit).Want(http.StatusOK) })
	opened("a copy", func() { c.Get(webtest.NewForm + "&from=" + web.FormatID(w.ID)).Want(http.StatusOK) })
	for _, do := range []string{"generate_1", "clear_2", "undo_2", "preview", "test"} {
		post(do, http.StatusOK)
	}
	post("test", http.StatusOK, "url", "http://127.0.0.1:9/") // another origin
	post("save", http.StatusUnprocessableEntity, "name", "")
	post("save", http.StatusUnprocessableEntity, "updated_at", "2026-01-01T00:00:00Z")
	post("save", http.StatusSeeOther, "name", "Renamed")
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))
	post("save", http.StatusSeeOther, "name", "Healed")
	if got := c.Only(); got.State != models.WebhookActive || len(r.Requests()) != 2 {
		t.Errorf("the last save left it %s; %d tests were sent", got.State, len(r.Requests()))
	}
}
