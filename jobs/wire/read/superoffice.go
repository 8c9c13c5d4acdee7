package read

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

func init() {
	Register(Reader{
		Kind:    "superoffice",
		Help:    "Contacts, sales and the other entities of a SuperOffice CRM.",
		Success: http.StatusOK,
		Secrets: readSecrets("The Secret of the webhook at SuperOffice."),
		Verify:  func(r Received) error { return verifyDigest(r, "X-SuperOffice-Signature", "", base64SHA256) },
		Read:    readSuperOffice,
	})
}

// superOfficeTest is the event of a test notification.
const superOfficeTest = "test"

func readSuperOffice(r Received) (Result, error) {
	body, err := parseBody(r.Body)
	if err != nil {
		return Result{}, err
	}
	e := wire.Event{Type: body.Need("Event")}
	if e.Type == superOfficeTest || r.Header.Get("X-Hook-Test") == "true" {
		return ignored("It is a test notification: nothing happened in the CRM."), nil
	}
	id := body.Need("EventId")
	at := body.When("Timestamp", r.At)
	posts, isItem := readFieldItem(body, e.Type, at)
	if isItem {
		e = posts
	} else {
		if why := unreadable(e.Type); why != "" && body.Fault() == nil {
			return ignored("%s", why), nil
		}
		e.OccurredAt = at
		values := "FieldValues"
		if strings.HasSuffix(e.Type, ".deleted") && body.Has("Values") {
			values = "Values"
		}
		e.Data = body.Data(values)
		body.Read("Changes", &e.Changes)
		var key int64
		body.Read("PrimaryKey", &key)
		e.Subject = strconv.FormatInt(key, 10)
	}
	e.ID = id
	body.Read("ChangedByAssociateId", &e.Actor.UserID) // 0: nobody is named
	if body.Fault() != nil {
		return Result{}, body.Fault()
	}
	return readEvents(e)
}

// readFieldItem reads the question, answer or comment that another Sitehooks
// wrote into FieldValues. SuperOffice itself has no such entities.
func readFieldItem(body object.Object, event string, at time.Time) (e wire.Event, isItem bool) {
	switch event {
	case "question.created", "question.changed", "answer.created", "answer.changed", "comment.created":
	default:
		return wire.Event{}, false
	}
	item := body.Inner("FieldValues")
	word := item.Need("type")
	eventType := itemEvents[word]
	format, _ := wire.Lookup("superoffice")
	if option, _ := format.Covering(wire.KindOf(eventType)); option.Value != event {
		item.Fail("type", fmt.Errorf("“%s” is not that of an item of %s", wire.Shown(word), event))
		return wire.Event{}, true
	}
	e = readItem(item, eventType, at)
	e.OccurredAt = at // which an item does not tell so well
	return e, true
}
