package definition

import (
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// Messages when the URL leads to another host, which is compared in url: see
// url_and_headers.go.
const (
	movedSecret  = "The URL is on another host, so the saved secret is not used. Enter it again, generate a new one, or clear it." //nolint:gosec // a sentence, no secret
	movedHeaders = "The URL is on another host, so the saved values are not used. Enter them again: "
)

// secrets decides about each signing secret: a new one, none, or the saved one.
func (k *check) secrets() {
	in, effective := &k.out.Input.Secrets, &k.out.Effective.Secrets
	given := false
	for i := range k.format.Secrets {
		change, field := k.in.Secrets[i], SecretField(i)
		switch {
		case change != nil && *change != "":
			if err := k.format.CheckSecret(*change); err != nil {
				k.faults.add(field, wording.Sentence(err))
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
