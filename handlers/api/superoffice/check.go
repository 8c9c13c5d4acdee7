package superoffice

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// Limits, equal to those of the form, by which the same webhook can be edited.
const (
	maxWebhookName = 200 // characters
	maxOption      = 4096
	maxHeaders     = 20
)

// checked is a definition that was looked through: what to store, and what a
// request made of it would use.
type checked struct {
	input models.WebhookInput
	// effective is the URL, the secrets and headers in clear, stored ones
	// included as far as they may be used.
	effective models.Opened
}

// checking looks a definition through. Old is the stored webhook, nil for a
// new one, and stored what of it is sealed.
type checking struct {
	*API
	d      *definition
	old    *models.Webhook
	stored models.Opened
	moved  bool // the target is another receiver than the stored one
	out    checked
}

// check returns what a definition means, or a failure that names all its
// faults. To try it, a target is enough.
func (s *API) check(ctx context.Context, d *definition, old *models.Webhook, stored models.Opened, place string, tryOnly bool) (checked, error) {
	k := &checking{API: s, d: d, old: old, stored: stored}
	in := &k.out.input
	*in = models.WebhookInput{
		Type: s.format.Name, Location: place, TagMode: models.TagsAll, Tags: []string{}, Options: map[string]string{},
	}
	if old != nil {
		// What these definitions know nothing of stays as it is.
		in.Location, in.Community, in.TagMode, in.Tags = old.Location, old.Community, old.TagMode, old.Tags
		in.Options = maps.Clone(old.Options)
	}
	if in.Options == nil {
		in.Options = map[string]string{}
	}
	k.name(tryOnly)
	k.events(tryOnly)
	k.target(ctx)
	k.secret()
	k.headers()
	k.options()
	return k.out, d.wrong.failure()
}

func (k *checking) name(tryOnly bool) {
	name := strings.TrimSpace(k.d.Name)
	switch {
	case name == "" && !tryOnly:
		k.d.wrong.add(keyName, "Give the webhook a name.")
	case utf8.RuneCountInString(name) > maxWebhookName:
		k.d.wrong.add(keyName, "It is longer than %d characters.", maxWebhookName)
	case !oneLine(name):
		k.d.wrong.add(keyName, "It contains line breaks or other characters that cannot be shown.")
	}
	k.out.input.Name = name
}

func (k *checking) events(tryOnly bool) {
	list := []string{}
	for _, name := range k.d.Events {
		if _, err := k.format.Option(name); err != nil {
			k.d.wrong.add(keyEvents, "%s", err)
		}
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	if len(list) == 0 && !tryOnly {
		k.d.wrong.add(keyEvents, "Name at least one event, such as contact.created.")
	}
	k.out.input.Events = list
}

func (k *checking) target(ctx context.Context) {
	raw := k.d.Target
	switch {
	case k.d.wrong.has(keyTarget):
	case raw == "":
		k.d.wrong.add(keyTarget, "Enter the target URL, for example https://example.com/hooks.")
	case k.format.HTTPSOnly && !strings.HasPrefix(strings.ToLower(raw), "https://"):
		k.d.wrong.add(keyTarget, "It must start with https://.")
	default:
		if err := k.Sender.CheckURL(ctx, raw); err != nil {
			k.d.wrong.add(keyTarget, "%s", err)
		}
	}
	k.moved = k.old != nil && !k.d.wrong.has(keyTarget) && send.Origin(raw) != send.Origin(k.stored.URL)
	k.out.effective.URL = raw
	k.out.input.URL, k.out.input.URLShown = raw, send.Shown(raw, k.format.SecretURL)
}

func (k *checking) secret() {
	change, effective := &k.out.input.Secrets[0], &k.out.effective.Secrets[0]
	switch {
	case k.d.Secret != nil && *k.d.Secret == "":
		change.Clear = true
	case k.d.Secret != nil:
		if err := k.format.CheckSecret(*k.d.Secret); err != nil {
			k.d.wrong.add(keySecret, "%s", err)
		}
		change.Set, *effective = *k.d.Secret, *k.d.Secret
	case k.stored.Secrets[0] != "" && k.moved:
		k.d.wrong.add(keySecret, "The target is on another host, so the stored secret is not used. Send it again, or send an empty one to remove it.")
	default:
		*effective = k.stored.Secrets[0]
	}
}

func (k *checking) headers() {
	given := k.d.Headers
	if !k.d.HeadersGiven {
		for _, h := range k.stored.Headers {
			given = append(given, givenHeader{name: h.Name, keep: true})
		}
	}
	if len(given) > maxHeaders {
		k.d.wrong.add(keyHeaders, "They must be at most %d.", maxHeaders)
		return
	}
	list := []models.Header{}
	for _, g := range given {
		h := models.Header{Name: g.name, Value: g.value}
		if slices.ContainsFunc(list, func(other models.Header) bool { return strings.EqualFold(other.Name, h.Name) }) {
			k.d.wrong.add(keyHeaders, "%s appears twice.", h.Name)
		}
		if g.keep {
			h.Value = k.storedValue(h.Name)
		}
		if err := wire.CheckHeader(h.Name, h.Value); err != nil {
			k.d.wrong.add(keyHeaders, "%s", err)
		}
		list = append(list, h)
	}
	k.out.effective.Headers = list
	if !slices.Equal(list, k.stored.Headers) {
		k.out.input.Headers = list
	}
}

// storedValue is the value of a header that came without one.
func (k *checking) storedValue(name string) string {
	i := slices.IndexFunc(k.stored.Headers, func(h models.Header) bool { return strings.EqualFold(h.Name, name) })
	switch {
	case i < 0:
		k.d.wrong.add(keyHeaders, "%s has no value.", name)
	case k.moved:
		k.d.wrong.add(keyHeaders, "The target is on another host, so the stored values are not used. Send the value of %s again.", name)
	default:
		return k.stored.Headers[i].Value
	}
	return ""
}

// options checks what the type's own fields hold, by their own rules too.
func (k *checking) options() {
	email := strings.TrimSpace(k.d.Email)
	if len(email) > maxOption || !oneLine(email) {
		k.d.wrong.add(keyEmail, "It is too long or contains characters that cannot be shown.")
	}
	if len(k.d.Properties) > maxOption {
		k.d.wrong.add(keyProperties, "They are longer than %d characters.", maxOption)
		return
	}
	for key, value := range map[string]string{optionEmail: email, optionProperties: string(k.d.Properties)} {
		i := slices.IndexFunc(k.format.Fields, func(f wire.Field) bool { return f.Key == key })
		if check := k.format.Fields[i].Check; check != nil {
			kept, err := check(value)
			if err != nil {
				k.d.wrong.add(keyProperties, "%s", err)
			}
			value = kept
		}
		if k.out.input.Options[key] = value; value == "" {
			delete(k.out.input.Options, key)
		}
	}
}

// oneLine tells text without control characters, which fits into one line.
func oneLine(s string) bool { return !strings.ContainsFunc(s, unicode.IsControl) }
