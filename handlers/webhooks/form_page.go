package webhooks

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/fields"
	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// The parts of the form's page that our scripts ask for.
const (
	FormFragment    = "webhook-form"
	previewFragment = "webhook-preview"
)

type webhookFormPage struct {
	web.Page
	Back       string          // the list
	Saved      *models.Webhook // nil: a new webhook
	Type       string          // the form sends it for the login page, see web.Carried
	TypeLabel  string
	Form       webhookForm
	Faults     web.Faults
	Warnings   web.Faults // about input that is saved all the same
	Summary    []faultLine
	Location   web.Picker
	About      string // text about the chosen location
	Activities []optionGroup
	Custom     *wire.CustomOption // nil: the type has no others
	Community  web.Picker
	Secrets    []fields.Secret
	Fields     []fields.Own
	SavedURL   string // shown part of a saved URL that is a secret
	URLReveal  string // path of the question before that URL is shown
	SavedNames bool   // there are custom headers whose values are saved
	Copied     bool   // it is a copy, which is created paused
	NotCopied  string // parts that were not copied; empty: none, or already shown
	Off        bool   // the type is switched off
	Result     *testShown
	Preview    *preview
	Samples    []web.ChoiceGroup // of the test notification; empty: there is no choice
	Guide      string            // address of the guide for receivers
	URLHelp    string            // where to get the URL from; empty: the receiver says
}

// guidePath is the address of the guide for receivers of a type.
func guidePath(f *wire.Format) string { return "/developer/receivers/" + f.Name }

// faultLine leads from the summary to a field.
type faultLine struct{ Field, Label, Text string }

type optionGroup struct {
	Label   string
	Options []web.Choice
	Chosen  int
	Folds   bool // it stands in a fold, because the type has many
	Open    bool // the fold is open
}

// unfolded is how many activities a form shows without folds.
const unfolded = 16

func (s *Pages) showWebhookForm(c *gin.Context, status int, e *editing) error {
	ctx := c.Request.Context()
	at, err := e.request.snapshot(ctx, s.Store)
	if err != nil {
		return err
	}
	p := &webhookFormPage{
		Page: web.Page{Title: "Get notifications via webhooks", Nav: "webhooks", At: &at}, Saved: e.old, Type: e.format.Name, TypeLabel: e.format.Label,
		Form: e.form, Faults: e.faults, Warnings: filterWarnings(e.format, e.form), Activities: e.activities(), Custom: e.format.Custom, Secrets: e.secrets(), Fields: fields.Owns(e.format.Fields, e.form.Options, e.faults),
		SavedNames: e.old != nil && e.old.Headers != "", Off: e.format.NeedsFeature && !at.Settings.GenericEnabled,
		Back: listBehind(c), Copied: e.copied, NotCopied: e.notCopied, Result: e.test, Preview: e.preview,
		Samples: e.samples(), Guide: guidePath(e.format), URLHelp: e.format.URLHelp,
	}
	if e.old != nil && e.format.SecretURL {
		p.SavedURL, p.URLReveal = e.old.URLShown, reveal.Path(WebhookPath(e.old.ID), revealURL)
	}
	for field := range p.Faults {
		delete(p.Warnings, field)
	}
	p.Summary = p.summary()
	if err := p.offerPlaces(ctx, e.request.places); err != nil {
		return err
	}
	return s.RenderFragment(c, status, "webhook_form", p, FormFragment)
}

// offerPlaces fills in the choices for location and community.
func (p *webhookFormPage) offerPlaces(ctx context.Context, places *web.Directory) (err error) {
	location := web.Storable(p.Form.Location)
	if p.Location, err = places.LocationPicker(ctx, "location", location); err != nil {
		return err
	}
	if p.Location.HelpIDs = "location-help"; p.Location.Text {
		p.Location.HelpIDs = "location-hint location-help"
	}
	p.Location.Fault = p.Faults["location"]
	here, err := places.Location(ctx, location)
	if err != nil && !errors.Is(err, models.ErrNotFound) {
		return err
	}
	p.About = here.Description
	p.Community, err = places.CommunityPicker(ctx, location, p.Form.Community)
	p.Community.Fault, p.Community.Warning = p.Faults["community"], p.Warnings["community"]
	return err
}

func (e *editing) activities() []optionGroup {
	var groups []optionGroup
	for _, o := range e.format.Options {
		i := slices.IndexFunc(groups, func(g optionGroup) bool { return g.Label == o.Group })
		if i < 0 {
			i, groups = len(groups), append(groups, optionGroup{Label: o.Group})
		}
		chosen := slices.Contains(e.form.Events, o.Value)
		groups[i].Options = append(groups[i].Options, web.Choice{Value: o.Value, Label: o.Label, Chosen: chosen})
		if chosen {
			groups[i].Chosen++
		}
	}
	for i := range groups {
		g := &groups[i]
		g.Folds = g.Label != "" && len(e.format.Options) > unfolded
		g.Open = g.Chosen > 0 || len(e.form.Events) == 0 && i == 0
	}
	return groups
}

// chooseGroup chooses all activities of a group of the form, or none, as a button
// says: all_0, none_3. False: there is no such group.
func (e *editing) chooseGroup(do string) bool {
	action, number, _ := strings.Cut(do, "_")
	groups := e.activities()
	i, err := strconv.Atoi(number)
	if err != nil || action != "all" && action != "none" || i < 0 || i >= len(groups) {
		return false
	}
	for _, o := range groups[i].Options {
		e.form.Events = slices.DeleteFunc(e.form.Events, func(value string) bool { return value == o.Value })
		if action == "all" {
			e.form.Events = append(e.form.Events, o.Value)
		}
	}
	return true
}

// samples are what a test notification can be of, where the type has a test of
// its own: that, or one of its events. Empty: there is no choice.
func (e *editing) samples() []web.ChoiceGroup { return sampleChoices(e.format, nil, e.form.Sample) }

// sampleChoices offers the vendor's own test, and the events given; nil: all of
// the type.
func sampleChoices(f *wire.Format, values []string, chosen string) []web.ChoiceGroup {
	if !f.OwnTest {
		return nil
	}
	groups := []web.ChoiceGroup{{Label: "Without an event", Choices: []web.Choice{{Label: f.Label + "’s own test message", Chosen: chosen == ""}}}}
	for _, o := range f.Options {
		if values != nil && !slices.Contains(values, o.Value) {
			continue
		}
		last := &groups[len(groups)-1]
		if last.Label != o.Group {
			groups = append(groups, web.ChoiceGroup{Label: o.Group})
			last = &groups[len(groups)-1]
		}
		last.Choices = append(last.Choices, web.Choice{Value: o.Value, Label: o.Label, Chosen: o.Value == chosen})
	}
	return groups
}

// sampleOf are the events of a test notification: the sample of an option, or,
// when none is named, those of the type.
func sampleOf(f *wire.Format, option string, values []string) ([]wire.Event, error) {
	if option == "" {
		return f.Samples(values), nil
	}
	o, err := f.Option(option)
	if err != nil {
		return nil, web.Unusable(wording.Sentence(err))
	}
	return []wire.Event{o.Sample()}, nil
}

func (e *editing) secrets() []fields.Secret {
	path := ""
	if e.old != nil {
		path = WebhookPath(e.old.ID)
	}
	list := e.form.Fields(e.format.Secrets, e.savedSecrets(), path, e.faults)
	for i := range list {
		list[i].Generate, list[i].Signs = true, true
		list[i].Generated = e.format.AlwaysSigns && i == 0 && !e.otherSecret()
	}
	return list
}

// otherSecret tells whether the webhook will have a second secret.
func (e *editing) otherSecret() bool {
	return e.form.Secrets[1] != "" || e.savedSecrets()[1].Set && !e.form.Removed[1]
}

// summary lists the faults in the order of the fields.
func (p *webhookFormPage) summary() []faultLine {
	order := []faultLine{
		{wholeForm, "", ""},
		{"name", "What would you like to name this webhook?", ""},
		{"location", "Which location should be used for this notification?", ""},
		{"events", "What activity type would you like to be notified about?", ""},
		{"tag_mode", "What tags would you like to be notified about?", ""},
		{"tags", "What tags would you like to be notified about?", ""},
		{"community", "What community would you like to be notified about?", ""},
		{"url", "Where would you like the payload to be sent?", ""},
	}
	for _, s := range p.Secrets {
		order = append(order, faultLine{s.ID, s.Label + ":", ""})
	}
	for _, f := range p.Fields {
		order = append(order, faultLine{f.ID, f.Label + ":", ""})
	}
	order = append(order, faultLine{"headers", "Custom headers:", ""})
	var list []faultLine
	for _, line := range order {
		if line.Text = p.Faults[line.Field]; line.Text != "" {
			list = append(list, line)
		}
	}
	return list
}

// ToCorrect is the number of fields with a fault. Faults of the whole form do
// not count.
func (p *webhookFormPage) ToCorrect() int {
	n := len(p.Summary)
	if p.Faults[wholeForm] != "" {
		n--
	}
	return n
}

// FirstOption is the id of the first activity, where a fault of all leads to.
func (p *webhookFormPage) FirstOption() string { return "events-0-0" }

// shownGroup is a group of activities with its place in the form.
type shownGroup struct {
	optionGroup
	Number int
	Fault  bool
}

// Group is a group by its number.
func (p *webhookFormPage) Group(number int) shownGroup {
	return shownGroup{p.Activities[number], number, p.Faults["events"] != ""}
}

// OptionID is an activity's id in the page.
func (g shownGroup) OptionID(option int) string {
	return "events-" + strconv.Itoa(g.Number) + "-" + strconv.Itoa(option)
}
