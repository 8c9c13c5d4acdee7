package webhooks

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/fields"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// webhookForm is the input of the form.
type webhookForm struct {
	Name     web.Line `form:"name"`
	Location string   `form:"location"`
	Events   []string `form:"events"`
	// Custom are activities that the type's list does not have, by their names,
	// separated by commas. They stand among Events too.
	Custom    web.Line `form:"custom"`
	TagMode   string   `form:"tag_mode"`
	Tags      string   `form:"tags" binding:"max=10000"` // separated by commas
	Community string   `form:"community"`
	URL       web.Line `form:"url"`
	Headers   string   `form:"headers" binding:"max=100000"` // a "Name: value" on each line
	// UpdatedAt is the version that the form was opened with.
	UpdatedAt string `form:"updated_at"`
	// Moving is the location for which dropping the waiting deliveries was
	// confirmed.
	Moving string `form:"moving"`
	// Swapping says that replacing one secret and removing the other was
	// confirmed; empty: it was not.
	Swapping string `form:"swapping"`
	Do       string `form:"do"`
	// Sample is the activity that a test notification is of, where the type has a
	// test of its own; empty: that one.
	Sample string `form:"sample"`

	// The fields below have names that depend on the type.

	fields.SecretInput `form:"-"`
	Options            map[string]string `form:"-"` // by key
}

// complete adds the fields that depend on the type to a form that was bound.
func (form *webhookForm) complete(v url.Values, f *wire.Format) {
	if form.TagMode == "" {
		form.TagMode = models.TagsAll
	}
	if f.Custom == nil {
		form.Custom = ""
	}
	form.Events = append(form.Events, splitNames(string(form.Custom))...)
	form.SecretInput, form.Options = fields.TypedSecrets(len(f.Secrets), v), fields.Typed(f.Fields, v)
}

// blankWebhookForm is the form of a new webhook.
func blankWebhookForm(f *wire.Format, location string) webhookForm {
	return webhookForm{Location: location, TagMode: models.TagsAll, Options: fields.Defaults(f.Fields)}
}

// savedWebhookForm is the form of a saved webhook: its secrets stay empty, and
// of custom headers only the names are there.
func savedWebhookForm(f *wire.Format, w models.Webhook, opened models.Opened) webhookForm {
	form := blankWebhookForm(f, w.Location)
	form.Name, form.Events, form.TagMode, form.Community = web.Line(w.Name), slices.Clone(w.Events), w.TagMode, w.Community
	form.Tags = strings.Join(w.Tags, ", ")
	form.Custom = web.Line(strings.Join(unlisted(f, w.Events), ", "))
	if !f.SecretURL {
		form.URL = web.Line(opened.URL)
	}
	var lines []string
	for _, h := range opened.Headers {
		lines = append(lines, h.Name+":")
	}
	form.Headers = strings.Join(lines, "\n")
	for _, field := range f.Fields {
		if value := w.Options[field.Key]; value != "" {
			form.Options[field.Key] = value
		}
	}
	form.UpdatedAt = w.UpdatedAt.UTC().Format(time.RFC3339Nano)
	return form
}

// splitNames are the names typed, without repeats.
func splitNames(typed string) []string {
	var names []string
	seen := map[string]bool{"": true}
	for name := range strings.SplitSeq(typed, ",") {
		if name = strings.TrimSpace(name); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// unlisted are the activities that the type's list does not have.
func unlisted(f *wire.Format, values []string) []string {
	var names []string
	for _, value := range values {
		if !slices.ContainsFunc(f.Options, func(o wire.Option) bool { return o.Value == value }) {
			names = append(names, value)
		}
	}
	return names
}

// splitHeaders are the custom headers typed, one a line; a line without a
// colon has no value. Empty lines do not count.
func splitHeaders(typed string) []models.Header {
	list := []models.Header{}
	for line := range strings.Lines(typed) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		list = append(list, models.Header{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
	}
	return list
}
