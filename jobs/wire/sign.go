package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// StandardSignature signs as the Standard Webhooks specification has it: over
// id, unix seconds and body, joined by dots; one "v1," and base64 for each key,
// joined by spaces, in the order of the keys.
func StandardSignature(id string, at time.Time, body []byte, keys ...[]byte) string {
	signatures := make([]string, 0, len(keys))
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + unixSeconds(at) + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " ")
}

func unixSeconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
