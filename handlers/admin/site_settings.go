package admin

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/handlers/web"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// reasonMax is how long the reason for a change may be, in characters.
const reasonMax = 500

type siteSettingsPage struct {
	web.Page
	Settings []siteSettingLine
}

type siteSettingLine struct {
	models.SettingDef
	Value string
}

// Now is the value in force, with its unit.
func (l siteSettingLine) Now() string { return settingWords(l.SettingDef, l.Value) }

// Shipped is the default, with its unit.
func (l siteSettingLine) Shipped() string { return settingWords(l.SettingDef, l.Default) }

// settingWords is a value with its unit, in the singular for one.
func settingWords(d models.SettingDef, value string) string {
	switch {
	case d.Unit == "":
		return value
	case value == "1":
		return value + " " + strings.TrimSuffix(d.Unit, "s")
	default:
		return value + " " + d.Unit
	}
}

type siteSettingPage struct {
	web.Page
	Def       models.SettingDef
	Now       string // value in force, with its unit
	Shipped   string // the default, with its unit
	Differs   bool   // the value in force is not the default
	Value     string // in the form
	Reason    string
	Faults    web.Faults
	History   []models.SettingChange
	Range     string
	ReasonMax int
}

func (s *Pages) SiteSettings(c *gin.Context) error {
	values, err := s.Store.Settings.Values(c.Request.Context())
	if err != nil {
		return err
	}
	p := &siteSettingsPage{Page: web.Page{Title: "Site settings", Nav: "settings"}}
	for _, d := range models.SettingDefs() {
		p.Settings = append(p.Settings, siteSettingLine{d, values[d.Name]})
	}
	return s.Render(c, http.StatusOK, "site_settings", p)
}

func (s *Pages) SiteSetting(c *gin.Context) error {
	d, err := askedSetting(c)
	if err != nil {
		return err
	}
	p := &siteSettingPage{Def: d}
	typed, err := s.TypedBefore(c)
	if err != nil {
		return err
	}
	if typed != nil {
		p = readSettingForm(d, typed)
	}
	return s.showSiteSetting(c, http.StatusOK, p)
}

func readSettingForm(d models.SettingDef, form url.Values) *siteSettingPage {
	return &siteSettingPage{Def: d, Value: strings.TrimSpace(form.Get("value")), Reason: cleanReason(form.Get("reason")), Faults: web.Faults{}}
}

// askedSetting is the setting that the address names.
func askedSetting(c *gin.Context) (models.SettingDef, error) {
	d, ok := models.SettingByName(c.Query("name"))
	if !ok {
		return d, web.NotFound("There is no site setting of this name.")
	}
	return d, nil
}

func (s *Pages) showSiteSetting(c *gin.Context, status int, p *siteSettingPage) error {
	ctx := c.Request.Context()
	values, err := s.Store.Settings.Values(ctx)
	if err != nil {
		return err
	}
	if p.History, err = s.Store.Settings.History(ctx, p.Def.Name); err != nil {
		return err
	}
	p.Page = web.Page{Title: p.Def.Name, Nav: "settings"}
	p.Now, p.Shipped, p.ReasonMax = settingWords(p.Def, values[p.Def.Name]), settingWords(p.Def, p.Def.Default), reasonMax
	p.Differs = values[p.Def.Name] != p.Def.Default
	if p.Faults == nil {
		p.Value = values[p.Def.Name]
	}
	if !p.Def.Bool {
		p.Range = strconv.Itoa(p.Def.Min) + "–" + web.Count(int64(p.Def.Max)) + " " + p.Def.Unit
	}
	return s.Render(c, status, "site_setting", p)
}

func (s *Pages) SiteSettingPost(c *gin.Context) error {
	if err := web.ParseForm(c); err != nil {
		return err
	}
	d, err := askedSetting(c)
	if err != nil {
		return err
	}
	form := c.Request.PostForm
	p := readSettingForm(d, form)
	asked := p.Value
	if form.Get("do") == "reset" {
		asked = d.Default
	}
	value, err := d.Check(asked)
	if err != nil {
		p.Faults.Add("value", web.Sentence(err))
	}
	values, err := s.Store.Settings.Values(c.Request.Context())
	if err != nil {
		return err
	}
	if values[d.Name] == value {
		p.Faults.Add("value", settingWords(d, value)+" is the value already.")
	}
	switch n := utf8.RuneCountInString(p.Reason); {
	case n == 0:
		p.Faults.Add("reason", "Say briefly why, for those who will wonder later.")
	case n > reasonMax:
		p.Faults.Add("reason", "This has "+web.Count(int64(n))+" characters; a reason has up to "+strconv.Itoa(reasonMax)+".")
	case !web.IsText(p.Reason) || strings.ContainsFunc(p.Reason, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }):
		p.Faults.Add("reason", "This has characters in it that cannot be shown.")
	}
	if len(p.Faults) > 0 {
		return s.showSiteSetting(c, http.StatusUnprocessableEntity, p)
	}
	if err = s.Store.Settings.Change(c.Request.Context(), web.ActorOf(c), d.Name, value, p.Reason); err != nil {
		return err
	}
	s.OnChange()
	return s.Redirect(c, c.Request.URL.RequestURI(), web.Flash{Kind: "success", Text: d.Name + " is now " + value + "."})
}

// cleanReason takes the carriage returns out that browsers send.
func cleanReason(reason string) string {
	return strings.TrimSpace(strings.ReplaceAll(reason, "\r\n", "\n"))
}
