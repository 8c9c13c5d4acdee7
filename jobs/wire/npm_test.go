package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// judged is a request on its way to one of the vendors' npm packages.
type judged struct {
	Name    string            `json:"name"`
	Referee string            `json:"referee"`
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`

	refused bool // is the expected result
}

// judge asks testdata/npm/referees.cjs about all requests at once.
func judge(t *testing.T, requests []judged) {
	t.Helper()
	const missing = "the vendors' npm packages are missing; this command installs them (as root on Debian Node.js too): make setup"
	if _, err := os.Stat("testdata/npm/node_modules"); err != nil {
		t.Fatal(missing)
	}
	input, err := json.Marshal(requests)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "referees.cjs")
	node.Dir, node.Stdin, node.Stderr = "testdata/npm", bytes.NewReader(input), t.Output()
	output, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v; if it is not there: %s", err, missing)
	}
	verdicts := map[string]string{}
	if err := json.Unmarshal(output, &verdicts); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for _, r := range requests {
		verdict, ok := verdicts[r.Name]
		if !ok || (verdict != "") != r.refused {
			t.Errorf("%s: judged %v, %q; refused must be %v", r.Name, ok, verdict, r.refused)
		}
		// A fault of the script is no refusal.
		if r.refused && !strings.HasPrefix(verdict, "WebhookVerificationError: ") {
			t.Errorf("%s: %s", r.Name, verdict)
		}
	}
}

func TestNPMReferees(t *testing.T) {
	var requests []judged
	add := func(name, referee, secret string, body []byte, header http.Header, refused bool) {
		headers := map[string]string{}
		for name := range header {
			headers[strings.ToLower(name)] = header.Get(name)
		}
		requests = append(requests, judged{referee + " " + name, referee, secret, headers, string(body), refused})
	}
	for _, c := range []struct {
		referee, format string
		secrets         [2]string
		other           string
	}{
		{"svix", "stackauth", [2]string{whsecOne, whsecTwo}, known(t, "stackauth").NewSecret()},
		{"standardwebhooks", "stackauth", [2]string{whsecOne, whsecTwo}, known(t, "stackauth").NewSecret()},
		{"standardwebhooks raw", "generic", [2]string{secretOne, secretTwo}, known(t, "generic").NewSecret()},
	} {
		f := known(t, c.format)
		e := sampleEvent(AnswerAccepted)
		e.Answer.Body = "é <b> \u2028 \"quoted\" 🙂"
		body, header := signedRequest(t, f, e, time.Now(), nil, c.secrets[:]...)
		add("first secret", c.referee, c.secrets[0], body, header, false)
		add("second secret", c.referee, c.secrets[1], body, header, false)
		add("another secret", c.referee, c.other, body, header, true)
		add("changed body", c.referee, c.secrets[0], append([]byte(" "), body...), header, true)
		body, header = signedRequest(t, f, e, time.Now(), nil, c.other)
		add("generated secret", c.referee, c.other, body, header, false)
		body, header = signedRequest(t, f, e, time.Now().Add(-6*time.Minute), nil, c.secrets[0])
		add("old timestamp", c.referee, c.secrets[0], body, header, true)
		header.Set("svix-timestamp", unixSeconds(time.Now()))
		header.Set("webhook-timestamp", unixSeconds(time.Now()))
		add("old signature under a new timestamp", c.referee, c.secrets[0], body, header, true)
		body, header = signedRequest(t, f, e, time.Now(), nil)
		add("not signed", c.referee, c.secrets[0], body, header, true)
	}
	for _, e := range append(qaSamples(optionValues(known(t, "slack"))), storedEvents(t, "question_created.json")...) {
		body, header := signedRequest(t, known(t, "slack"), e, time.Now(), nil)
		add(e.ID, "slack", "", body, header, false)
	}
	judge(t, requests)
}

// TestNPMLock: the lock file pins versions and contents, and leaves it to each
// machine where they come from.
func TestNPMLock(t *testing.T) {
	text, err := os.ReadFile("testdata/npm/package-lock.json")
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Version, Resolved, Integrity string }
	}
	if err := json.Unmarshal(text, &lock); err != nil {
		t.Fatal(err)
	}
	for name, p := range lock.Packages {
		if p.Resolved != "" || name != "" && p.Integrity == "" {
			t.Errorf("%s: resolved %q, integrity %q", name, p.Resolved, p.Integrity)
		}
	}
}
