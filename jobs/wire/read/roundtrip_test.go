package read

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// TestRoundTrip: each type that is also a kind of source reads what it wrote.
// The events are as many, each of the same type, and written again they give
// the same bodies, byte for byte: in all that the format carries they are the
// same.
func TestRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, r := range Readers() {
		f, writes := wire.Lookup(r.Kind)
		if !writes {
			continue
		}
		t.Run(r.Kind, func(t *testing.T) {
			if status := cmp.Or(r.Success, http.StatusAccepted); !f.Policy.Succeeded(wire.Response{Code: status}) {
				t.Errorf("a source answers %d, which is no success for a webhook of the same type", status)
			}
			g := generator{rand.New(rand.NewPCG(seed, 0))}
			var kinds []wire.EventKind
			for _, k := range allKinds(f) {
				if !wire.FamilyOf(k).Own { // which no site reports
					kinds = append(kinds, k)
				}
			}
			for range 200 {
				var events []wire.Event
				for range 1 + g.IntN(8) {
					events = append(events, g.event(kinds[g.IntN(len(kinds))]))
				}
				for len(events) > 0 {
					events = events[checkRoundTrip(t, f, r, events):]
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// allKinds are the kinds of events that a format can report.
func allKinds(f *wire.Format) []wire.EventKind {
	var values []string
	for _, o := range f.Options {
		values = append(values, o.Value)
	}
	return f.EventKinds(values)
}

func checkRoundTrip(t *testing.T, f *wire.Format, r *Reader, events []wire.Event) (used int) {
	t.Helper()
	draft := wire.Draft{ID: f.NewID(), WebhookName: "A webhook", Options: map[string]string{"digest": "sha1"}}
	body, used, err := f.Build(events, draft)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{f.NewSecret(), f.NewSecret()}[:len(f.Secrets)]
	in := Received{Body: body, Header: http.Header{}, At: time.Now(), Fields: draft.Options}
	for _, h := range f.Headers(wire.Request{ID: draft.ID, Body: body, At: in.At, Secrets: secrets, EventTypes: []string{events[0].Type}, Options: draft.Options}) {
		in.Header.Add(h.Name, h.Value)
	}
	for _, secret := range secrets {
		if in.Secrets = []string{r.NewSecret(), secret}; r.Verify(in) != nil {
			t.Errorf("%v: %s", r.Verify(in), body)
		}
	}
	in.Secrets = []string{r.NewSecret(), r.NewSecret()}
	if r.Verify(in) == nil {
		t.Errorf("signed with other secrets, and accepted: %s", body)
	}
	result, err := r.Read(in)
	if err != nil || result.Ignored != "" || len(result.Events) != used {
		t.Fatalf("%d events: %v, ignored %q, %d read: %s", used, err, result.Ignored, len(result.Events), body)
	}
	var read []wire.Event
	for _, text := range result.Events {
		e, err := wire.Decode(text, in.At)
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		var head struct {
			OccurredAt time.Time `json:"occurred_at"`
		}
		if err := json.Unmarshal(text, &head); err != nil {
			t.Fatal(err)
		}
		e.OccurredAt = head.OccurredAt
		read = append(read, e)
	}
	checkRead(t, f, events[:used], read)
	again, _, err := f.Build(read, draft)
	if err != nil || !bytes.Equal(body, again) {
		t.Errorf("%v: wrote\n%s\nread\n%s\nwrote again\n%s", err, body, result.Events, again)
	}
	return used
}

// checkRead compares the types, and looks for ids that are there twice.
func checkRead(t *testing.T, f *wire.Format, wrote, read []wire.Event) {
	t.Helper()
	types := func(events []wire.Event, translate bool) (list []string) {
		for _, e := range events {
			name := e.Type
			if option, covers := f.Covering(wire.KindOf(name)); f.Name == "userecho" && translate && covers && e.Question != nil {
				name = option.Value // a forum's own, when it is read
			}
			list = append(list, name)
		}
		slices.Sort(list)
		return list
	}
	if w, r := types(wrote, true), types(read, false); !slices.Equal(w, r) {
		t.Errorf("wrote %v, read %v", w, r)
	}
	ids := map[string]bool{}
	for _, e := range read {
		ids[e.ID] = true
	}
	if len(ids) != len(read) || ids[""] {
		t.Errorf("%d ids of %d events: %v", len(ids), len(read), ids)
	}
}

// generator makes up events.
type generator struct{ *rand.Rand }

func (g generator) event(k wire.EventKind) wire.Event {
	e := wire.Event{ID: "e", Type: k.Type, OccurredAt: g.time(), Location: "main", Actor: g.user()}
	family := wire.FamilyOf(k)
	if !family.Posts {
		e.Subject = strconv.Itoa(g.IntN(1 << 31))
		e.Data = g.data(e.Subject)
		if family.CRM {
			e.Changes = g.words()
		}
		return e
	}
	q := wire.Question{
		QuestionID: g.id(), Title: g.text() + "t", Body: g.text(), Tags: wire.NormalTags(g.words()), Score: g.Int64N(9) - 4,
		CreationDate: g.time().UnixMilli(), LastEditDate: g.date(), Owner: g.user(),
	}
	q.Link = fmt.Sprintf("https://forum.example.org/%s/%d/%s", []string{"questions", "t", "c/team/questions"}[g.IntN(3)], q.QuestionID, g.slug())
	e.Question, e.Subject = &q, strconv.FormatInt(q.QuestionID, 10)
	if k.Family == "answer" || k.Family == "comment" && g.IntN(2) == 0 {
		a := wire.Answer{
			AnswerID: g.id(), Body: g.text(), Score: g.Int64N(9), IsAccepted: g.IntN(2) == 0,
			CreationDate: g.time().UnixMilli(), LastEditDate: g.date(), Owner: g.user(),
		}
		if a.Link = wire.AnswerLink(q.Link, a.AnswerID); g.IntN(3) == 0 {
			a.Link = "https://forum.example.org/a/" + g.slug()
		}
		e.Answer, e.Subject = &a, strconv.FormatInt(a.AnswerID, 10)
	}
	if k.Family == "comment" {
		c := wire.Comment{CommentID: g.id(), Body: g.text(), Score: g.Int64N(9), CreationDate: g.time().UnixMilli(), Owner: g.user()}
		post, postID := q.Link, q.QuestionID
		if e.Answer != nil {
			post, postID = e.Answer.Link, e.Answer.AnswerID
		}
		page, _, _ := strings.Cut(post, "#")
		c.Link = fmt.Sprintf("%s#comment%d_%d", page, c.CommentID, postID)
		e.Comment, e.Subject = &c, strconv.FormatInt(c.CommentID, 10)
	}
	return e
}

func (g generator) id() int64 { return 1 + g.Int64N(1<<(1+g.IntN(52))) }

func (g generator) time() time.Time {
	return time.Unix(g.Int64N(1795226400), g.Int64N(1e9)).UTC()
}

func (g generator) date() *int64 {
	if g.IntN(2) == 0 {
		return nil
	}
	ms := g.time().UnixMilli()
	return &ms
}

func (g generator) user() wire.User {
	if g.IntN(4) == 0 {
		return wire.User{UserID: -1, DisplayName: "Community"}
	}
	return wire.User{UserID: g.id(), DisplayName: g.text()}
}

func (g generator) text() string {
	pieces := []string{"a", " ", "é", "🙂", `"`, `\`, "<b>", "&amp;", "\n", "\u2028", "\t", "日本", "'", "{", "\u007f", "\x01", "null"}
	var b strings.Builder
	for range g.IntN(12) {
		b.WriteString(pieces[g.IntN(len(pieces))])
	}
	return b.String()
}

func (g generator) slug() string {
	return []string{"", "testing-webhooks", "12", "a%2Fb", "x/y", "ä"}[g.IntN(6)]
}

func (g generator) words() (words []string) {
	for range g.IntN(4) {
		words = append(words, []string{"python", "c++", "é", "a b", "tag1", "Name", `q"`}[g.IntN(7)])
	}
	return words
}

// data is an object with the thing's id, numbers that no float holds and keys
// that are in no order; nil: the site sent none.
func (g generator) data(id string) json.RawMessage {
	if g.IntN(5) == 0 {
		return nil
	}
	key, _ := object.Encode(g.text())
	return json.RawMessage(fmt.Sprintf(`{"z":12345678901234567890.10,"id":%s,%s:[{"b":null,"a":1e400}],"id2":"%s"}`, id, key, id))
}
