package handlers

import (
	"slices"
	"testing"

	"github.com/jba/templatecheck"

	"github.com/sitehooks/sitehooks/static"
	"github.com/sitehooks/sitehooks/templates"
)

// TestTemplatesFitTheirStructs checks every page's template against the struct
// that it is rendered with.
func TestTemplatesFitTheirStructs(t *testing.T) {
	pages := map[string]any{
		"account_password":  &passwordPage{},
		"admin_audit":       &auditPage{},
		"admin_location":    &locationPage{},
		"admin_locations":   &locationsPage{},
		"admin_member":      &memberPage{},
		"admin_members":     &membersPage{},
		"admin_system":      &systemPage{},
		"admin_tokens":      &tokensPage{},
		"confirm":           &confirmPage{},
		"deliveries":        &deliveriesPage{},
		"deliveries_resent": &resentPage{},
		"delivery":          &deliveryPage{},
		"error":             &errorPage{},
		"login":             &loginPage{},
		"site_setting":      &siteSettingPage{},
		"site_settings":     &siteSettingsPage{},
		"trigger_event":     &triggerEventPage{},
		"trigger_history":   &triggerHistoryPage{},
		"webhook":           &webhookPage{},
		"webhook_delete":    &webhookDeletePage{},
		"webhook_form":      &webhookFormPage{},
		"webhook_reveal":    &revealPage{},
		"webhooks":          &webhooksPage{},
		"webhooks_bulk":     &webhooksBulkPage{},
	}
	set, err := templates.New(Funcs(static.Path))
	ok(t, err)
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
