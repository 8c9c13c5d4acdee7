package read

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire/wiretest"
)

// readCase is one testdata/KIND/CASE.json: a request, or the name of a golden
// file of the format's writing half whose requests are read again, and the
// source's settings. Beside it lies CASE.golden with what must come out.
type readCase struct {
	Written string            `json:"written"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"` // as it stands in the file
	Text    string            `json:"text"` // a body that is not JSON
	Secrets []string          `json:"secrets"`
	Fields  map[string]string `json:"fields"`
	Answers map[string]struct {
		Status int             `json:"status"`
		Body   json.RawMessage `json:"body"`
	} `json:"answers"`
	Output []json.RawMessage `json:"output"`
}

// TestGoldenReads compares the readings of every kind of source. A kind without
// a case that yields events, one that is ignored, one with a fault and, where
// it is signed, one with a wrong signature fails.
func TestGoldenReads(t *testing.T) {
	for _, r := range Readers() {
		t.Run(r.Kind, func(t *testing.T) {
			all := ""
			for _, name := range wiretest.Cases(t, r.Kind) {
				t.Run(name, func(t *testing.T) { all += checkReadGolden(t, r, name) })
			}
			for _, want := range []string{"\n{", "\nignored: ", "\nfault: ", "\nrefused: "} {
				if !strings.Contains(all, want) && (want != "\nrefused: " || r.Verify != nil) {
					t.Errorf("no case in testdata/%s has a line that begins with %q", r.Kind, want[1:])
				}
			}
		})
	}
}

func checkReadGolden(t *testing.T, r *Reader, name string) string {
	t.Helper()
	var c readCase
	path := filepath.Join("testdata", r.Kind, name+".json")
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var got strings.Builder
	for _, in := range c.requests(t, r) {
		got.WriteString(reading(r, in))
	}
	wiretest.Golden(t, r.Kind, name, got.String())
	return "\n" + got.String()
}

// readAt is when the requests of the golden files are received, moments after
// they were written.
var readAt = time.Date(2026, 11, 21, 2, 0, 5, 0, time.UTC)

func (c readCase) requests(t *testing.T, r *Reader) []Received {
	t.Helper()
	in := Received{Header: http.Header{}, Body: c.Body, At: readAt, Secrets: c.Secrets, Fields: c.Fields, Output: c.Output}
	if c.Text != "" {
		in.Body = []byte(c.Text)
	}
	for name, value := range c.Headers {
		in.Header.Set(name, value)
	}
	in.Answers = map[string]LookupAnswer{}
	for path, a := range c.Answers {
		in.Answers[path] = LookupAnswer{a.Status, a.Body}
	}
	if c.Written == "" {
		return []Received{in}
	}
	text, err := os.ReadFile(filepath.Join("../testdata", r.Kind, c.Written+".golden"))
	if err != nil {
		t.Fatal(err)
	}
	var all []Received
	for request := range strings.SplitSeq(strings.TrimPrefix(string(text), "POST\n"), "\nPOST\n") {
		head, body, _ := strings.Cut(request, "\n\n")
		in.Header, in.Body = http.Header{}, []byte(strings.TrimSuffix(body, "\n"))
		for line := range strings.Lines(head) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			in.Header.Set(name, value)
		}
		all = append(all, in)
	}
	return all
}

// reading writes what becomes of a request, one thing a line.
func reading(r *Reader, in Received) string {
	var out bytes.Buffer
	if len(in.Secrets) > 0 {
		if err := r.Verify(in); err != nil {
			return fmt.Sprintln("refused:", err)
		}
		fmt.Fprintln(&out, "verified")
	}
	result, err := r.Read(in)
	if err != nil {
		fmt.Fprintln(&out, "fault:", err)
	}
	for _, path := range result.Lookups {
		fmt.Fprintln(&out, "look up:", path)
	}
	for _, e := range result.Events {
		fmt.Fprintf(&out, "%s\n", e)
	}
	if result.Ignored != "" {
		fmt.Fprintln(&out, "ignored:", result.Ignored)
	}
	return out.String()
}
