package wire

import (
	"fmt"
	"slices"
)

func init() {
	RegisterReader(Reader{
		Kind: "stackauth", Label: "Stack Auth", Order: 30,
		Help:        "Users and teams from Stack Auth, or other events that Svix delivers as type and data.",
		Secrets:     readSecrets("The signing secret of the endpoint at the sender: whsec_ followed by base64."),
		NewSecret:   newWhsec,
		CheckSecret: checkWhsec,
		Verify:      verifySvix,
		Read:        readStackAuth,
	})
}

// verifySvix checks a signature of Svix, which may have its own headers or
// those of the Standard Webhooks specification.
func verifySvix(r Received) error {
	if r.Header.Get("svix-id") == "" && r.Header.Get("webhook-id") != "" {
		return verifyStandard(r, "webhook-", whsecKeys)
	}
	return verifyStandard(r, "svix-", whsecKeys)
}

func readStackAuth(r Received) (ReadResult, error) {
	body, err := parseBody(r.Body)
	if err != nil {
		return ReadResult{}, err
	}
	e := Event{Type: body.need("type"), OccurredAt: r.At}
	if e.ID = r.Header.Get("svix-id"); e.ID == "" {
		e.ID = r.Header.Get("webhook-id")
	}
	if e.ID == "" {
		e.ID = bodyID(r.Body)
	}
	if e.Type == stackAuthTest {
		return ignored("It is a test notification: nothing happened on the site."), nil
	}
	if *body.fault == nil {
		if why := unreadable(e.Type); why != "" {
			return ignored("%s", why), nil
		}
	}
	if !body.has("data") {
		body.fail("data", errMissing)
	}
	data := body.inner("data")
	if slices.Contains(qaTypes, e.Type) {
		id := e.ID
		e = readItem(data, e.Type, r.At)
		e.ID = id
		if word := data.need("type"); itemEvents[word] != e.Type {
			data.fail("type", fmt.Errorf("must be %q for an event of the type %s", itemTypes[e.Type], e.Type))
		}
	} else {
		e.Data, e.Subject = compacted(body.raw("data")), subjectOf(e.Type, data.id("id"))
	}
	if *body.fault != nil {
		return ReadResult{}, *body.fault
	}
	return readEvents(e)
}
