package templates_test

import (
	"bytes"
	"html/template"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/templates"
)

func TestNothingIsWrittenUnlessThePageIsWhole(t *testing.T) {
	set, err := templates.New(web.Funcs(func(name string) string { return "/static/" + name }))
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	for _, page := range append(set.Names(), "no such page") {
		if err := set.Render(&buf, page, struct{ Title string }{"half a page"}); err == nil || buf.Len() > 0 {
			t.Errorf("%s: error %v, %d bytes written", page, err, buf.Len())
		}
	}
	if err := set.RenderFragment(&buf, "login", "no such part", nil); err == nil || buf.Len() > 0 {
		t.Errorf("a part that is not there: error %v, %d bytes written", err, buf.Len())
	}
	if set.Page("login") == nil || set.Page("no such page") != nil {
		t.Error("pages are not found by their names")
	}
}

func TestPageThatCallsAnUnknownFunctionDoesNotStart(t *testing.T) {
	if _, err := templates.New(template.FuncMap{}); err == nil || !strings.Contains(err.Error(), "parse") {
		t.Errorf("error %v", err)
	}
}
