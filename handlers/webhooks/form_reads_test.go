package webhooks_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/webtest"
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
				from := regexp.MustCompile("from [\"`]?" + table + `\b|FROM ["` + "`" + `]?` + table + `\b`)
				for _, statement := range queries {
					if from.MatchString(statement) {
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
