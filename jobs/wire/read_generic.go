package wire

import (
	"errors"
	"fmt"
	"strings"
)

func init() {
	RegisterReader(Reader{
		Kind: "generic", Label: "Generic", Order: 20,
		Help:        "Questions, answers and comments from another Sitehooks, or from Stack Overflow for Teams Enterprise.",
		Secrets:     readSecrets("16 to 256 characters, as the sender has them. It signs each request as the Standard Webhooks specification says (standardwebhooks.com)."),
		NewSecret:   hexSecret,
		CheckSecret: checkGenericSecret,
		Verify:      func(r Received) error { return verifyStandard(r, "webhook-", standardKeys) },
		Read:        readGeneric,
	})
}

func readGeneric(r Received) (ReadResult, error) {
	if r.Header.Get("webhook-test") == "true" {
		return ignored("It is a test notification: nothing happened on the site."), nil
	}
	body, err := parseBody(r.Body)
	if err != nil {
		return ReadResult{}, err
	}
	id := r.Header.Get("webhook-id")
	if id == "" {
		id = bodyID(r.Body)
	}
	var events []Event
	var passed []string
	arrays := 0
	for _, array := range genericArrays[:brokenArray] {
		if body.has(array) {
			arrays++
		}
		for i, raw := range body.list(array) {
			item := body.element(array, i, raw)
			word := item.need("type")
			eventType, known := itemEvents[word]
			if family, _, _ := strings.Cut(eventType, "."); !known || family+"s" != array {
				passed = append(passed, fmt.Sprintf("%s[%d] has the type “%s”.", array, i, shown(word)))
				continue
			}
			e := readItem(item, eventType, r.At)
			e.ID = fmt.Sprintf("%s:%s:%d", id, array, i)
			events = append(events, e)
		}
	}
	switch {
	case *body.fault != nil:
		return ReadResult{}, *body.fault
	case body.has(genericArrays[brokenArray]):
		passed = append(passed, "It tells of a broken webhook of another Sitehooks.")
	case arrays == 0:
		return ReadResult{}, errors.New("questions: is missing, and so are answers and comments")
	case len(events)+len(passed) == 0:
		passed = append(passed, "It holds no questions, answers or comments.")
	case len(events) > MaxReadEvents:
		return ReadResult{}, fmt.Errorf("the body: has %d items, more than %d", len(events), MaxReadEvents)
	}
	result, err := readEvents(events...)
	result.Ignored = strings.Join(passed[:min(len(passed), 5)], " ")
	return result, err
}
