package wire

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	svix "github.com/svix/svix-webhooks/go"
)

const (
	whsecOne = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	whsecTwo = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
)

// headerOf are a format's headers as a receiver has them.
func headerOf(f *Format, r Request) http.Header {
	header := http.Header{}
	for _, h := range f.Headers(r) {
		header.Add(h.Name, h.Value)
	}
	return header
}

// signedRequest builds a real request of a format, signed at a time.
func signedRequest(t *testing.T, f *Format, e Event, at time.Time, options map[string]string, secrets ...string) (body []byte, header http.Header) {
	t.Helper()
	id := f.NewID()
	body, _, err := f.Build([]Event{e}, Draft{ID: id, WebhookName: "A webhook", Options: options})
	if err != nil {
		t.Fatal(err)
	}
	return body, headerOf(f, Request{ID: id, Body: body, At: at, Secrets: secrets, EventTypes: []string{e.Type}, Options: options})
}

var teamCreated = Event{
	Type: "team.created",
	Data: json.RawMessage(`{"id":"t1","display_name":"Équipe <&>","quota":12345678901234567890.10}`),
}

type verifier interface {
	Verify(payload []byte, headers http.Header) error
}

// referees are the libraries that receivers of Stack Auth use. The second one
// reads the same signature under other names.
func referees(t *testing.T, secret string) map[string]verifier {
	t.Helper()
	bySvix, err := svix.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	byStandard, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]verifier{"svix": bySvix, "standard webhooks": renamed{byStandard}}
}

type renamed struct{ verifier }

func (r renamed) Verify(payload []byte, headers http.Header) error {
	header := http.Header{}
	for _, name := range []string{"id", "timestamp", "signature"} {
		header.Set("webhook-"+name, headers.Get("svix-"+name))
	}
	return r.verifier.Verify(payload, header)
}

func TestStackAuthVerifies(t *testing.T) {
	f := known(t, "stackauth")
	body, header := signedRequest(t, f, teamCreated, time.Now(), nil, whsecOne, whsecTwo)
	if want := `{"type":"team.created","data":` + string(teamCreated.Data) + `}`; string(body) != want {
		t.Errorf("body %s, want %s", body, want)
	}
	made := f.NewSecret()
	ofMade, headerOfMade := signedRequest(t, f, teamCreated, time.Now(), nil, made)
	for _, secret := range []string{whsecOne, strings.TrimPrefix(whsecOne, "whsec_"), whsecTwo, "whsec_" + whsecTwo} {
		for name, referee := range referees(t, secret) {
			if err := referee.Verify(body, header); err != nil {
				t.Errorf("%s, secret %.9s…: %v", name, secret, err)
			}
		}
	}
	for name, referee := range referees(t, made) {
		if err := referee.Verify(ofMade, headerOfMade); err != nil {
			t.Errorf("%s, generated secret: %v", name, err)
		}
	}
	if got := strings.Split(header.Get("svix-signature"), " "); len(got) != 2 {
		t.Errorf("signatures %q", got)
	}
}

func TestStackAuthVerifiersRefuse(t *testing.T) {
	f := known(t, "stackauth")
	body, header := signedRequest(t, f, teamCreated, time.Now(), nil, whsecOne)
	_, old := signedRequest(t, f, teamCreated, time.Now().Add(-6*time.Minute), nil, whsecOne)
	_, early := signedRequest(t, f, teamCreated, time.Now().Add(6*time.Minute), nil, whsecOne)
	other := header.Clone()
	other.Set("svix-id", "msg_other")
	for name, referee := range referees(t, whsecOne) {
		for what, err := range map[string]error{
			"a changed body":          referee.Verify(append([]byte(" "), body...), header),
			"another id":              referee.Verify(body, other),
			"an old timestamp":        referee.Verify(body, old),
			"a timestamp yet to come": referee.Verify(body, early),
		} {
			if err == nil {
				t.Errorf("%s accepted %s", name, what)
			}
		}
	}
	for name, referee := range referees(t, whsecTwo) {
		if referee.Verify(body, header) == nil {
			t.Errorf("%s accepted another secret", name)
		}
	}
}

// TestStackAuthAttempts: an attempt later has the same body and id, and a
// timestamp and signature of its own.
func TestStackAuthAttempts(t *testing.T) {
	f := known(t, "stackauth")
	r := Request{ID: f.NewID(), Body: []byte(`{}`), At: time.Unix(1, 0), Secrets: []string{whsecOne}}
	first := headerOf(f, r)
	r.At, r.Retries = time.Unix(9, 0), 1
	second := headerOf(f, r)
	if first.Get("svix-id") != second.Get("svix-id") {
		t.Error("the id changed")
	}
	if first.Get("svix-timestamp") != "1" || second.Get("svix-timestamp") != "9" || first.Get("svix-signature") == second.Get("svix-signature") {
		t.Errorf("%v, %v", first, second)
	}
}

func TestStackAuthTest(t *testing.T) {
	f := known(t, "stackauth")
	body, _, err := f.Build(f.Samples(nil), Draft{Target: "https://example.org/a?b=1&c=2"})
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		Type string `json:"type"`
		Data map[string]string
	}
	if err := json.Unmarshal(body, &read); err != nil {
		t.Fatal(err)
	}
	if read.Type != "stack.test" || read.Data["endpointUrl"] != "https://example.org/a?b=1&c=2" || read.Data["message"] == "" || len(read.Data) != 2 {
		t.Errorf("test notification %s", body)
	}
}

func TestStackAuthSecrets(t *testing.T) {
	f := known(t, "stackauth")
	if made := f.NewSecret(); !regexp.MustCompile(`^whsec_[A-Za-z0-9+/]{32}$`).MatchString(made) {
		t.Errorf("new secret %q", made)
	}
	bytes := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for secret, good := range map[string]bool{
		bytes(23): false, bytes(24): true, bytes(25): true, bytes(75): true, bytes(76): false, "": false, "whsec_": false,
		"whsec_" + bytes(24): true, "whsec_" + bytes(23): false, "WHSEC_" + bytes(24): false, "whsec_whsec_" + bytes(24): false,
		strings.TrimRight(bytes(25), "="): false, bytes(24)[:16] + "\n" + bytes(24)[16:]: false, bytes(24) + " ": false,
		"whsec_" + strings.Repeat("-_", 16): false, bytes(25)[:34] + "B=": false, // of bits that mean nothing
		secretOne: true, // 64 hex digits are base64 of 48 bytes
	} {
		if err := f.CheckSecret(secret); (err == nil) != good {
			t.Errorf("%q: %v", secret, err)
		}
	}
}
