package read

import (
	"fmt"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

func init() {
	Register(Reader{
		Kind:    "stackauth",
		Help:    "Users and teams from Stack Auth, or other events that Svix delivers as type and data.",
		Secrets: readSecrets("The signing secret of the endpoint at the sender: whsec_ followed by base64."),
		Verify:  verifySvix,
		Read:    readStackAuth,
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

// svixTest is the type of a test notification.
const svixTest = "stack.test"

func readStackAuth(r Received) (Result, error) {
	body, err := parseBody(r.Body)
	if err != nil {
		return Result{}, err
	}
	e := wire.Event{Type: body.Need("type"), OccurredAt: r.At}
	if e.ID = r.Header.Get("svix-id"); e.ID == "" {
		e.ID = r.Header.Get("webhook-id")
	}
	if e.ID == "" {
		e.ID = bodyID(r.Body)
	}
	if e.Type == svixTest {
		return ignored("It is a test notification: nothing happened on the site."), nil
	}
	if body.Fault() == nil {
		if why := unreadable(e.Type); why != "" {
			return ignored("%s", why), nil
		}
	}
	if !body.Has("data") {
		body.Fail("data", object.ErrMissing)
	}
	data := body.Inner("data")
	if itemType := wire.ItemTypes[e.Type]; itemType != "" {
		id := e.ID
		e = readItem(data, e.Type, r.At)
		e.ID = id
		if word := data.Need("type"); word != itemType {
			data.Fail("type", fmt.Errorf("must be %q for an event of the type %s", itemType, e.Type))
		}
	} else {
		e.Data, e.Subject = object.Compact(body.Raw("data")), subjectOf(e.Type, data.ID("id"))
	}
	if body.Fault() != nil {
		return Result{}, body.Fault()
	}
	return readEvents(e)
}
