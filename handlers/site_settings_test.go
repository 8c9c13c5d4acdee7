package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

func TestSettingsAreListed(t *testing.T) {
	c := newConsole(t)
	a := c.get("/developer/site-settings").want(http.StatusOK)
	for _, d := range models.SettingDefs() {
		if a.Find("td a[href='"+settingPath(d.Name)+"']").Length() == 0 {
			t.Errorf("%s is not there", d.Name)
		}
	}
	c.get("/developer/site-settings/edit").want(http.StatusNotFound)
	c.get(settingPath("Webhooks.Nothing")).want(http.StatusNotFound)
	c.post(settingPath("Webhooks.Nothing"), url.Values{"value": {"1"}, "reason": {"x"}}).want(http.StatusNotFound)
}

func TestSettingIsChanged(t *testing.T) {
	c := newConsole(t)
	path := settingPath(models.DispatchDelay)
	a := c.get(path).want(http.StatusOK)
	if a.text("label[for=reason]") != "Add a brief reason" || a.text("main form button") != "Save New Network Default" || a.form().Get("value") != "10" {
		t.Errorf("the page says %q", a.text("main"))
	}
	changed := c.change
	a = c.post(path, url.Values{"value": {"030"}, "reason": {"  Fewer repeats,\r\nasked for by <b>Mary</b>  "}}).goesTo(path)
	if text := c.flash(a); text != "Webhooks.DispatchDelay is now 30." || c.change != changed+1 {
		t.Errorf("it says %q", text)
	}
	a = c.get(path)
	if got := a.text("tbody tr"); !strings.Contains(got, "Mary Wilkins10 → 30Fewer repeats, asked for by <b>Mary</b>") {
		t.Errorf("the history says %q", got)
	}
	if a.form().Get("value") != "30" {
		t.Errorf("the value is %q", a.form().Get("value"))
	}
	c.post(settingPath(models.EnableGenericWebhooks), url.Values{"value": {"False"}, "reason": {"x"}}).want(http.StatusSeeOther)
	a = c.get(settingPath(models.EnableGenericWebhooks))
	if a.form().Get("value") != "False" || a.Find("input[type=radio][name=value]").Length() != 2 {
		t.Errorf("the form holds %v", a.form())
	}
}

func TestSettingIsRefused(t *testing.T) {
	c := newConsole(t)
	long := strings.Repeat("é", reasonMax)
	for _, test := range []struct{ name, value, reason, field string }{
		{models.DispatchDelay, "10", "", "reason"},
		{models.DispatchDelay, "10", " \r\n\t ", "reason"},
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
		a := c.post(settingPath(test.name), url.Values{"value": {test.value}, "reason": {test.reason}}).want(http.StatusUnprocessableEntity)
		if a.text("#"+test.field+"-err") == "" || !strings.Contains(a.text("[role=alert]"), "Nothing was saved.") {
			t.Errorf("%s=%q because %q: %q", test.name, test.value, cut(test.reason, 20), a.text("[role=alert]"))
		}
		if test.field == "value" && a.form().Get("reason") != "why" {
			t.Errorf("%s=%q: the reason is gone", test.name, test.value)
		}
	}
	history, err := c.store.Settings.History(t.Context(), models.DispatchDelay)
	ok(t, err)
	if len(history) != 0 {
		t.Errorf("%d changes", len(history))
	}
	c.post(settingPath(models.DispatchDelay), url.Values{"value": {"1"}, "reason": {long}}).want(http.StatusSeeOther)
	if text := c.get(settingPath(models.DispatchDelay)).text("aside"); !strings.Contains(text, "Now1 secondShipped default10 seconds") {
		t.Errorf("it says %q", text)
	}
}

// TestSettingIsReset: the default comes back whatever the field says, and with
// a reason as any other change.
func TestSettingIsReset(t *testing.T) {
	c := newConsole(t)
	path := settingPath(models.DispatchDelay)
	if n := c.get(path).Find("main button[value=reset]").Length(); n != 0 {
		t.Errorf("%d buttons to reset what is the default", n)
	}
	c.post(path, url.Values{"value": {"30"}, "reason": {"x"}}).goesTo(path)
	a := c.get(path)
	buttons := a.Find("main form button[type=submit]")
	if buttons.Length() != 2 || buttons.First().Text() != "Save New Network Default" || buttons.Last().Text() != "Reset to 10 seconds" {
		t.Errorf("the buttons say %q", buttons.Text())
	}
	form := url.Values{"value": {"77"}, "reason": {" "}, buttons.Last().AttrOr("name", ""): {buttons.Last().AttrOr("value", "")}}
	a = c.post(path, form).want(http.StatusUnprocessableEntity)
	if a.text("#reason-err") == "" || a.text("#value-err") != "" || a.form().Get("value") != "77" {
		t.Errorf("without a reason: %q, the form holds %v", a.text("[role=alert]"), a.form())
	}
	form.Set("reason", "It was better before")
	a = c.post(path, form).goesTo(path)
	if text := c.flash(a); text != "Webhooks.DispatchDelay is now 10." {
		t.Errorf("it says %q", text)
	}
	a = c.get(path)
	if got := a.text("tbody tr"); !strings.Contains(got, "Mary Wilkins30 → 10It was better before") || a.Find("main button[value=reset]").Length() != 0 {
		t.Errorf("the history says %q", got)
	}
	form.Set("reason", "Again")
	c.post(path, form).want(http.StatusUnprocessableEntity) // it is so already
}
