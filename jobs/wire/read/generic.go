package read

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

func init() {
	Register(Reader{
		Kind:    "generic",
		Help:    "Questions, answers and comments from another Sitehooks, or from Stack Overflow for Teams Enterprise.",
		Secrets: readSecrets("16 to 256 characters, as the sender has them. It signs each request as the Standard Webhooks specification says (standardwebhooks.com)."),
		Verify:  func(r Received) error { return verifyStandard(r, "webhook-", standardKeys) },
		Read:    readGeneric,
	})
}

// readArrays are the arrays of a body, and brokenArray is the one with which a
// Sitehooks tells of itself.
var readArrays = []string{"questions", "answers", "comments"}

const brokenArray = "webhooks"

func readGeneric(r Received) (Result, error) {
	if r.Header.Get("webhook-test") == "true" {
		return ignored("It is a test notification: nothing happened on the site."), nil
	}
	body, err := parseBody(r.Body)
	if err != nil {
		return Result{}, err
	}
	id := r.Header.Get("webhook-id")
	if id == "" {
		id = bodyID(r.Body)
	}
	var events []wire.Event
	var passed []string
	arrays := 0
	for _, array := range readArrays {
		if body.Has(array) {
			arrays++
		}
		for i, raw := range body.List(array, MaxEvents) {
			item := body.Element(array, i, raw)
			word := item.Need("type")
			eventType, known := itemEvents[word]
			if family, _, _ := strings.Cut(eventType, "."); !known || family+"s" != array {
				passed = append(passed, fmt.Sprintf("%s[%d] has the type “%s”.", array, i, wire.Shown(word)))
				continue
			}
			e := readItem(item, eventType, r.At)
			e.ID = fmt.Sprintf("%s:%s:%d", id, array, i)
			events = append(events, e)
		}
	}
	switch {
	case body.Fault() != nil:
		return Result{}, body.Fault()
	case body.Has(brokenArray):
		passed = append(passed, "It tells of a broken webhook of another Sitehooks.")
	case arrays == 0:
		return Result{}, errors.New("questions: is missing, and so are answers and comments")
	case len(events)+len(passed) == 0:
		passed = append(passed, "It holds no questions, answers or comments.")
	case len(events) > MaxEvents:
		return Result{}, fmt.Errorf("the body: has %d items, more than %d", len(events), MaxEvents)
	}
	result, err := readEvents(events...)
	result.Ignored = strings.Join(passed[:min(len(passed), 5)], " ")
	return result, err
}
