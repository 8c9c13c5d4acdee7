package webhooks

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-playground/validator/v10"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// wholeForm is the "field" of faults that belong to none.
const wholeForm = "form"

// checkedWebhook is a form that was looked through: what to store, and what a
// request made of it would use.
type checkedWebhook struct {
	Input models.WebhookInput
	// Effective is the URL, the secrets and headers in clear, saved ones
	// included as far as they may be used.
	Effective models.Opened
	// Generated says that the type always signs, none of the secrets is left,
	// and so a new one was made, which nobody has seen.
	Generated bool
	UpdatedAt time.Time
}

// webhookCheck looks a form through. Old is the saved webhook, nil for a new one.
type webhookCheck struct {
	format *wire.Format
	form   *webhookForm
	old    *models.Webhook
	opened models.Opened // of old
	moved  bool          // the URL leads to another origin than the saved one
	faults web.Faults
	out    checkedWebhook
}

// previewLookup is how long a preview waits for the address of a name.
const previewLookup = 50 * time.Millisecond

const (
	tagsMax    = 100
	tagLength  = 64
	headersMax = 20
	// activitiesMax is also among the tags of webhookForm.
	activitiesMax = 500
	// What is said when the URL leads to another host.
	movedSecret  = "The URL is on another host, so the saved secret is not used. Enter it again, generate a new one, or clear it." //nolint:gosec // a sentence, no secret
	movedHeaders = "The URL is on another host, so the saved values are not used. Enter them again: "
)

var limits = newLimits()

func newLimits() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(web.FormName)
	if err := v.RegisterValidation("line", func(f validator.FieldLevel) bool { return isLine(f.Field().String()) }); err != nil {
		panic(err) // only a fault in the line above
	}
	return v
}

// isLine tells text on one line without control characters.
func isLine(s string) bool { return web.IsText(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// checkWebhook returns what the form means, or its faults. The error is of the
// system, not of the form.
func (s *Pages) checkWebhook(ctx context.Context, f *wire.Format, form *webhookForm, old *models.Webhook) (checkedWebhook, web.Faults, error) {
	c := &webhookCheck{format: f, form: form, old: old, faults: web.Faults{}}
	if old != nil {
		var err error
		if c.opened, err = s.Store.Webhooks.Open(*old); err != nil {
			return c.out, nil, err
		}
	}
	c.out.Input = models.WebhookInput{
		Type: f.Name, Name: form.Name, Location: form.Location, Community: form.Community, TagMode: form.TagMode,
		Events: []string{}, Tags: []string{}, Options: map[string]string{},
	}
	c.plainLimits()
	c.events()
	c.tags()
	if err := c.place(ctx, s.Site); err != nil {
		return c.out, nil, err
	}
	if form.Do == "preview" {
		// It follows every key: what a name leads to is asked for by the others.
		quick, cancel := context.WithTimeout(ctx, previewLookup)
		defer cancel()
		c.url(quick, s.Sender)
	} else {
		c.url(ctx, s.Sender)
	}
	c.secrets()
	c.headers()
	c.options()
	c.version()
	return c.out, c.faults, nil
}

// plainLimits are those that the struct's tags state.
func (c *webhookCheck) plainLimits() {
	var list validator.ValidationErrors
	if !errors.As(limits.Struct(c.form), &list) {
		return
	}
	for _, e := range list {
		c.faults.Add(e.Field(), limitSentence(e))
	}
}

func limitSentence(e validator.FieldError) string {
	switch e.Field() + " " + e.Tag() {
	case "name required":
		return "Enter a name, for example “Python Accepted Answers”."
	case "location required":
		return "Choose a location."
	case "events required":
		return "Choose at least one activity."
	case "tag_mode oneof":
		return "Choose All tags or Specific tags."
	}
	switch e.Tag() {
	case "max":
		return fmt.Sprintf("This is longer than %s characters.", e.Param())
	default:
		return "This contains line breaks or other characters that cannot be shown."
	}
}

// events keeps the chosen activities in the order of the type's options, those
// that its list does not have after them.
func (c *webhookCheck) events() {
	if len(c.form.Events) > activitiesMax {
		return // which is a fault already
	}
	for _, o := range c.format.Options {
		if slices.Contains(c.form.Events, o.Value) {
			c.out.Input.Events = append(c.out.Input.Events, o.Value)
		}
	}
	for _, value := range unlisted(c.format, c.form.Events) {
		if slices.Contains(c.out.Input.Events, value) {
			continue
		}
		if o, err := c.format.Option(value); err != nil {
			c.faults.Add("events", web.Sentence(err))
		} else {
			c.out.Input.Events = append(c.out.Input.Events, o.Value)
		}
	}
}

func (c *webhookCheck) tags() {
	if c.form.TagMode != models.TagsSpecific {
		return
	}
	tags := splitTags(c.form.Tags)
	switch {
	case len(tags) == 0:
		c.faults.Add("tags", "Add at least one tag, or choose All tags.")
	case len(tags) > tagsMax:
		c.faults.Add("tags", fmt.Sprintf("There are %d tags; a webhook can have up to %d.", len(tags), tagsMax))
	}
	for _, tag := range tags {
		if len([]rune(tag)) > tagLength || !isLine(tag) {
			c.faults.Add("tags", fmt.Sprintf("“%s” is not a valid tag: it has more than %d characters or contains some that cannot be shown.",
				web.Cut(strings.ToValidUTF8(tag, "?"), 80), tagLength))
		}
	}
	c.out.Input.Tags = tags
}

// place finds location and community by what was typed. What a webhook has
// already stays possible for it.
func (c *webhookCheck) place(ctx context.Context, s *web.Site) error {
	if c.form.Location == "" {
		return nil // plainLimits has said so
	}
	stays := c.old != nil && c.form.Location == c.old.Location
	if !stays {
		slug, fault, err := s.FilterLocation(ctx, c.form.Location)
		if err != nil {
			return err
		}
		if fault != "" {
			c.faults.Add("location", fault)
			return nil
		}
		c.form.Location, c.out.Input.Location = slug, slug
	}
	if c.form.Community == "" || stays && c.old.Community == c.form.Community {
		return nil
	}
	slug, err := s.FindCommunity(ctx, c.form.Location, c.form.Community)
	switch {
	case errors.Is(err, models.ErrNotFound):
		c.faults.Add("community", "This location has no such community. Choose another, or none.")
		return nil
	case err != nil:
		return err
	}
	c.form.Community, c.out.Input.Community = slug, slug
	return nil
}

func (c *webhookCheck) options() {
	for _, field := range c.format.Fields {
		value, name := c.form.Options[field.Key], optionPrefix+field.Key
		switch {
		case value == "" && field.Required:
			c.faults.Add(name, "This field is required.")
		case value == "":
			continue
		case len(field.Choices) > 0 && !slices.Contains(field.Choices, value):
			c.faults.Add(name, "Choose a value from the list.")
		case field.Multiline && web.IsText(value) && len(value) <= 4096:
			// Its own check looks at it.
		case !isLine(value) || len(value) > 4096:
			c.faults.Add(name, "This is too long or contains characters that cannot be shown.")
		case field.Pattern != "" && !matchesWhole(field.Pattern, value):
			c.faults.Add(name, field.PatternHelp)
		}
		if field.Check != nil && c.faults[name] == "" {
			kept, err := field.Check(value)
			if err != nil {
				c.faults.Add(name, web.Sentence(err))
			}
			value = kept
		}
		c.out.Input.Options[field.Key] = value
	}
}

func matchesWhole(pattern, value string) bool {
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	return err == nil && re.MatchString(value)
}

func (c *webhookCheck) version() {
	if c.old == nil {
		return
	}
	var err error
	if c.out.UpdatedAt, err = time.Parse(time.RFC3339Nano, c.form.UpdatedAt); err != nil {
		c.faults.Add(wholeForm, "This form does not name the version that it was opened with. Open it again.")
	}
}
