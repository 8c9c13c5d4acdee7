package wire

import (
	"crypto/sha1" //nolint:gosec // the vendor's prose names it; it verifies nothing unless chosen
	"encoding/hex"
	"net/http"
	"strings"
)

func init() {
	RegisterReader(Reader{
		Kind: "userecho", Label: "UserEcho", Order: 40,
		Help: "Topics and comments of a UserEcho forum.",
		Fields: []Field{{
			Key: userEchoDigest, Label: "Signature", Choices: []string{"sha256", "sha1"},
			Help: "The digest of the signature in the header X-UE-Signature. UserEcho's documentation names both.",
		}},
		Success:     http.StatusOK,
		Secrets:     readSecrets("The key of the webhook at UserEcho."),
		NewSecret:   hexSecret,
		CheckSecret: checkKeyText,
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

// readUserEcho reads topics and comments of a forum. Questions and answers that
// a Sitehooks translated into them stay what they were translated into.
func readUserEcho(r Received) (ReadResult, error) {
	body, err := parseBody(r.Body)
	if err != nil {
		return ReadResult{}, err
	}
	e := Event{Type: body.need("hook")}
	if *body.fault == nil {
		if !strings.HasPrefix(e.Type, "topic.") && !strings.HasPrefix(e.Type, "comment.") {
			return ignored("“%s” is not a hook of topics or comments.", shown(e.Type)), nil
		}
		if why := unreadable(e.Type); why != "" {
			return ignored("%s", why), nil
		}
	}
	body.need("created")
	e.OccurredAt = body.when("created", r.At)
	if !body.has("data") {
		body.fail("data", errMissing)
	}
	data := body.inner("data")
	e.Data = body.data("data")
	id := data.id("id")
	e.Subject = id
	if id == "" {
		id = bodyID(r.Body)
	}
	e.ID = e.Type + ":" + id + ":" + forumTime(e.OccurredAt)
	if *body.fault != nil {
		return ReadResult{}, *body.fault
	}
	return readEvents(e)
}
