package demo

import (
	"errors"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// sampleWebhook is one sample webhook in words that do not depend on its type.
type sampleWebhook struct {
	kind, name, owner string
	location          string
	events            []string // internal types; nil: all of the type's main ones
	tags              []string // nil: all tags
	path              string   // at the receiver
	secrets           int      // how many of the type's signing secrets are set
}

// sampleWebhooks returns the samples, the one that the list shows first last.
func sampleWebhooks() []sampleWebhook {
	return []sampleWebhook{
		{
			kind: "slack", name: "All test activities #soe-test", owner: "Test Engineering Admin",
			location: "soe-test", path: "/hook/all-test-activities", secrets: 1,
		},
		{
			kind: "slack", name: "Anything a11y", owner: "JR Winger",
			location: "accessibility", tags: []string{"a11y"}, path: "/hook/anything-a11y", secrets: 1,
		},
		{
			// Its receiver answers 410, which breaks it with the first delivery.
			kind: "generic", name: "New backend questions", owner: "Mary Wilkins",
			location: "devcentral", events: []string{wire.QuestionCreated}, tags: []string{"backend"},
			path: "/gone/new-backend-questions", secrets: 1,
		},
		{
			kind: "generic", name: "Python Accepted Answers", owner: "J Marshall",
			location: "python-wranglers", events: []string{wire.AnswerAccepted}, tags: []string{"python"},
			path: "/hook/python-accepted-answers", secrets: 2,
		},
	}
}

// sampleLocations returns the sample locations. Their communities and tags are
// registered by the simulator's events, as on any site.
func sampleLocations() []models.Location {
	return []models.Location{
		{Slug: models.MainLocation, Name: "Main site", Description: "Readable by everyone at the company."},
		{Slug: "python-wranglers", Name: "Python Wranglers", Description: "The team that looks after Python and its data tools."},
		{Slug: "devcentral", Name: "DevCentral", Description: "How we build, review and ship."},
		{Slug: "accessibility", Name: "Accessibility"},
		{Slug: "soe-test", Name: "SOE Test"},
	}
}

// sampleSettings are the settings of the demo, quicker than the defaults.
func sampleSettings() map[string]string {
	return map[string]string{
		models.EnableGenericWebhooks: "True", models.DispatchInterval: "2", models.DispatchDelay: "3",
	}
}

// input is the sample as its form would send it; a type that does not exist
// here becomes generic.
func (d sampleWebhook) input(receiverURL string) (models.WebhookInput, error) {
	format, ok := wire.Lookup(d.kind)
	if !ok {
		if format, ok = wire.Lookup("generic"); !ok {
			return models.WebhookInput{}, errors.New("there is no generic type")
		}
	}
	target := receiverURL + d.path
	in := models.WebhookInput{
		Type: format.Name, Name: d.name, Location: d.location, TagMode: models.TagsAll, Events: d.values(format),
		Tags: []string{}, URL: target, URLShown: send.Shown(target, format.SecretURL), Options: map[string]string{},
	}
	if d.tags != nil {
		in.TagMode, in.Tags = models.TagsSpecific, d.tags
	}
	for i := range min(d.secrets, len(format.Secrets)) {
		in.Secrets[i].Set = format.NewSecret()
	}
	return in, nil
}

// values are the options of the type that stand for the sample's activities.
func (d sampleWebhook) values(format *wire.Format) []string {
	var values []string
	for _, o := range format.Options {
		wanted := d.events == nil && o.Group == ""
		for _, e := range o.Types() {
			wanted = wanted || slices.Contains(d.events, e)
		}
		if wanted {
			values = append(values, o.Value)
		}
	}
	return values
}

func email(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), " ", ".") + "@example.com"
}
