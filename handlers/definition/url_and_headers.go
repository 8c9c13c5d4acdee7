package definition

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
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
			k.faults.add(FieldURL, wording.Sentence(err))
		}
	}
	k.moved = k.saved != nil && k.faults.Of(FieldURL) == "" && send.Origin(raw) != send.Origin(k.opened.URL)
	k.out.Effective.URL = raw
	k.out.Input.URL, k.out.Input.URLShown = raw, send.Shown(raw, k.format.SecretURL)
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
		k.faults.add(FieldHeaders, movedHeaders+wording.List(lost)+".")
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
			k.faults.add(FieldHeaders, wording.Sentence(err))
		}
		wants[i] = h
	}
	k.out.Effective.Headers = wants
	if !slices.Equal(wants, k.opened.Headers) {
		k.out.Input.Headers = wants
	}
}
