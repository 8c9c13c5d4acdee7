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
)

const (
	secretOne = "6f1c0b5e2d4a98736f1c0b5e2d4a98736f1c0b5e2d4a98736f1c0b5e2d4a9873"
	secretTwo = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func generic(t *testing.T) *Format { return known(t, "generic") }

// known is a registered format.
func known(t *testing.T, name string) *Format {
	t.Helper()
	f, ok := Lookup(name)
	if !ok {
		t.Fatalf("%s is not registered", name)
	}
	return f
}

// question is an event whose item is about as long as its body.
func question(id int64, body string) Event {
	return Event{Type: QuestionCreated, Question: &Question{QuestionID: id, Body: body, Owner: User{UserID: -1, DisplayName: "Community"}}}
}

type genericBody struct {
	Questions, Answers, Comments []struct {
		QuestionID int64  `json:"question_id"`
		Type       string `json:"type"`
	}
}

func build(t *testing.T, events []Event) (body []byte, read genericBody, used int) {
	t.Helper()
	body, used, err := generic(t).Build(events, Draft{})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &read); err != nil {
		t.Fatal(err)
	}
	return body, read, used
}

func TestGenericTakesAHundredInOrder(t *testing.T) {
	var events []Event
	for i := range int64(250) {
		events = append(events, question(i, ""))
	}
	next := int64(0)
	for _, want := range []int{100, 100, 50} {
		_, read, used := build(t, events)
		if used != want || len(read.Questions) != want {
			t.Fatalf("used %d with %d items, want %d", used, len(read.Questions), want)
		}
		for _, q := range read.Questions {
			if q.QuestionID != next {
				t.Fatalf("question %d, want %d", q.QuestionID, next)
			}
			next++
		}
		events = events[used:]
	}
}

func TestGenericKeepsTo256KiB(t *testing.T) {
	empty, _, _ := build(t, []Event{question(1, "")})
	// Two items and the comma between them fill a body to the last byte.
	frame := len(`{"questions":[],"answers":[],"comments":[]}`)
	item := len(empty) - frame
	pad := 256<<10 - frame - 2*item - len(",")
	full := []Event{question(1, strings.Repeat("x", pad)), question(2, "")}
	if body, _, used := build(t, full); used != 2 || len(body) != 256<<10 {
		t.Errorf("used %d, %d bytes; want both in exactly 256 KiB", used, len(body))
	}
	over := []Event{question(1, strings.Repeat("x", pad+1)), question(2, "")}
	if body, _, used := build(t, over); used != 1 || len(body) > 256<<10 {
		t.Errorf("used %d, %d bytes; want one item", used, len(body))
	}
	huge := []Event{question(1, "small"), question(2, strings.Repeat("x", 300<<10)), question(3, "small")}
	for _, wantMore := range []bool{false, true, false} {
		body, _, used := build(t, huge)
		if used != 1 && len(huge) > 1 || len(body) > 256<<10 != wantMore {
			t.Errorf("used %d, %d bytes", used, len(body))
		}
		huge = huge[used:]
	}
}

func TestGenericRefusesWhatItHasNoWordsFor(t *testing.T) {
	for name, events := range map[string][]Event{
		"nothing":             nil,
		"another family":      {{ID: "e", Type: "user.created"}},
		"question without it": {{ID: "e", Type: QuestionCreated}},
		"answer without it":   {{ID: "e", Type: AnswerCreated, Question: &Question{}}},
	} {
		if body, used, err := generic(t).Build(events, Draft{}); err == nil {
			t.Errorf("%s: %d used, %s", name, used, body)
		}
	}
}

func genericRequest(t *testing.T, at time.Time, secrets ...string) (body []byte, header http.Header) {
	t.Helper()
	f := generic(t)
	body, _, _ = build(t, []Event{question(1, "é <b>"), question(2, "")})
	header = http.Header{}
	for _, h := range f.Headers(Request{ID: f.NewID(), Body: body, At: at, Secrets: secrets}) {
		header.Add(h.Name, h.Value)
	}
	return body, header
}

func verify(t *testing.T, secret string, body []byte, header http.Header) error {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return verifier.Verify(body, header)
}

func TestGenericVerifies(t *testing.T) {
	body, header := genericRequest(t, time.Now(), secretOne, secretTwo)
	for _, secret := range []string{secretOne, secretTwo} {
		if err := verify(t, secret, body, header); err != nil {
			t.Errorf("secret %.4s…: %v", secret, err)
		}
	}
	body, header = genericRequest(t, time.Now(), "", secretTwo)
	if err := verify(t, secretTwo, body, header); err != nil {
		t.Errorf("second secret alone: %v", err)
	}
}

func TestGenericVerifierRefuses(t *testing.T) {
	body, header := genericRequest(t, time.Now(), secretOne)
	if verify(t, secretTwo, body, header) == nil {
		t.Error("another secret was accepted")
	}
	tampered := append([]byte(" "), body...)
	if verify(t, secretOne, tampered, header) == nil {
		t.Error("a changed body was accepted")
	}
	other := header.Clone()
	other.Set("webhook-id", "msg_other")
	if verify(t, secretOne, body, other) == nil {
		t.Error("another id was accepted")
	}
	body, header = genericRequest(t, time.Now().Add(-6*time.Minute), secretOne)
	if verify(t, secretOne, body, header) == nil {
		t.Error("an old timestamp was accepted")
	}
	header.Set("webhook-timestamp", unixSeconds(time.Now()))
	if verify(t, secretOne, body, header) == nil {
		t.Error("an old signature under a new timestamp was accepted")
	}
}

// TestStandardSignature checks the known answer of the specification's own
// test suites, whose key is the decoded base64.
func TestStandardSignature(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := StandardSignature("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`), key)
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestGenericSecrets(t *testing.T) {
	f := generic(t)
	if made := f.NewSecret(); !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(made) {
		t.Errorf("new secret %q", made)
	}
	for secret, good := range map[string]bool{
		strings.Repeat("a", 15): false, strings.Repeat("a", 16): true, strings.Repeat("~", 256): true,
		strings.Repeat("a", 257): false, "": false, "with a space inside": true,
		"tab\tinside the secret": false, "é is not of ASCII, sorry": false, "nul \x00 is not printable": false,
	} {
		if err := f.CheckSecret(secret); (err == nil) != good {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

func TestGenericIDs(t *testing.T) {
	counts := map[rune]int{}
	for range 4000 {
		id := generic(t).NewID()
		if !regexp.MustCompile(`^msg_[0-9A-Za-z]{27}$`).MatchString(id) {
			t.Fatalf("id %q", id)
		}
		for _, r := range id[11:] { // behind the time
			counts[r]++
		}
	}
	// 80,000 characters over 62: about 1,290 each. Ten standard deviations
	// away is no chance but a fault.
	for _, r := range base62 {
		if counts[r] < 930 || counts[r] > 1650 {
			t.Errorf("%c came %d times", r, counts[r])
		}
	}
}

func TestGenericForm(t *testing.T) {
	f := generic(t)
	want := []string{
		"question.created Questions", "question.edited Edited questions", "answer.created Answers",
		"answer.edited Updated answers", "answer.accepted Accepted answers", "comment.created Comments",
	}
	for i, w := range want {
		if got := f.Options[i].Value + " " + f.Options[i].Label; got != w || f.Options[i].Group != "" {
			t.Errorf("option %d is %q in group %q, want %q", i, got, f.Options[i].Group, w)
		}
	}
	if f.Secrets[0].Label != "Signing secret 1" || f.Secrets[1].Label != "Signing secret 2" {
		t.Errorf("secrets are labelled %q and %q", f.Secrets[0].Label, f.Secrets[1].Label)
	}
}
