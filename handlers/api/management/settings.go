package management

import (
	"errors"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// Setting is a site setting.
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value" doc:"True or False, or a whole number"`
	Default string `json:"default"`
	Unit    string `json:"unit" doc:"seconds or days; empty: it is True or False"`
	Help    string `json:"help"`
}

// SettingInput changes a site setting.
type SettingInput struct {
	Value  string `json:"value" binding:"required,line"`
	Reason string `json:"reason" binding:"required,visible,text" doc:"Kept in the history of the setting"`
}

func settingOf(d models.SettingDef, value string) Setting {
	return Setting{d.Name, value, d.Default, d.Unit, d.Help}
}

func (a *API) listSettings(c *call) (answer, error) {
	values, err := a.store.Settings.Values(c.ctx)
	if err != nil {
		return answer{}, err
	}
	list := Page[Setting]{Data: []Setting{}}
	for _, d := range models.SettingDefs() {
		list.Data = append(list.Data, settingOf(d, values[d.Name]))
	}
	return answer{status: ok, value: list}, nil
}

// setting is the one that the address names.
func (a *API) setting(c *call) (models.SettingDef, Setting, error) {
	d, known := models.SettingByName(c.param("setting"))
	if !known {
		return d, Setting{}, notFound("setting")
	}
	values, err := a.store.Settings.Values(c.ctx)
	return d, settingOf(d, values[d.Name]), err
}

func (a *API) getSetting(c *call) (answer, error) {
	_, s, err := a.setting(c)
	return answer{status: ok, value: s, tag: tagOf(s)}, err
}

// putSetting changes a setting. One that has the value already stays as it is.
func (a *API) putSetting(c *call) (answer, error) {
	var in SettingInput
	var dry DryRun
	if err := c.query(&dry); err != nil {
		return answer{}, err
	}
	if !c.token.Within().All() {
		return answer{}, forbidden("", "The token is for the location "+c.token.Location+" only, and settings apply to all locations.")
	}
	if err := c.bind(&in, Setting{}); err != nil {
		return answer{}, err
	}
	d, old, err := a.setting(c)
	if err != nil {
		return answer{}, err
	}
	if err := c.unchanged(tagOf(old)); err != nil {
		return answer{}, err
	}
	if in.Reason = strings.TrimSpace(in.Reason); in.Reason == "" {
		return answer{}, faulty("reason", "Give a reason.")
	}
	value, err := d.Check(strings.TrimSpace(in.Value))
	if err != nil {
		return answer{}, faulty("value", wording.Sentence(err))
	}
	switch changes := []string{"value"}; {
	case dry.DryRun == "true" && value == old.Value:
		return answer{status: ok, value: Changes{Changes: changes[:0]}}, nil
	case dry.DryRun == "true":
		return answer{status: ok, value: Changes{Changes: changes}}, nil
	case value == old.Value:
		return answer{status: ok, value: old, tag: tagOf(old)}, nil
	}
	err = a.store.Settings.ChangeFrom(c.storing(), c.by(), d.Name, old.Value, value, in.Reason)
	if _, late := errors.AsType[*models.ConflictError](err); late {
		return answer{}, errChanged
	}
	if err != nil {
		return answer{}, err
	}
	a.Site.OnChange()
	now := settingOf(d, value)
	return answer{status: ok, value: now, tag: tagOf(now)}, nil
}
