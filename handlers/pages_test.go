package handlers_test

import (
	"maps"
	"slices"
	"testing"

	"github.com/jba/templatecheck"

	"github.com/sitehooks/sitehooks/handlers/account"
	"github.com/sitehooks/sitehooks/handlers/admin"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/overview"
	"github.com/sitehooks/sitehooks/handlers/receivers"
	"github.com/sitehooks/sitehooks/handlers/reference"
	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/handlers/sources"
	"github.com/sitehooks/sitehooks/handlers/triggers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/static"
	"github.com/sitehooks/sitehooks/templates"
)

// TestTemplatesFitTheirStructs checks every page's template against the struct
// that it is rendered with.
func TestTemplatesFitTheirStructs(t *testing.T) {
	pages := map[string]any{}
	for _, area := range []map[string]any{
		web.Templates(), account.Templates(), admin.Templates(), deliveries.Templates(), overview.Templates(), receivers.Templates(), reference.Templates(), reveal.Templates(), sources.Templates(), triggers.Templates(), webhooks.Templates(),
	} {
		maps.Copy(pages, area)
	}
	set, err := templates.New(web.Funcs(static.Path))
	webtest.OK(t, err)
	for _, name := range set.Names() {
		data, known := pages[name]
		if !known {
			t.Errorf("page %s has no struct here", name)
			continue
		}
		if err := templatecheck.CheckHTML(set.Page(name), data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		delete(pages, name)
	}
	for name := range pages {
		t.Errorf("there is no page %s", name)
	}
	if !slices.IsSorted(set.Names()) {
		t.Error("names are not sorted")
	}
}
