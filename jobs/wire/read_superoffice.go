package wire

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func init() {
	RegisterReader(Reader{
		Kind: "superoffice", Label: "SuperOffice", Order: 50,
		Help:        "Contacts, sales and the other entities of a SuperOffice CRM.",
		Success:     http.StatusOK,
		Secrets:     readSecrets("The Secret of the webhook at SuperOffice."),
		NewSecret:   newSuperOfficeSecret,
		CheckSecret: checkKeyText,
		Verify:      func(r Received) error { return verifyDigest(r, "X-SuperOffice-Signature", "", base64SHA256) },
		Read:        readSuperOffice,
	})
}

func readSuperOffice(r Received) (ReadResult, error) {
	body, err := parseBody(r.Body)
	if err != nil {
		return ReadResult{}, err
	}
	e := Event{Type: body.need("Event")}
	if e.Type == superOfficeTest || r.Header.Get("X-Hook-Test") == "true" {
		return ignored("It is a test notification: nothing happened in the CRM."), nil
	}
	id := body.need("EventId")
	at := body.when("Timestamp", r.At)
	posts, isItem := readFieldItem(body, e.Type, at)
	if isItem {
		e = posts
	} else {
		if why := unreadable(e.Type); why != "" && *body.fault == nil {
			return ignored("%s", why), nil
		}
		e.OccurredAt = at
		values := "FieldValues"
		if strings.HasSuffix(e.Type, ".deleted") && body.has("Values") {
			values = "Values"
		}
		e.Data = body.data(values)
		body.read("Changes", &e.Changes)
		var key int64
		body.read("PrimaryKey", &key)
		e.Subject = strconv.FormatInt(key, 10)
	}
	e.ID = id
	body.read("ChangedByAssociateId", &e.Actor.UserID) // 0: nobody is named
	if *body.fault != nil {
		return ReadResult{}, *body.fault
	}
	return readEvents(e)
}

// readFieldItem reads the question, answer or comment that another Sitehooks
// wrote into FieldValues. SuperOffice itself has no such entities.
func readFieldItem(body object, event string, at time.Time) (e Event, isItem bool) {
	switch event {
	case "question.created", "question.changed", "answer.created", "answer.changed", "comment.created":
	default:
		return Event{}, false
	}
	item := body.inner("FieldValues")
	word := item.need("type")
	eventType, known := itemEvents[word]
	if !known || superOfficeName(eventType) != event {
		item.fail("type", fmt.Errorf("“%s” is not that of an item of %s", shown(word), event))
		return Event{}, true
	}
	e = readItem(item, eventType, at)
	e.OccurredAt = at // which an item does not tell so well
	return e, true
}
