package reference_test

import (
	"encoding/json"
	"go/format"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/api/openapi"
	"github.com/sitehooks/sitehooks/handlers/reference"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// described is what the description says, read without the page's own code.
type described struct {
	Paths map[string]map[string]struct {
		OperationID, Description string
		Security                 []map[string][]string
		Parameters               []struct{ Name, In, Description string }
		RequestBody              struct {
			Content map[string]struct {
				Schema struct {
					Ref string `json:"$ref"`
				}
			}
		}
		Responses map[string]struct{ Description string }
	}
	Components struct {
		Schemas map[string]struct {
			Title      string
			Properties map[string]json.RawMessage
			Required   []string
		}
	}
}

func description(t *testing.T) (doc described) {
	t.Helper()
	webtest.OK(t, json.Unmarshal(openapi.Build(""), &doc))
	return doc
}

// texts are the words of all elements that a selector finds.
func texts(in *goquery.Selection, selector string) []string {
	return in.Find(selector).Map(func(_ int, s *goquery.Selection) string { return strings.Join(strings.Fields(s.Text()), " ") })
}

// TestEveryOperationIsOnThePage walks the description as a viewer of one location:
// each operation is there with all that is said about it.
func TestEveryOperationIsOnThePage(t *testing.T) {
	c := webtest.NewConsole(t)
	c.LogIn(c.AddUser(models.User{Email: "v@example.com", Name: "V", Role: models.RoleViewer, Limited: true, Locations: []string{"python-wranglers"}}))
	page := c.Get(reference.Path).Want(http.StatusOK)
	doc := description(t)
	operations := 0
	for path, item := range doc.Paths {
		for method, op := range item {
			operations++
			at := page.Find("article#" + op.OperationID)
			head := strings.Join(strings.Fields(at.Find(".api-line").Text()), " ")
			if want := strings.ToUpper(method) + " " + path + " scope " + op.Security[0]["token"][0]; head != want {
				t.Errorf("%s begins with %q, want %q", op.OperationID, head, want)
			}
			names, all := slices.DeleteFunc(texts(at, "dt b"), func(name string) bool { return strings.Contains(name, ".") }), strings.Join(strings.Fields(at.Text()), " ")
			rest, _, _ := strings.Cut(op.Description, " Needs the scope ")
			says := []string{strings.TrimSuffix(rest, ".")}
			for _, p := range op.Parameters {
				names, says = without(t, op.OperationID, names, p.Name), append(says, p.In, p.Description)
			}
			_, body, _ := strings.Cut(op.RequestBody.Content["application/json"].Schema.Ref, "schemas/")
			for name := range doc.Components.Schemas[body].Properties {
				names = without(t, op.OperationID, names, name)
			}
			for status, r := range op.Responses {
				names, says = without(t, op.OperationID, names, status), append(says, r.Description)
			}
			for _, said := range says {
				if !strings.Contains(all, said) {
					t.Errorf("%s does not say %q", op.OperationID, said)
				}
			}
			if len(names) > 0 {
				t.Errorf("%s has besides %v", op.OperationID, names)
			}
		}
	}
	if found := page.Find("article .ex-curl").Length(); operations < 25 || found != operations {
		t.Errorf("%d operations, %d on the page", operations, found)
	}
	for name, s := range doc.Components.Schemas {
		if s.Title != "" && page.Find("[id='event-"+name+"'] pre").Length() != 1 {
			t.Errorf("the event type %s has no example", name)
		}
	}
	if got := texts(page.Selection, "article:has(#family-answer) .api-must"); len(got) < 5 {
		t.Errorf("%d fields of an answer are required", len(got))
	}
	linksLead(t, page)
}

// without takes one name out of a list.
func without(t *testing.T, of string, names []string, name string) []string {
	t.Helper()
	i := slices.Index(names, name)
	if i < 0 {
		t.Errorf("%s does not have %s", of, name)
		return names
	}
	return slices.Delete(names, i, i+1)
}

// linksLead fails for a link to a place that the whole page does not have, and for
// a place that is there twice.
func linksLead(t *testing.T, page *webtest.Answer) {
	t.Helper()
	ids := map[string]int{}
	for _, s := range page.Find("[id]").EachIter() {
		ids[s.AttrOr("id", "")]++
	}
	links := 0
	for _, s := range page.Find("main a").EachIter() {
		href := s.AttrOr("href", "")
		id, inside := strings.CutPrefix(strings.TrimPrefix(href, reference.Path), "#")
		if inside && ids[id] != 1 {
			t.Errorf("%d places are called %q", ids[id], href)
		}
		if inside {
			links++
		}
	}
	if links < 150 {
		t.Errorf("only %d links", links)
	}
}

// TestSearchOfTheReference: it needs no script.
func TestSearchOfTheReference(t *testing.T) {
	c := webtest.NewConsole(t)
	for query, want := range map[string]struct {
		found     string
		operation []string
	}{
		"Pause":            {"Found 2 operations for", []string{"pauseWebhook", "resumeWebhook"}},
		"webhooks  PATCH":  {"Found 1 operation for", []string{"patchWebhook"}},
		"/webhooks resume": {"Found 1 operation for", []string{"resumeWebhook"}},
		"topic.satisfac":   {"Found 1 event type for", nil},
		"retry_nothing":    {"Nothing found for", nil},
		webtest.Nasty:      {"Nothing found for", nil},
	} {
		page := c.Get(reference.Path + "?" + url.Values{"q": {query}, "lang": {"python"}}.Encode()).Want(http.StatusOK)
		ids := page.Find("article:has(.ex-curl)").Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("id", "") })
		if got := page.Text("main [role=status]"); !strings.HasPrefix(got, want.found) || !slices.Equal(ids, want.operation) {
			t.Errorf("%q: %q, %v", query, got, ids)
		}
		if page.Find("#q").AttrOr("value", "") != strings.TrimSpace(query) || page.Find("[name=lang][checked]").AttrOr("value", "") != "python" {
			t.Errorf("%q: the form has lost what was chosen", query)
		}
		if to := page.Find("main [role=status] a").AttrOr("href", ""); to != reference.Path+"?lang=python" {
			t.Errorf("%q: all are at %s", query, to)
		}
		webtest.NoMarkup(t, page)
	}
	if page := c.Get(reference.Path + "?lang=cobol"); page.Find("[name=lang][checked]").AttrOr("value", "") != "curl" {
		t.Error("an unknown language is chosen")
	}
}

// TestReferenceIsLinked from where programs are first thought of.
func TestReferenceIsLinked(t *testing.T) {
	c := webtest.NewConsole(t)
	for _, path := range []string{"/admin", "/admin/webhooks", "/admin/trigger-history", "/admin/tokens", "/admin/sources", "/developer/receivers"} {
		if c.Get(path).Want(http.StatusOK).Find("main a[href^='"+reference.Path+"']").Length() == 0 {
			t.Errorf("%s does not lead to it", path)
		}
	}
	if c.Get(reference.Path).Text(".app-nav [aria-current]") != "API reference" {
		t.Error("it is not in the navigation")
	}
}

// TestExamplesAreFormatted as gofmt does it. That they run is shown in app.
func TestExamplesAreFormatted(t *testing.T) {
	c := webtest.NewConsole(t)
	for _, s := range c.Get(reference.Path).Find(".ex-go pre").EachIter() {
		code := s.Text() + "\n"
		if formatted, err := format.Source([]byte(code)); err != nil || string(formatted) != code {
			t.Errorf("%s: %v\n%s", s.AttrOr("id", ""), err, code)
		}
	}
}
