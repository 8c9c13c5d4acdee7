package wire

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzDecode: Decode does not panic on any input; accepted events have every
// default, and every format that offers the type can write them.
func FuzzDecode(f *testing.F) {
	paths, err := filepath.Glob("testdata/events/*.json")
	if err != nil || len(paths) == 0 {
		f.Fatal("no seeds", err)
	}
	for _, path := range paths {
		seed, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed, int64(0))
		f.Add(seed[:len(seed)*2/3], int64(-1))
	}
	for _, path := range []string{"identity", "forum", "crm"} {
		lines, err := os.ReadFile(filepath.Join("testdata", "events", path+".ndjson"))
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(lines) {
			f.Add(line, int64(0))
		}
	}
	f.Add([]byte(`{"type":"webhook.broken","data":{"id":{"a":[1e999]},"type":7}}`), int64(253402300799))
	f.Add([]byte(`{"type":"comment.created","data":[1]}`), int64(1))
	f.Add([]byte(`{"type":"question.created","question":{"question_id":1,"title":"\ud800","tags":["İ","İ"]}}`), int64(1))
	f.Fuzz(func(t *testing.T, payload []byte, unix int64) {
		e, err := Decode(payload, time.Unix(unix, 0))
		if err != nil {
			return
		}
		if e.Type == "" || e.Data != nil && !json.Valid(e.Data) {
			t.Fatalf("decoded %+v", e)
		}
		if q := e.Question; q != nil && (q.Tags == nil || !slices.Equal(q.Tags, NormalTags(q.Tags)) || e.Subject == "") {
			t.Fatalf("question %+v, subject %q", q, e.Subject)
		}
		for _, format := range Formats() {
			for _, o := range format.Options {
				if slices.Contains(o.Events, kindOfEvent(e)) {
					checkBuild(t, format, []Event{e, e})
				}
			}
		}
	})
}

// FuzzGenericBuild: for any texts and any number of events, bodies are valid,
// within their limits, and hold every event once and in order.
func FuzzGenericBuild(f *testing.F) {
	f.Add("title", "body", uint8(3), uint16(1))
	f.Add("\x00\xff</script>&\u2028", "\"\\\r\n🙂", uint8(200), uint16(4000))
	f.Add("", "", uint8(255), uint16(0))
	f.Add("big", strings.Repeat("€", 100), uint8(7), uint16(60000))
	f.Fuzz(func(t *testing.T, title, body string, count uint8, times uint16) {
		// One large item in the middle is enough to meet every limit.
		large := strings.Repeat(body, int(times)%(1<<20/(len(body)+1)))
		var events []Event
		for i := range int64(count) {
			q := &Question{QuestionID: i, Title: title, Body: body, Owner: User{DisplayName: body}, Tags: []string{title}}
			if i == int64(count)/2 {
				q.Body = large
			}
			events = append(events, Event{Type: QuestionEdited, Question: q})
		}
		seen := int64(0)
		for len(events) > 0 {
			built, read, used := build(t, events)
			if used < 1 || used > genericItems || used > 1 && len(built) > genericBytes || len(read.Questions) != used {
				t.Fatalf("used %d, %d items, %d bytes", used, len(read.Questions), len(built))
			}
			if !utf8.Valid(built) || bytes.ContainsAny(built, "\x00\n") || !bytes.HasPrefix(built, []byte(`{"questions":[`)) {
				t.Fatalf("body %q", built)
			}
			for _, q := range read.Questions {
				if q.QuestionID != seen {
					t.Fatalf("question %d, want %d", q.QuestionID, seen)
				}
				seen++
			}
			events = events[used:]
		}
		if seen != int64(count) {
			t.Fatalf("%d questions came out of %d", seen, count)
		}
	})
}

// FuzzJudge: for any answer of the receiver, the wait stays between the pause
// with its jitter, the floor and twice the pause.
func FuzzJudge(f *testing.F) {
	for _, v := range []string{"", "0", "-1", "1.5", "1e9", "99999999999999999999", "Sat, 21 Nov 2026 00:05:00 GMT", "\x00", " 7 ", "7."} {
		f.Add(v, 429, 2, 0.3)
	}
	f.Fuzz(func(t *testing.T, value string, code, number int, random float64) {
		if !(random >= 0 && random <= 1) {
			return
		}
		p := eightAttempts()
		v := p.Judge(Attempt{Number: number, At: start, Rand: random, Response: Response{Code: code, Header: http.Header{"Retry-After": {value}}}})
		if v.Delivered || v.Failed {
			if v.RetryAfter != 0 || v.Delivered == v.Failed {
				t.Fatalf("%+v", v)
			}
			return
		}
		base := p.Pauses[max(number, 1)-1]
		least, most := time.Duration(0.8*float64(base)), max(2*base, p.Floor)
		if v.RetryAfter < least-time.Microsecond || v.RetryAfter > most || v.Reason == "" || v.Health.FailuresInRow != 1 {
			t.Fatalf("%+v: want a wait of %v to %v", v, least, most)
		}
	})
}
