package admin

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

type siteSettingsPage struct {
	web.Page
	Settings []siteSettingLine
}

type siteSettingLine struct {
	models.SettingDef
	Value string
}

// Now is the value in force, with its unit.
func (l siteSettingLine) Now() string { return l.Words(l.Value) }

// Shipped is the default, with its unit.
func (l siteSettingLine) Shipped() string { return l.Words(l.Default) }

type siteSettingPage struct {
	web.Page
	settingForm
	Def       models.SettingDef
	Now       string // value in force, with its unit
	Shipped   string // the default, with its unit
	Differs   bool   // the value in force is not the default
	Typed     bool   // the form holds the input, not the value in force
	Faults    web.Faults
	History   []models.SettingChange
	Range     string
	ReasonMax int
}

// Words is a value of the setting with its unit.
func (p *siteSettingPage) Words(value string) string { return p.Def.Words(value) }

// settingForm is the change of a setting. Its definition has the rules for the
// value. Do is "reset" to go back to the default, and the value is ignored.
type settingForm struct {
	Value  web.Line `form:"value"`
	Reason web.Text `form:"reason" binding:"required,visible,text"`
	Do     string   `form:"do"`
}

// SiteSettings lists all site settings with their values in force.
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

// SiteSetting shows one setting with its form and its history. ?name names it;
// an unknown name is a 404.
func (s *Pages) SiteSetting(c *gin.Context) error {
	d, err := settingFromRequest(c)
	if err != nil {
		return err
	}
	p := &siteSettingPage{Def: d}
	if p.Typed, err = s.Refill(c, &p.settingForm); err != nil {
		return err
	}
	return s.showSiteSetting(c, http.StatusOK, p)
}

// settingFromRequest is the setting that the address names.
func settingFromRequest(c *gin.Context) (models.SettingDef, error) {
	d, ok := models.SettingByName(c.Query("name"))
	if !ok {
		return d, web.NotFound("There is no site setting with this name.")
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
	p.Now, p.Shipped, p.ReasonMax = p.Def.Words(values[p.Def.Name]), p.Def.Words(p.Def.Default), rules.TextMax
	p.Differs = values[p.Def.Name] != p.Def.Default
	if !p.Typed {
		p.Value = web.Line(values[p.Def.Name])
	}
	if !p.Def.Bool {
		p.Range = strconv.Itoa(p.Def.Min) + "–" + wording.Count(int64(p.Def.Max)) + " " + p.Def.Unit
	}
	return s.Render(c, status, "site_setting", p)
}

// SiteSettingPost changes a setting, or resets it to its default, and wakes the
// jobs. A value that is in force already is refused with a 422.
func (s *Pages) SiteSettingPost(c *gin.Context) error {
	d, err := settingFromRequest(c)
	if err != nil {
		return err
	}
	p := &siteSettingPage{Def: d, Typed: true}
	if p.Faults, err = web.Bind(c, &p.settingForm); err != nil {
		return err
	}
	requested := string(p.Value)
	if p.Do == "reset" {
		requested = d.Default
	}
	value, err := d.Check(requested)
	if err != nil {
		p.Faults.Add("value", wording.Sentence(err))
	}
	values, err := s.Store.Settings.Values(c.Request.Context())
	if err != nil {
		return err
	}
	if values[d.Name] == value {
		p.Faults.Add("value", "It is already "+d.Words(value)+".")
	}
	if len(p.Faults) > 0 {
		return s.showSiteSetting(c, http.StatusUnprocessableEntity, p)
	}
	if err = s.Store.Settings.Change(c.Request.Context(), web.ActorOf(c), d.Name, value, string(p.Reason)); err != nil {
		return err
	}
	s.OnChange()
	return s.Redirect(c, c.Request.URL.RequestURI(), web.Flash{Kind: "success", Text: d.Name + " is now " + d.Words(value) + "."})
}
