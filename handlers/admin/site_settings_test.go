package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

func TestSettingsAreListed(t *testing.T) {
	c := webtest.NewConsole(t)
	a := c.Get("/developer/site-settings").Want(http.StatusOK)
	for _, d := range models.SettingDefs() {
		if a.Find("td a[href='"+webtest.SettingPath(d.Name)+"']").Length() == 0 {
			t.Errorf("%s is not there", d.Name)
		}
	}
	c.Get("/developer/site-settings/edit").Want(http.StatusNotFound)
	c.Get(webtest.SettingPath("Webhooks.Nothing")).Want(http.StatusNotFound)
	c.Post(webtest.SettingPath("Webhooks.Nothing"), url.Values{"value": {"1"}, "reason": {"x"}}).Want(http.StatusNotFound)
}

func TestSettingIsChanged(t *testing.T) {
	c := webtest.NewConsole(t)
	path := webtest.SettingPath(models.DispatchDelay)
	a := c.Get(path).Want(http.StatusOK)
	if a.Text("label[for=reason]") != "Add a brief reason" || a.Text("main form button") != "Save New Network Default" || a.Form().Get("value") != "10" {
		t.Errorf("the page says %q", a.Text("main"))
	}
	changed := c.Change
	a = c.Post(path, url.Values{"value": {"030"}, "reason": {"  Fewer repeats,\r\nasked for by <b>Mary</b>  "}}).GoesTo(path)
	if text := c.Flash(a); text != "Webhooks.DispatchDelay is now 30 seconds." || c.Change != changed+1 {
		t.Errorf("it says %q", text)
	}
	a = c.Get(path)
	if got := a.Text("tbody tr"); !strings.Contains(got, "Mary Wilkins 10 seconds → 30 seconds Fewer repeats, asked for by <b>Mary</b>") {
		t.Errorf("the history says %q", got)
	}
	if a.Form().Get("value") != "30" {
		t.Errorf("the value is %q", a.Form().Get("value"))
	}
	c.Post(webtest.SettingPath(models.EnableGenericWebhooks), url.Values{"value": {"False"}, "reason": {"x"}}).Want(http.StatusSeeOther)
	a = c.Get(webtest.SettingPath(models.EnableGenericWebhooks))
	if a.Form().Get("value") != "False" || a.Find("input[type=radio][name=value]").Length() != 2 {
		t.Errorf("the form holds %v", a.Form())
	}
}

func TestSettingIsRefused(t *testing.T) {
	c := webtest.NewConsole(t)
	long := strings.Repeat("é", rules.TextMax)
	for _, test := range []struct{ name, value, reason, field string }{
		{models.DispatchDelay, "10", "", "reason"},
		{models.DispatchDelay, "10", " \r\n\t ", "reason"},
		{models.DispatchDelay, "10", "\u200b", "reason"},
		{models.DispatchDelay, "10", "\u200b \u2060\n\u2028", "reason"},
		{models.DispatchDelay, "10", long + "x", "reason"},
		{models.DispatchDelay, "10", "nul\x00", "reason"},
		{models.DispatchDelay, "10", "\xff", "reason"},
		{models.DispatchDelay, "", "why", "value"},
		{models.DispatchDelay, "10", "why", "value"}, // it is so already
		{models.DispatchDelay, "-1", "why", "value"},
		{models.DispatchDelay, "86401", "why", "value"},
		{models.DispatchDelay, "1e3", "why", "value"},
		{models.DispatchInterval, "99999999999999999999", "why", "value"},
		{models.EnableTriggerHistory, "true", "why", "value"},
	} {
		a := c.Post(webtest.SettingPath(test.name), url.Values{"value": {test.value}, "reason": {test.reason}}).Want(http.StatusUnprocessableEntity)
		if a.Text("#"+test.field+"-err") == "" || !strings.Contains(a.Text("[role=alert]"), "Nothing was saved.") {
			t.Errorf("%s=%q because %q: %q", test.name, test.value, wording.Cut(test.reason, 20), a.Text("[role=alert]"))
		}
		if test.field == "value" && a.Form().Get("reason") != "why" {
			t.Errorf("%s=%q: the reason is gone", test.name, test.value)
		}
	}
	history, err := c.Store.Settings.History(t.Context(), models.DispatchDelay)
	webtest.OK(t, err)
	if len(history) != 0 {
		t.Errorf("%d changes", len(history))
	}
	c.Post(webtest.SettingPath(models.DispatchDelay), url.Values{"value": {"1"}, "reason": {long}}).Want(http.StatusSeeOther)
	if text := c.Get(webtest.SettingPath(models.DispatchDelay)).Text("aside"); !strings.Contains(text, "Current value1 second Default10 seconds") {
		t.Errorf("it says %q", text)
	}
}

// TestSettingIsReset: the default comes back with any value in the field, and
// needs a reason as any other change.
func TestSettingIsReset(t *testing.T) {
	c := webtest.NewConsole(t)
	path := webtest.SettingPath(models.DispatchDelay)
	if n := c.Get(path).Find("main button[value=reset]").Length(); n != 0 {
		t.Errorf("%d buttons to reset what is the default", n)
	}
	c.Post(path, url.Values{"value": {"30"}, "reason": {"x"}}).GoesTo(path)
	a := c.Get(path)
	buttons := a.Find("main form button[type=submit]")
	if buttons.Length() != 2 || buttons.First().Text() != "Save New Network Default" || buttons.Last().Text() != "Reset to 10 seconds" {
		t.Errorf("the buttons say %q", buttons.Text())
	}
	form := url.Values{"value": {"77"}, "reason": {" "}, buttons.Last().AttrOr("name", ""): {buttons.Last().AttrOr("value", "")}}
	a = c.Post(path, form).Want(http.StatusUnprocessableEntity)
	if a.Text("#reason-err") == "" || a.Text("#value-err") != "" || a.Form().Get("value") != "77" {
		t.Errorf("without a reason: %q, the form holds %v", a.Text("[role=alert]"), a.Form())
	}
	form.Set("reason", "It was better before")
	a = c.Post(path, form).GoesTo(path)
	if text := c.Flash(a); text != "Webhooks.DispatchDelay is now 10 seconds." {
		t.Errorf("it says %q", text)
	}
	a = c.Get(path)
	if got := a.Text("tbody tr"); !strings.Contains(got, "Mary Wilkins 30 seconds → 10 seconds It was better before") || a.Find("main button[value=reset]").Length() != 0 {
		t.Errorf("the history says %q", got)
	}
	form.Set("reason", "Again")
	c.Post(path, form).Want(http.StatusUnprocessableEntity) // it is so already
}
