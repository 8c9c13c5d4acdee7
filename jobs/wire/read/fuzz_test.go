package read

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// FuzzRead: no reader panics on any body, or on any answer to its look-ups. It
// gives events, a reason, look-ups or a fault; the same each time; and every
// event is one JSON object with an id.
func FuzzRead(f *testing.F) {
	paths, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		var c readCase
		if err := json.Unmarshal(text, &c); err != nil {
			f.Fatal(path, err)
		}
		body := c.Body
		if c.Text != "" {
			body = []byte(c.Text)
		}
		kind, _, _ := strings.Cut(strings.TrimPrefix(path, "testdata/"), "/")
		var event, answer string
		for name, value := range c.Headers {
			if strings.HasSuffix(name, "-Event") || name == "Content-Type" {
				event = value
			}
		}
		for _, a := range c.Answers {
			answer = string(a.Body)
		}
		f.Add(kind, event, []byte(body), []byte(answer), uint16(200))
	}
	f.Add("stackauth", "", []byte(`{"type":"team.created","type":7,"data":{"id":1e400},"data":null}`), []byte{}, uint16(0))
	f.Add("cloudevents", "application/cloudevents-batch+json", []byte(`[null,[],{"specversion":"1.0","id":"\ud800"}]`), []byte{}, uint16(0))
	f.Fuzz(func(t *testing.T, kind, event string, body, answer []byte, status uint16) {
		r, known := ReaderOf(kind)
		if !known {
			return
		}
		in := Received{Body: body, At: readAt, Answers: map[string]LookupAnswer{}, Fields: map[string]string{
			discourseInstance: "https://forum.example.org", discourseReplies: "yes", cloudEventsPrefix: "com.",
		}}
		in.Header = http.Header{"X-Discourse-Event": {event}, "X-Github-Event": {event}, "Content-Type": {event}, "Ce-Specversion": {"1.0"}}
		if r.HasProgram {
			in.Output = []json.RawMessage{body}
		}
		for range 4 {
			result, err := r.Read(in)
			again, errAgain := r.Read(in)
			if !reflect.DeepEqual(result, again) || (err == nil) != (errAgain == nil) {
				t.Fatalf("%+v, then %+v", result, again)
			}
			checkResult(t, r, result, err)
			for _, path := range result.Lookups {
				if _, asked := in.Answers[path]; asked || !strings.HasPrefix(path, "/") {
					t.Fatalf("asks for %s", path)
				}
				in.Answers[path] = LookupAnswer{int(status), answer}
			}
			if len(result.Lookups) == 0 {
				return
			}
		}
		t.Fatal("no end of look-ups")
	})
}

func checkResult(t *testing.T, r *Reader, result Result, err error) {
	t.Helper()
	outcomes := 0
	for _, is := range []bool{err != nil, len(result.Events) > 0 || result.Ignored != "", len(result.Lookups) > 0} {
		if is {
			outcomes++
		}
	}
	if outcomes != 1 || len(result.Events) > MaxEvents {
		t.Fatalf("%+v, %v", result, err)
	}
	if err != nil && (err.Error() == "" || strings.Contains(err.Error(), " json: ")) || !utf8.ValidString(result.Ignored) {
		t.Fatalf("fault %v, ignored %q", err, result.Ignored)
	}
	for _, e := range result.Events {
		if r.HasProgram {
			continue // it passes on what the program yielded
		}
		o, err := object.Parse(e)
		id := ""
		if err == nil {
			o.Read("id", &id)
		}
		if err != nil || id == "" || !utf8.Valid(e) {
			t.Fatalf("%v in %s", err, e)
		}
	}
}
