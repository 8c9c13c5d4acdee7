package read

import (
	"crypto/sha1" //nolint:gosec // some systems sign with nothing else; it is used only where chosen
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// The keys of a custom source's fields, and the ways in which a sender may sign.
const (
	customScheme = "signature"
	customHeader = "header"

	signStandard     = "standard-webhooks"
	signSvix         = "svix"
	signHexSHA256    = "sha256-hex"
	signBase64SHA256 = "sha256-base64"
	signHexSHA1      = "sha1-hex"
)

// Any JSON, which the source's own jq program turns into events.
func init() {
	Register(Reader{
		Kind: "custom", Label: "Custom", Order: 90, HasProgram: true,
		Help: "Any JSON: a jq program of yours turns it into events of the ingest API.",
		Fields: []wire.Field{
			{
				Key: customScheme, Label: "Signature", Choices: []string{signStandard, signSvix, signHexSHA256, signBase64SHA256, signHexSHA1},
				Help: "How the sender signs, if the source has a signing secret. The last three are an HMAC of the body in one header.",
			},
			{
				Key: customHeader, Label: "Signature header", Pattern: "[A-Za-z0-9-]{1,128}",
				PatternHelp: "Enter the name of a header, such as X-Webhook-Signature.",
				Help:        "The header with the HMAC, such as X-Webhook-Signature. Not needed for standard-webhooks and svix.",
			},
		},
		Secrets:     readSecrets("The secret with which the sender signs. It is used as it is, except that standard-webhooks and svix decode what follows whsec_."),
		NewSecret:   wire.HexSecret,
		CheckSecret: wire.CheckKeyText,
		Verify:      verifyCustom,
		Read:        readCustom,
	})
}

func verifyCustom(r Received) error {
	digests := map[string]digest{
		signHexSHA256: hexSHA256, signBase64SHA256: base64SHA256, signHexSHA1: {sha1.New, hex.DecodeString},
	}
	d, isDigest := digests[r.Fields[customScheme]]
	switch header := r.Fields[customHeader]; {
	case isDigest && header == "":
		return wire.Sentence("The source does not name the header with the signature.")
	case isDigest:
		prefix := ""
		if r.Fields[customScheme] != signBase64SHA256 {
			prefix = map[bool]string{true: "sha1=", false: "sha256="}[r.Fields[customScheme] == signHexSHA1]
		}
		return verifyDigest(r, header, prefix, d)
	case r.Fields[customScheme] == signSvix:
		return verifySvix(r)
	default:
		return verifyStandard(r, "webhook-", standardKeys)
	}
}

// readCustom passes on what the program yielded. The events' ids are its own.
func readCustom(r Received) (Result, error) {
	if len(r.Output) == 0 {
		return ignored("The program yields no events for this body."), nil
	}
	for i, output := range r.Output {
		if o := output; len(o) == 0 || o[0] != '{' {
			return Result{}, fmt.Errorf("output %d of the program: must be an object, not %s", i+1, kindOfJSON(o))
		}
	}
	return Result{Events: r.Output}, nil
}

// kindOfJSON names the kind of a value for people.
func kindOfJSON(value json.RawMessage) string {
	if len(value) == 0 {
		return "nothing"
	}
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}
