package wire

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// received is a request that a guide's code judges.
type received struct {
	Name    string            `json:"name"`
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"` // lower-case names
	Body    []byte            `json:"body"`

	good bool // is the expected result
}

var codeBlock = regexp.MustCompile("(?s)```(\\w+)\n(.*?)```")

// TestReceiverGuides runs the code of docs/receivers, as it stands there,
// against requests that the formats make.
func TestReceiverGuides(t *testing.T) {
	for _, f := range Formats() {
		if f.Name == "pigeon" {
			continue // of the tests alone
		}
		text, err := os.ReadFile(filepath.Join("..", "..", "docs", "receivers", f.Name+".md"))
		if err != nil {
			t.Errorf("every type has a guide: %v", err)
			continue
		}
		snippets := map[string]string{}
		for _, block := range codeBlock.FindAllStringSubmatch(string(text), -1) {
			if _, known := receiverLanguages[block[1]]; !known || snippets[block[1]] != "" {
				t.Errorf("%s: a block of %s too many", f.Name, block[1])
			}
			snippets[block[1]] = block[2]
		}
		if len(f.Secrets) == 0 {
			if len(snippets) > 0 {
				t.Errorf("%s is not signed, but its guide has code", f.Name)
			}
			continue
		}
		requests := receivedRequests(t, f)
		for language := range receiverLanguages {
			t.Run(f.Name+" "+language, func(t *testing.T) {
				t.Parallel()
				judgeByGuide(t, language, snippets[language], requests)
			})
		}
	}
}

// receivedRequests are some to accept and some to refuse.
func receivedRequests(t *testing.T, f *Format) []received {
	t.Helper()
	secret, other := f.NewSecret(), f.NewSecret()
	event := sampleEvent(AnswerAccepted)
	event.Answer.Body = "é <b> \u2028 \"quoted\" 🙂 \\ \x00"
	var requests []received
	add := func(name, secret string, body []byte, header http.Header, good bool) {
		headers := map[string]string{}
		for name := range header {
			headers[strings.ToLower(name)] = header.Get(name)
		}
		requests = append(requests, received{name, secret, headers, body, good})
	}
	body, header := signedRequest(t, f, event, time.Now(), nil, secret)
	add("right", secret, body, header, true)
	add("another secret", other, body, header, false)
	add("body longer", secret, append(slices.Clone(body), ' '), header, false)
	tampered := slices.Clone(body)
	tampered[len(tampered)/2] ^= 1
	add("body changed", secret, tampered, header, false)
	for name, value := range header {
		if strings.HasSuffix(name, "-Signature") {
			changed := header.Clone()
			changed.Set(name, value[0][:len(value[0])-4])
			add("signature cut", secret, body, changed, false)
			changed = header.Clone()
			changed.Set(name, "é "+strings.Repeat("v1,", 30))
			add("signature made up", secret, body, changed, false)
		}
	}
	unsigned, none := signedRequest(t, f, event, time.Now(), nil)
	add("not signed", secret, unsigned, none, false)
	if len(f.Secrets) == 2 { // these sign id and time too
		body, header = signedRequest(t, f, event, time.Now(), nil, secret, other)
		add("first of two", secret, body, header, true)
		add("second of two", other, body, header, true)
		prefix, _, _ := strings.Cut(f.OwnHeaders[0], "-")
		changed := header.Clone()
		changed.Set(prefix+"-id", "msg_other")
		add("another id", secret, body, changed, false)
		body, header = signedRequest(t, f, event, time.Now().Add(-6*time.Minute), nil, secret)
		add("too old", secret, body, header, false)
		header.Set(prefix+"-timestamp", unixSeconds(time.Now()))
		add("old under a new time", secret, body, header, false)
	}
	return requests
}
