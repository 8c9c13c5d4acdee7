package wire

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// The format of Stack Auth, whose webhooks Svix delivers: body, signature,
// schedule and the rule for broken endpoints are all theirs. That the Q&A
// types are told in the same envelope is our own choice.
func init() {
	policy := eightAttempts()
	policy.Stops = []StopHeader{
		{Name: "webhook-delivery", Value: "abort-message"},
		{Name: "webhook-delivery", Value: "disable", BreaksWebhook: true},
	}
	policy.Broken = BrokenRule{After: 5 * 24 * time.Hour, Apart: 12 * time.Hour, Within: 24 * time.Hour}
	names := map[string]string{}
	for _, eventType := range qaTypes {
		names[eventType] = eventType
	}
	Register(Format{
		Name: "stackauth", Label: "Stack Auth", Order: 30, NeedsFeature: true, AlwaysSigns: true, OwnTest: true,
		Options: append(addQA(
			familyOptions("user", "team", "team_membership", "team_permission", "project_permission"), names), ownOptions()...),
		Secrets: []SecretField{
			{
				Key: "secret_1", Label: "Signing secret 1",
				Help: "whsec_ followed by 24 to 75 bytes in base64. Receivers pass it unchanged to a Svix or Standard Webhooks library.",
			},
			{
				Key: "secret_2", Label: "Signing secret 2",
				Help: "While both are set, each request carries both signatures, so that a receiver can change from one to the other.",
			},
		},
		OwnHeaders:  []string{"svix-"},
		NewSecret:   NewWhsec,
		CheckSecret: checkWhsec,
		NewID:       messageID,
		DeriveID:    derivedMessageID,
		Compose:     composeStackAuth,
		Parts:       func(d Draft) [][]byte { return [][]byte{object.Quote(d.Target)} },
		Headers:     stackAuthHeaders,
		Samples:     func([]string) []Event { return []Event{{ID: "test", Type: stackAuthTest}} },
		Policy:      policy,
	})
}

// A test notification: its type, and its body around the webhook's URL.
const (
	stackAuthTest     = "stack.test"
	stackAuthTestBody = `{"type":"stack.test","data":{"message":"This is a test notification from Sitehooks. Nothing happened on the site.","endpointUrl":` + "\x00}}"
)

func composeStackAuth(events []Event) (body []byte, used int, err error) {
	if len(events) == 0 {
		return nil, 0, errors.New("stackauth: no events")
	}
	e := events[0]
	if e.Type == stackAuthTest {
		return []byte(stackAuthTestBody), 1, nil
	}
	data := []byte(dataOf(e))
	if slices.Contains(qaTypes, e.Type) {
		item, err := itemOf(e)
		if err == nil {
			data, err = object.Encode(item)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("stackauth: %w", err)
		}
	}
	return slices.Concat([]byte(`{"type":`), object.Quote(e.Type), []byte(`,"data":`), data, []byte("}")), 1, nil
}

// dataOf is an event's data as the site sent it, an empty object if there is
// none.
func dataOf(e Event) json.RawMessage {
	if e.Data == nil {
		return json.RawMessage("{}")
	}
	return e.Data
}

func stackAuthHeaders(r Request) []Header {
	headers := []Header{
		{"Content-Type", "application/json"},
		{"User-Agent", "Sitehooks/" + Version},
		{"svix-id", r.ID},
	}
	var keys [][]byte
	for _, secret := range r.Secrets {
		if key, err := WhsecKey(secret); err == nil {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return headers
	}
	return append(
		headers,
		Header{"svix-timestamp", unixSeconds(r.At)},
		Header{"svix-signature", StandardSignature(r.ID, r.At, r.Body, keys...)},
	)
}

// WhsecPrefix begins the signing secrets of Svix and of Standard Webhooks; base64
// of the key follows.
const WhsecPrefix = "whsec_"

// NewWhsec makes a signing secret of 24 random bytes.
func NewWhsec() string {
	var random [24]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the program instead
	return WhsecPrefix + base64.StdEncoding.EncodeToString(random[:])
}

func checkWhsec(secret string) error {
	if key, err := WhsecKey(secret); err != nil || len(key) < 24 || len(key) > 75 {
		return Sentence("Use 24 to 75 bytes in base64, with or without whsec_ before them.")
	}
	return nil
}

// WhsecKey decodes a secret into the key that signs.
func WhsecKey(secret string) ([]byte, error) {
	text := strings.TrimPrefix(secret, WhsecPrefix)
	if text == "" || strings.ContainsAny(text, "\r\n") { // which the decoder would pass over
		return nil, base64.CorruptInputError(0)
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}
