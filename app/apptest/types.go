package apptest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"
)

// TypeNames are the five types of webhook.
var TypeNames = []string{"generic", "slack", "stackauth", "userecho", "superoffice"}

// TypeEvents are each type's names for all activities of a Q&A site.
var TypeEvents = map[string][]string{
	"generic":     {"question.created", "question.edited", "answer.created", "answer.edited", "answer.accepted", "comment.created"},
	"slack":       {"question.created", "question.edited", "answer.created", "answer.edited", "answer.accepted", "comment.created"},
	"stackauth":   {"question.created", "question.edited", "answer.created", "answer.edited", "answer.accepted", "comment.created"},
	"userecho":    {"topic.created", "comment.created", "comment.accepted"},
	"superoffice": {"question.created", "question.changed", "answer.created", "answer.changed", "comment.created"},
}

// TypeSecrets sign for each type; Slack has none.
var TypeSecrets = map[string]string{
	"generic":     strings.Repeat("0123456789abcdef", 4),
	"stackauth":   "whsec_" + base64.StdEncoding.EncodeToString([]byte("twenty-four bytes or more")),
	"userecho":    "a key of the forum",
	"superoffice": "é is two bytes of the key",
}

// TypeForm has the form values of a webhook of a type.
func TypeForm(name, target string) url.Values {
	form := WebhookForm(target + "/" + name)
	form.Set("name", "To "+name)
	form["events"] = TypeEvents[name]
	if secret := TypeSecrets[name]; secret != "" {
		form.Set("secret_1", secret)
	}
	return form
}

// NewTypesReceiver answers as all five types want it, Slack's "ok" included,
// over https; each delivery's id is its path. Trust is the setting for an
// instance's environment to trust its certificate.
func NewTypesReceiver(t *testing.T) (r *Receiver, trust string) {
	t.Helper()
	r = &Receiver{}
	r.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if req.Header.Get("X-Hook-Test") == "" { // SuperOffice asks before it saves
			r.requests = append(r.requests, Delivered{strings.TrimPrefix(req.URL.Path, "/"), req.Header.Clone(), body})
		}
		fmt.Fprint(w, "ok")
	}))
	t.Cleanup(r.Close)
	file := filepath.Join(t.TempDir(), "certificate.pem")
	ok(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw}), 0o600))
	return r, "SSL_CERT_FILE=" + file
}

// Of are the deliveries that arrived for a type.
func (r *Receiver) Of(name string) []Delivered {
	return slices.DeleteFunc(r.Got(), func(d Delivered) bool { return d.ID != name })
}

// VerifyType checks a request the way a receiver of its type does, with the
// vendors' libraries where there are some.
func VerifyType(name string, d Delivered) error {
	secret := TypeSecrets[name]
	switch name {
	case "generic":
		v, err := standardwebhooks.NewWebhookRaw([]byte(secret))
		if err != nil {
			return err
		}
		return v.Verify(d.Body, d.Header)
	case "stackauth":
		v, err := svix.NewWebhook(secret)
		if err != nil {
			return err
		}
		return v.Verify(d.Body, d.Header)
	case "slack":
		for header := range d.Header {
			if strings.Contains(header, "Signature") {
				return errors.New("slack has no signature")
			}
		}
		return nil
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(d.Body)
	want, header := hex.EncodeToString(mac.Sum(nil)), "X-UE-Signature"
	if name == "superoffice" {
		want, header = base64.StdEncoding.EncodeToString(mac.Sum(nil)), "X-SuperOffice-Signature"
	}
	if got := d.Header.Get(header); got != want {
		return fmt.Errorf("%s is %q, not %q", header, got, want)
	}
	return nil
}

// DecodeStrictly decodes a body that has exactly the members of dst's type, at most.
func DecodeStrictly(body []byte, dst any) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(dst); err != nil {
		return fmt.Errorf("%w: %s", err, body)
	}
	if dec.More() {
		return errors.New("more than one value")
	}
	return nil
}
