package read

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

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
			cases, goldens := names(t, r.Kind, ".json"), names(t, r.Kind, ".golden")
			if !*update && !slices.Equal(cases, goldens) {
				t.Fatalf("cases %v, golden files %v: they must be the same", cases, goldens)
			}
			all := ""
			for _, name := range cases {
				t.Run(name, func(t *testing.T) { all += checkReadGolden(t, r, filepath.Join("testdata", r.Kind, name)) })
			}
			for _, want := range []string{"\n{", "\nignored: ", "\nfault: ", "\nrefused: "} {
				if !strings.Contains(all, want) && (want != "\nrefused: " || r.Verify != nil) {
					t.Errorf("no case in testdata/%s has a line that begins with %q", r.Kind, want[1:])
				}
			}
		})
	}
}

// names are the files of a kind's testdata with that ending, without it.
func names(t *testing.T, kind, ending string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", kind, "*"+ending))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(filepath.Base(p), ending)
	}
	return paths
}

func checkReadGolden(t *testing.T, r *Reader, path string) string {
	t.Helper()
	var c readCase
	text, err := os.ReadFile(path + ".json")
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
	if *update {
		if err := os.WriteFile(path+".golden", []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path + ".golden")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got.String(), want)
	}
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
