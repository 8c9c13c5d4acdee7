package read

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// signed is a request that one of the vendors' npm packages signed.
type signed struct {
	Name, Kind, Secret, Body string
	Headers                  map[string]string
}

// TestNPMSigners: what the vendors' packages sign is accepted, and refused with
// another secret. All discussion payloads that GitHub's package has are read, or
// ignored for a reason.
func TestNPMSigners(t *testing.T) {
	question := wire.SampleEvent(wire.KindOf(wire.QuestionCreated))
	question.Question.Body = "é <b> \u2028 \"quoted\" 🙂"
	teamCreated := wire.Event{
		Type: "team.created",
		Data: json.RawMessage(`{"id":"t1","display_name":"Équipe <&>","quota":12345678901234567890.10}`),
	}
	bodies := map[string][]string{}
	for kind, events := range map[string][]wire.Event{"generic": {question}, "stackauth": {question, teamCreated}} {
		format, _ := wire.Lookup(kind)
		for _, e := range events {
			body, _, err := format.Build([]wire.Event{e}, wire.Draft{ID: format.NewID()})
			if err != nil {
				t.Fatal(err)
			}
			bodies[kind] = append(bodies[kind], string(body))
		}
	}
	input, err := json.Marshal(map[string]any{"github": "It's a Secret to Everybody", "svix": whsecOne, "raw": secretOne, "bodies": bodies})
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "signers.cjs")
	node.Dir, node.Stdin, node.Stderr = "../testdata/npm", bytes.NewReader(input), t.Output()
	output, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v; this command installs what it needs (as root on Debian Node.js too): make setup", err)
	}
	var requests []signed
	if err := json.Unmarshal(output, &requests); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	payloads, types := 0, map[string]int{}
	for _, q := range requests {
		if q.Kind == "github" && !strings.HasSuffix(q.Name, "of a question") {
			payloads++
		}
		types[checkSigned(t, q)]++
	}
	if payloads != 15+4 {
		t.Errorf("%d payloads of discussions, want 15 of discussion and 4 of discussion_comment", payloads)
	}
	for _, want := range []string{wire.QuestionCreated, wire.QuestionEdited, wire.AnswerCreated, wire.AnswerEdited, wire.AnswerAccepted, "team.created", ""} {
		if types[want] == 0 {
			t.Errorf("no request gave an event of the type %q: %v", want, types)
		}
	}
}

// checkSigned returns the type of the event that a request gives; empty: it is
// ignored.
func checkSigned(t *testing.T, q signed) string {
	t.Helper()
	r, _ := ReaderOf(q.Kind)
	in := Received{Header: http.Header{}, Body: []byte(q.Body), At: time.Now(), Secrets: []string{r.NewSecret(), q.Secret}}
	for name, value := range q.Headers {
		in.Header.Set(name, value)
	}
	if err := r.Verify(in); err != nil {
		t.Errorf("%s: %v", q.Name, err)
	}
	result, err := r.Read(in)
	if err != nil || len(result.Events) > 1 || len(result.Events) == 0 && result.Ignored == "" {
		t.Errorf("%s: %v, %d events, ignored %q", q.Name, err, len(result.Events), result.Ignored)
		return ""
	}
	in.Secrets = in.Secrets[:1]
	if r.Verify(in) == nil {
		t.Errorf("%s: accepted with another secret", q.Name)
	}
	if len(result.Events) == 0 {
		t.Logf("%s: %s", q.Name, result.Ignored)
		return ""
	}
	e, err := wire.Decode(result.Events[0], in.At)
	if err != nil || e.ID == "" {
		t.Errorf("%s: %v in %s", q.Name, err, result.Events[0])
	}
	t.Logf("%s: %s", q.Name, e.Type)
	return e.Type
}
