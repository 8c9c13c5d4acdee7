package wire

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// The generic format, as Stack Overflow for Teams Enterprise has it. Its
// document shows the body as far as the answers and says that a signature and
// a timestamp go along. Where it is silent the choice is our own: all three
// arrays are always there, answers and comments carry their question's tags,
// headers and signature follow the Standard Webhooks specification, and
// a fourth array "webhooks" is there when another webhook broke.
func init() {
	policy := eightAttempts()
	policy.Broken = BrokenRule{After: 24 * time.Hour, Count: 8}
	const help = "16 to 256 characters. Receivers check the signature with it, following the Standard Webhooks specification (standardwebhooks.com). " +
		"Use the text itself as the key; do not base64-decode it."
	Register(Format{
		Name: "generic", Label: "Generic", Order: 20, NeedsFeature: true,
		Options: qaOptions(),
		Secrets: []SecretField{
			{Key: "secret_1", Label: "Signing secret 1", Help: help},
			{
				Key: "secret_2", Label: "Signing secret 2",
				Help: "16 to 256 characters. While both are set, each request carries both signatures, so that a receiver can change from one to the other.",
			},
		},
		OwnHeaders:  []string{"webhook-"},
		NewSecret:   HexSecret,
		CheckSecret: checkGenericSecret,
		NewID:       messageID,
		Compose:     composeGeneric,
		Headers:     genericHeaders,
		Samples:     qaSamples,
		Policy:      policy,
	})
}

// Limits of one body. A single item that is larger goes alone.
const (
	genericItems = 100
	genericBytes = 256 << 10
)

// genericArrays are the keys of the body in their order; from brokenArray on
// they are left out while they are empty.
var genericArrays = [...]string{"questions", "answers", "comments", "webhooks", "sources"}

const (
	answersArray  = 1
	commentsArray = 2
	brokenArray   = 3
	silentArray   = 4
)

func composeGeneric(events []Event) (body []byte, used int, err error) {
	if len(events) == 0 {
		return nil, 0, errors.New("generic: no events")
	}
	var arrays [len(genericArrays)][]byte
	size := len(joinGeneric(arrays))
	for _, e := range events[:min(len(events), genericItems)] {
		item, into, err := genericItem(e)
		if err != nil && used > 0 {
			break
		}
		if err != nil {
			return nil, 0, fmt.Errorf("generic: %w", err)
		}
		if len(arrays[into]) > 0 {
			item = append([]byte(","), item...)
		} else if into >= brokenArray {
			size += len(`,"":[]`) + len(genericArrays[into])
		}
		if size += len(item); size > genericBytes && used > 0 {
			break
		}
		arrays[into] = append(arrays[into], item...)
		used++
	}
	return joinGeneric(arrays), used, nil
}

// genericItem writes one item and says into which array it goes.
func genericItem(e Event) (item []byte, into int, err error) {
	switch e.Type {
	case WebhookBroken:
		item, err = object.Encode(brokenItemOf(e))
		return item, brokenArray, err
	case SourceSilent:
		item, err = object.Encode(silentItemOf(e))
		return item, silentArray, err
	}
	v, err := itemOf(e)
	if err != nil {
		return nil, 0, err
	}
	switch v.(type) {
	case answerItem:
		into = answersArray
	case commentItem:
		into = commentsArray
	}
	item, err = object.Encode(v)
	return item, into, err
}

func joinGeneric(arrays [len(genericArrays)][]byte) []byte {
	var b []byte
	for i, key := range genericArrays {
		if i >= brokenArray && len(arrays[i]) == 0 {
			continue
		}
		b = append(b, ',')
		b = append(b, `"`+key+`":[`...)
		b = append(b, arrays[i]...)
		b = append(b, ']')
	}
	b[0] = '{'
	return append(b, '}')
}

func genericHeaders(r Request) []Header {
	headers := []Header{
		{"Content-Type", "application/json"},
		{"User-Agent", "Sitehooks/" + Version},
		{"webhook-id", r.ID},
	}
	var keys [][]byte
	for _, secret := range r.Secrets {
		if secret != "" {
			keys = append(keys, []byte(secret))
		}
	}
	if len(keys) > 0 {
		headers = append(
			headers,
			Header{"webhook-timestamp", unixSeconds(r.At)},
			Header{"webhook-signature", StandardSignature(r.ID, r.At, r.Body, keys...)},
		)
	}
	if r.Test {
		headers = append(headers, Header{"webhook-test", "true"})
	}
	return headers
}

func checkGenericSecret(secret string) error {
	if len(secret) < 16 || len(secret) > 256 || strings.ContainsFunc(secret, notPrintable) {
		return Sentence("Use 16 to 256 printable ASCII characters.")
	}
	return nil
}
