package definition

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// What is said when the URL leads to another host.
const (
	movedSecret  = "The URL is on another host, so the saved secret is not used. Enter it again, generate a new one, or clear it." //nolint:gosec // a sentence, no secret
	movedHeaders = "The URL is on another host, so the saved values are not used. Enter them again: "
)

// url checks where to send to, and finds out whether that is another host.
func (k *check) url(ctx context.Context) {
	raw := k.want.URL
	switch {
	case raw == "":
		k.faults.add(FieldURL, "Enter the URL that the receiver gave you, for example https://example.com/hooks.")
	case k.faults.Of(FieldURL) != "":
	case k.format.HTTPSOnly && !strings.HasPrefix(strings.ToLower(raw), "https://"):
		k.faults.add(FieldURL, "This type sends to https addresses only.")
	default:
		if k.purpose == ToPreview {
			quick, cancel := context.WithTimeout(ctx, previewLookup)
			defer cancel()
			ctx = quick
		}
		if err := k.Sender.CheckURL(ctx, raw); err != nil {
			k.faults.add(FieldURL, sentence(err))
		}
	}
	k.moved = k.saved != nil && k.faults.Of(FieldURL) == "" && send.Origin(raw) != send.Origin(k.opened.URL)
	k.out.Effective.URL = raw
	k.out.Input.URL, k.out.Input.URLShown = raw, send.Shown(raw, k.format.SecretURL)
}

// secrets decides about each signing secret: a new one, none, or the saved one.
func (k *check) secrets() {
	in, effective := &k.out.Input.Secrets, &k.out.Effective.Secrets
	given := false
	for i := range k.format.Secrets {
		change, field := k.in.Secrets[i], SecretField(i)
		switch {
		case change != nil && *change != "":
			if err := k.format.CheckSecret(*change); err != nil {
				k.faults.add(field, sentence(err))
			}
			in[i].Set, effective[i], given = *change, *change, true
		case change != nil:
			in[i].Clear = true
		case k.opened.Secrets[i] != "" && k.moved:
			k.faults.add(field, movedSecret)
		default:
			effective[i] = k.opened.Secrets[i]
		}
	}
	// Two that were saved alike do not keep anybody from saving something else.
	if given && effective[0] != "" && effective[0] == effective[1] {
		k.faults.add(SecretField(1), "This is the same as secret 1. Enter or generate another, or leave it empty.")
	}
	if k.format.AlwaysSigns && *effective == [2]string{} {
		k.lastSecret()
	}
}

// lastSecret keeps the last secret of a type that always signs from being
// removed, and makes one where there was none.
func (k *check) lastSecret() {
	for i, change := range k.in.Secrets {
		if change != nil && *change == "" {
			k.faults.add(SecretField(i), k.format.Label+" webhooks are always signed, so at least one secret is required. Enter or generate another one.")
			return
		}
	}
	if k.faults.Of(SecretField(0)) == "" && k.faults.Of(SecretField(1)) == "" {
		secret := k.format.NewSecret()
		k.out.Input.Secrets[0].Set, k.out.Effective.Secrets[0], k.out.Generated = secret, secret, true
	}
}

// headers checks the custom headers.
func (k *check) headers() {
	wants := slices.Clone(k.in.Headers)
	if k.in.Headers == nil {
		for _, h := range k.opened.Headers {
			wants = append(wants, models.Header{Name: h.Name})
		}
	}
	if len(wants) > HeadersMax {
		k.faults.add(FieldHeaders, fmt.Sprintf("There are %d headers; a webhook can have up to %d.", len(wants), HeadersMax))
		return
	}
	if lost := k.lostHeaders(wants); len(lost) > 0 {
		k.faults.add(FieldHeaders, movedHeaders+sentenceList(lost)+".")
	}
	seen := map[string]bool{}
	for i, h := range wants {
		key := strings.ToLower(h.Name)
		if seen[key] {
			k.faults.add(FieldHeaders, shown(h.Name)+" appears twice.")
		}
		seen[key] = true
		if h.Value == "" {
			h.Value = k.savedValue(h.Name)
		}
		if err := wire.CheckHeader(h.Name, h.Value); err != nil {
			k.faults.add(FieldHeaders, sentence(err))
		}
		wants[i] = h
	}
	k.out.Effective.Headers = wants
	if !slices.Equal(wants, k.opened.Headers) {
		k.out.Input.Headers = wants
	}
}

// lostHeaders names the headers whose saved values another host may not get.
func (k *check) lostHeaders(wants []models.Header) []string {
	var names []string
	for _, h := range wants {
		if k.moved && h.Value == "" && k.savedAt(h.Name) >= 0 {
			names = append(names, h.Name)
		}
	}
	return names
}

func (k *check) savedAt(name string) int {
	return slices.IndexFunc(k.opened.Headers, func(h models.Header) bool { return strings.EqualFold(h.Name, name) })
}

// savedValue is the saved value of a header that has none now.
func (k *check) savedValue(name string) string {
	i := k.savedAt(name)
	switch {
	case i < 0:
		k.faults.add(FieldHeaders, "The header "+shown(name)+" has no value.")
	case k.moved:
		// lostHeaders says so.
	default:
		return k.opened.Headers[i].Value
	}
	return ""
}
