package definition

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// The limits of a webhook besides those in the tags of content.
const (
	TagsMax    = 100
	TagLength  = 64 // characters
	HeadersMax = 20
	// EventsMax is also among the tags of content.
	EventsMax = 500
	keyLength = 64
	// optionLength is how long a value of a type's own field may be, in bytes.
	optionLength = 4096
	// previewLookup is how long a preview waits for the address of a host.
	previewLookup = 50 * time.Millisecond
)

// content is a webhook as it would be saved, with saved values where nothing
// else is wanted. Its rules are checked first; those that need the type, the
// saved webhook or the database follow.
type content struct {
	Name      string   `form:"name" binding:"required,max=200,line"`
	Location  string   `form:"location" binding:"required"`
	Events    []string `form:"events" binding:"min=1,max=500"`
	TagMode   string   `form:"tag_mode" binding:"oneof=all specific"`
	Tags      []string
	Community string `form:"community" binding:"max=64"`
	URL       string `form:"url" binding:"max=2048,line"`
	Key       string `form:"key" binding:"omitempty,webhook_key"`
}

// keyPattern is a slug with at least one letter, so that no key is a number.
var keyPattern = regexp.MustCompile(`^[0-9-]*[a-z][a-z0-9-]*$`)

func init() {
	rules.Add(map[string]func(value string) bool{
		"webhook_key": func(value string) bool { return len(value) <= keyLength && keyPattern.MatchString(value) },
	})
}

// check looks a webhook through.
type check struct {
	*Checker
	purpose Purpose
	format  *wire.Format
	in      Input
	saved   *Saved        // nil: a new webhook
	opened  models.Opened // of saved
	want    content
	moved   bool // the URL leads to another origin than the saved one
	faults  Faults
	out     Checked
}

// Check returns the checked webhook, or the faults of the input. Saved is nil
// for a new webhook. The error is of the system, not of the input.
func (c *Checker) Check(ctx context.Context, in Input, saved *Saved, p Purpose) (Checked, Faults, error) {
	k := &check{Checker: c, purpose: p, format: in.Format, in: in, saved: saved}
	k.fill()
	k.out = Checked{Format: in.Format, Saved: saved, Input: models.WebhookInput{
		Type: in.Format.Name, Key: k.want.Key, Name: k.want.Name, Location: k.want.Location, Community: k.want.Community, TagMode: k.want.TagMode,
		Events: []string{}, Tags: []string{},
	}}
	if err := k.allowed(ctx); err != nil {
		return k.out, nil, err
	}
	k.limits()
	k.events()
	k.tags()
	if err := k.place(ctx); err != nil {
		return k.out, nil, err
	}
	k.url(ctx)
	k.secrets()
	k.headers()
	k.options()
	return k.out, k.faults, nil
}

// fill merges the input with the saved values.
func (k *check) fill() {
	w := &k.want
	w.TagMode = models.TagsAll
	if s := k.saved; s != nil {
		k.opened = s.Opened
		*w = content{s.Name, s.Location, s.Events, s.TagMode, s.Tags, s.Community, s.Opened.URL, s.Key}
	}
	for _, change := range []struct{ value, into *string }{
		{k.in.Key, &w.Key},
		{k.in.Name, &w.Name},
		{k.in.Location, &w.Location},
		{k.in.TagMode, &w.TagMode},
		{k.in.Community, &w.Community},
		{k.in.URL, &w.URL},
	} {
		if change.value != nil {
			*change.into = *change.value
		}
	}
	w.Name = strings.TrimSpace(w.Name)
	if k.in.Events != nil {
		w.Events = k.in.Events
	}
	if k.in.Tags != nil {
		w.Tags = k.in.Tags
	}
}

// allowed refuses new webhooks of a type that is switched off.
func (k *check) allowed(ctx context.Context) error {
	if k.saved != nil || !k.format.NeedsFeature || k.purpose == ToPreview {
		return nil
	}
	settings, err := k.Settings(ctx)
	if err == nil && !settings.GenericEnabled {
		k.faults.add(FieldType, fmt.Sprintf("%s webhooks are switched off by %s. None can be created.", k.format.Label, models.EnableGenericWebhooks))
	}
	return err
}

// limits are those that the tags of content state.
func (k *check) limits() {
	for _, fault := range rules.Check(k.want) {
		missing := fault.Field == FieldName && fault.Rule == "required" || fault.Field == FieldEvents && fault.Rule == "min"
		if !missing || k.purpose != ToTest {
			k.faults.add(fault.Field, fault.Text)
		}
	}
}

// events keeps the activities that the type has, each once.
func (k *check) events() {
	if len(k.want.Events) > EventsMax {
		return // which is a fault already
	}
	for _, value := range k.want.Events {
		o, err := k.format.Option(value)
		if err != nil {
			k.faults.add(FieldEvents, wording.Sentence(err))
		} else if !slices.Contains(k.out.Input.Events, o.Value) {
			k.out.Input.Events = append(k.out.Input.Events, o.Value)
		}
	}
}

// tags keeps the tags in lower case, sorted, without repeats.
func (k *check) tags() {
	if k.want.TagMode != models.TagsSpecific {
		return
	}
	tags := []string{}
	for _, tag := range k.want.Tags {
		if tag = strings.ToLower(strings.TrimSpace(tag)); tag != "" {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	switch {
	case len(tags) == 0:
		k.faults.add(FieldTags, "Add at least one tag, or choose All tags.")
	case len(tags) > TagsMax:
		k.faults.add(FieldTags, fmt.Sprintf("There are %d tags; a webhook can have up to %d.", len(tags), TagsMax))
	}
	for _, tag := range tags {
		if len([]rune(tag)) > TagLength || !wording.IsLine(tag) {
			k.faults.add(FieldTags, fmt.Sprintf("“%s” is not a valid tag: it has more than %d characters or contains some that cannot be shown.", shown(tag), TagLength))
		}
	}
	k.out.Input.Tags = tags
}

// place finds location and community. A webhook's current values stay valid for
// it.
func (k *check) place(ctx context.Context) error {
	if k.want.Location == "" {
		return nil // limits has said so
	}
	in := &k.out.Input
	stays := k.saved != nil && k.want.Location == k.saved.Location
	if !stays {
		slug, fault, err := k.Places.FilterLocation(ctx, k.want.Location)
		if err != nil {
			return err
		}
		if fault != "" {
			k.faults.add(FieldLocation, fault)
			return nil
		}
		in.Location = slug
	}
	if in.Community == "" || stays && k.saved.Community == in.Community {
		return nil
	}
	slug, err := k.Places.FindCommunity(ctx, in.Location, in.Community)
	if errors.Is(err, models.ErrNotFound) {
		k.faults.add(FieldCommunity, "This location has no such community. Choose another, or none.")
		return nil
	}
	if err == nil {
		in.Community = slug
	}
	return err
}

// options checks the values of the type's own fields, by their own rules too.
func (k *check) options() {
	values := map[string]string{}
	if k.saved != nil {
		maps.Copy(values, k.saved.Options)
	}
	for _, field := range k.format.Fields {
		value, given := k.in.Options[field.Key]
		if !given {
			value = values[field.Key]
		}
		name := OptionField(field.Key)
		switch {
		case value == "" && field.Required:
			k.faults.add(name, "This field is required.")
		case value != "":
			value = checkField(&k.faults, field, name, value)
		}
		if values[field.Key] = value; value == "" {
			delete(values, field.Key)
		}
	}
	k.out.Input.Options = values
}

// checkField checks a value of a type's own field, and returns it as it is kept.
func checkField(f *Faults, field wire.Field, name, value string) string {
	switch {
	case len(field.Choices) > 0 && !slices.Contains(field.Choices, value):
		f.add(name, "Choose a value from the list.")
	case field.Multiline && wording.IsText(value) && len(value) <= optionLength:
		// Its own check looks at it.
	case !wording.IsLine(value) || len(value) > optionLength:
		f.add(name, "This is too long or contains characters that cannot be shown.")
	case field.Pattern != "" && !matchesWhole(field.Pattern, value):
		f.add(name, field.PatternHelp)
	}
	if field.Check == nil || f.Of(name) != "" {
		return value
	}
	checked, err := field.Check(value)
	if err != nil {
		f.add(name, wording.Sentence(err))
	}
	return checked
}

func matchesWhole(pattern, value string) bool {
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	return err == nil && re.MatchString(value)
}
