package read

import (
	"crypto/sha1" //nolint:gosec // the vendor's prose names it; it verifies nothing unless chosen
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

func init() {
	Register(Reader{
		Kind: "userecho",
		Help: "Topics and comments of a UserEcho forum.",
		Fields: []wire.Field{{
			Key: userEchoDigest, Label: "Signature", Choices: []string{"sha256", "sha1"},
			Help: "The digest of the signature in the header X-UE-Signature. UserEcho's documentation names both.",
		}},
		Success: http.StatusOK,
		Secrets: readSecrets("The key of the webhook at UserEcho."),
		Verify: func(r Received) error {
			d := hexSHA256
			if r.Fields[userEchoDigest] == "sha1" {
				d = digest{sha1.New, hex.DecodeString}
			}
			return verifyDigest(r, "X-UE-Signature", "", d)
		},
		Read: readUserEcho,
	})
}

const userEchoDigest = "digest" // key of the field

// readUserEcho reads topics and comments of a forum. Questions and answers that
// a Sitehooks translated into them stay what they were translated into.
func readUserEcho(r Received) (Result, error) {
	body, err := parseBody(r.Body)
	if err != nil {
		return Result{}, err
	}
	e := wire.Event{Type: body.Need("hook")}
	if body.Fault() == nil {
		if !strings.HasPrefix(e.Type, "topic.") && !strings.HasPrefix(e.Type, "comment.") {
			return ignored("“%s” is not a hook of topics or comments.", wire.Shown(e.Type)), nil
		}
		if why := unreadable(e.Type); why != "" {
			return ignored("%s", why), nil
		}
	}
	body.Need("created")
	e.OccurredAt = body.When("created", r.At)
	if !body.Has("data") {
		body.Fail("data", object.ErrMissing)
	}
	data := body.Inner("data")
	e.Data = body.Data("data")
	id := data.ID("id")
	e.Subject = id
	if id == "" {
		id = bodyID(r.Body)
	}
	e.ID = e.Type + ":" + id + ":" + idTime(e.OccurredAt)
	if body.Fault() != nil {
		return Result{}, body.Fault()
	}
	return readEvents(e)
}
