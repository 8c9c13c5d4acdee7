package wire

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// superOfficeErrors in a row set a webhook to too many errors. The document
// that this is built by says seven; newer ones of the vendor say nine.
const superOfficeErrors = 7

// The format of SuperOffice's webhooks. Its rounds of three quick tries are
// the vendor's; how long the back of the queue is (5 minutes), how long an
// answer may take (30 seconds), where a definition's properties go, and the
// Q&A types are our own choice.
func init() {
	quick := []time.Duration{time.Second, 5 * time.Second}
	const back = 5 * time.Minute
	Register(Format{
		Name: "superoffice", Label: "SuperOffice", Order: 50, NeedsFeature: true, PingOnSave: true, HTTPSOnly: true, OwnTest: true,
		Options: append(addQA(familyOptions(crmFamilies()...), superOfficeNames), ownOptions()...),
		Custom: &CustomOption{
			Label: "Custom events", Make: customCRM,
			Help: "Other events your site reports, such as lead.scored, separated by commas.",
		},
		Fields: []Field{
			{
				Key: superOfficeProperties, Label: "Properties", Multiline: true,
				Check: func(typed string) (string, error) { return checkProperties(typed, notificationKeys) },
				Help:  `A JSON object such as {"source": "forum"}. Its properties are added to every message and must not clash with the message's own.`,
			},
			{
				Key: "errors_email", Label: "Errors e-mail", Check: checkAddress,
				Help: "Is told by e-mail, besides the owner, when the webhook breaks or fails. Sitehooks sends e-mail when SITEHOOKS_SMTP_URL is set.",
			},
		},
		Secrets: []SecretField{{
			Key: "secret_1", Label: "Secret", Help: "Receivers check the header X-SuperOffice-Signature with it.",
		}},
		OwnHeaders:  []string{"X-SuperOffice-", "X-Hook-Test"},
		NewSecret:   newSuperOfficeSecret,
		CheckSecret: CheckKeyText,
		NewID:       uuid.NewString,
		DeriveID:    derivedGUID,
		Compose:     composeSuperOffice,
		Parts:       superOfficeParts,
		Headers:     superOfficeHeaders,
		Samples: func([]string) []Event {
			return []Event{{ID: "test", Type: superOfficeTest, OccurredAt: sampleAt}}
		},
		Policy: Policy{
			Timeout:     30 * time.Second,
			Success:     []int{200},
			Pauses:      slices.Concat(quick, []time.Duration{back}, quick, []time.Duration{back}, quick),
			Breaks:      map[int]string{410: ""},
			Broken:      BrokenRule{Count: superOfficeErrors},
			MaxInFlight: 1,
			HoldOthers:  true,
		},
	})
}

// checkAddress takes one e-mail address, all of whose characters can be shown.
func checkAddress(typed string) (string, error) {
	typed = strings.TrimSpace(typed)
	a, err := mail.ParseAddress(typed)
	unshown := func(r rune) bool { return !unicode.IsPrint(r) }
	if err != nil || a.Address != typed || len(typed) > 254 || strings.ContainsFunc(typed, unshown) {
		return "", Sentence("Enter one e-mail address, such as crm@example.com.")
	}
	return typed, nil
}

const (
	superOfficeTest       = "test" // Event and Entity of a test notification
	superOfficeProperties = "properties"
)

// superOfficeNames are the names of the Q&A types.
var superOfficeNames = map[string]string{
	QuestionCreated: "question.created",
	QuestionEdited:  "question.changed",
	AnswerCreated:   "answer.created",
	AnswerEdited:    "answer.changed",
	AnswerAccepted:  "answer.changed",
	CommentCreated:  "comment.created",
}

func superOfficeName(eventType string) string {
	if name, ok := superOfficeNames[eventType]; ok {
		return name
	}
	return eventType
}

// customCRM is the option of an event that a site made up itself.
func customCRM(value string) (Option, error) {
	name, ok := EventFamily(value)
	if !ok {
		return Option{}, Sentencef("“%s” is not a valid event name. It must have two parts joined by a dot, such as lead.scored; each starts with a letter and consists of a-z, 0-9 and _.", Shown(value))
	}
	if f, offered := family(name); offered {
		return Option{}, Sentencef("“%s” is not an event of %s that this type offers.", Shown(value), f.Name)
	}
	return Option{Value: value, Label: value, Group: "Custom events", Events: []EventKind{KindOf(value)}}, nil
}

// notification is the body without what differs between webhooks, and without
// FieldValues, which follow one of these.
type notification struct {
	Timestamp            string          `json:"Timestamp"`
	Changes              []string        `json:"Changes"`
	Values               json.RawMessage `json:"Values,omitempty"` // of the deleted entity
	Event                string          `json:"Event"`
	PrimaryKey           int64           `json:"PrimaryKey"`
	Entity               string          `json:"Entity"`
	ContextIdentifier    string          `json:"ContextIdentifier"`
	ChangedByAssociateID int64           `json:"ChangedByAssociateId"`

	fieldValues any
}

// notificationKeys are those that no property replaces.
var notificationKeys = []string{
	"EventId", "Timestamp", "Changes", "Values", "Event", "PrimaryKey", "Entity", "ContextIdentifier",
	"ChangedByAssociateId", "WebhookName", "FieldValues",
}

func composeSuperOffice(events []Event) (body []byte, used int, err error) {
	if len(events) == 0 {
		return nil, 0, errors.New("superoffice: no events")
	}
	e := events[0]
	n := notification{
		Timestamp: e.OccurredAt.UTC().Format("2006-01-02T15:04:05.0000000Z"), Changes: slices.Clone(e.Changes),
		Event: superOfficeName(e.Type), ContextIdentifier: "Default", ChangedByAssociateID: e.Actor.UserID,
	}
	n.Entity, _, _ = strings.Cut(n.Event, ".")
	if e.Type == AnswerAccepted {
		n.Changes = []string{"is_accepted"}
	}
	if n.Changes == nil {
		n.Changes = []string{}
	}
	if err := n.fill(e); err != nil {
		return nil, 0, fmt.Errorf("superoffice: %w", err)
	}
	head, err := object.Encode(n)
	if err != nil {
		return nil, 0, err
	}
	values, err := object.Encode(n.fieldValues)
	if err != nil {
		return nil, 0, err
	}
	body = append([]byte("{\"EventId\":\x00,"), head[1:len(head)-1]...)
	body = append(append(body, ",\"WebhookName\":\x00,\"FieldValues\":"...), values...)
	return append(body, "\x00}"...), 1, nil
}

// superOfficeParts are the id, the webhook's name and its properties.
func superOfficeParts(d Draft) [][]byte {
	return [][]byte{object.Quote(d.ID), object.Quote(d.WebhookName), moreProperties(d.Options[superOfficeProperties], notificationKeys)}
}

// fill writes the event's entity.
func (n *notification) fill(e Event) error {
	if _, ok := superOfficeNames[e.Type]; ok {
		item, err := itemOf(e)
		n.fieldValues, n.PrimaryKey = item, itemID(item)
		return err
	}
	n.PrimaryKey, _ = strconv.ParseInt(e.Subject, 10, 64) // 0: it says none
	if data, err := object.Parse(e.Data); err == nil && e.Type == WebhookBroken && e.Subject == "" {
		data.Read("id", &n.PrimaryKey)
	}
	n.fieldValues = dataOf(e)
	if strings.HasSuffix(e.Type, ".deleted") {
		n.Values, n.fieldValues = dataOf(e), struct{}{}
	}
	return nil
}

func superOfficeHeaders(r Request) []Header {
	headers := []Header{
		{"Content-Type", "application/json; charset=utf-8"},
		{"User-Agent", "NetServer-Webhook/Sitehooks-" + Version},
	}
	if len(r.EventTypes) > 0 { // one, as a body has one event
		headers = append(headers, Header{"X-SuperOffice-Event", superOfficeName(r.EventTypes[0])})
	}
	headers = append(headers, Header{"X-SuperOffice-EventId", r.ID}, Header{"X-SuperOffice-Retry", strconv.Itoa(r.Retries)})
	if r.Test {
		headers = append(headers, Header{"X-Hook-Test", "true"})
	}
	if len(r.Secrets) > 0 && r.Secrets[0] != "" {
		mac := hmac.New(sha256.New, []byte(r.Secrets[0]))
		mac.Write(r.Body)
		headers = append(headers, Header{"X-SuperOffice-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil))})
	}
	return headers
}

func newSuperOfficeSecret() string {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails: it ends the program instead
	return base64.StdEncoding.EncodeToString(random[:])
}
