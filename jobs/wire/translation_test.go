package wire

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// translations are the names of the Q&A types in the words of each type, as
// the documents have them; "-": not offered.
const translations = `
                  generic          slack            stackauth        userecho         superoffice
question.created  question.created question.created question.created topic.created    question.created
question.edited   question.edited  question.edited  question.edited  -                question.changed
answer.created    answer.created   answer.created   answer.created   comment.created  answer.created
answer.edited     answer.edited    answer.edited    answer.edited    -                answer.changed
answer.accepted   answer.accepted  answer.accepted  answer.accepted  comment.accepted answer.changed
comment.created   comment.created  comment.created  comment.created  comment.created  comment.created
webhook.broken    webhook.broken   webhook.broken   webhook.broken   webhook.broken   webhook.broken
source.silent     source.silent    source.silent    source.silent    source.silent    source.silent`

func TestTranslation(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(translations), "\n")
	formats := strings.Fields(lines[0])
	for _, line := range lines[1:] {
		names := strings.Fields(line)
		for i, format := range formats {
			f, eventType, want := known(t, format), names[0], names[i+1]
			var offered []string
			for _, o := range f.Options {
				if slices.Contains(o.Events, KindOf(eventType)) {
					offered = append(offered, o.Value)
				}
			}
			if got := strings.Join(offered, " "); got != strings.Trim(want, "-") {
				t.Errorf("%s: %s is under the option %q, want %s", format, eventType, got, want)
			}
			if want != "-" {
				checkName(t, f, eventType, want)
			}
		}
	}
}

// TestCommentsOfTwoSystems: a Q&A site and a feedback forum both report
// comment.created; only the type that is made for forums tells of both.
func TestCommentsOfTwoSystems(t *testing.T) {
	post, forum := EventKind{"comment", CommentCreated}, EventKind{"forum-comment", CommentCreated}
	for _, format := range []string{"generic", "slack", "stackauth", "userecho", "superoffice"} {
		want := []EventKind{post}
		if format == "userecho" {
			want = []EventKind{{"answer", AnswerCreated}, post, forum}
		}
		if got := known(t, format).EventKinds([]string{CommentCreated}); !slices.Equal(got, want) {
			t.Errorf("%s: comment.created covers %v, want %v", format, got, want)
		}
	}
	if System(post) != "a Q&A site" || System(forum) != "a feedback forum" || System(EventKind{"lead", "lead.scored"}) != "" {
		t.Errorf("reported by %q and %q", System(post), System(forum))
	}
}

// kindOfEvent is the kind of an event as the ingest API tells it: without a
// question, comment.created is of a forum, as all other events of comments are.
func kindOfEvent(e Event) EventKind {
	if first, _, _ := strings.Cut(e.Type, "."); first == "comment" && e.Question == nil {
		return EventKind{"forum-comment", e.Type}
	}
	return KindOf(e.Type)
}

// checkName builds an event of the type and looks for the name in the body.
func checkName(t *testing.T, f *Format, eventType, want string) {
	t.Helper()
	e := sampleEvent(eventType)
	body, used, err := f.Build([]Event{e}, Draft{ID: "d", WebhookName: "w"})
	if err != nil || used != 1 {
		t.Fatalf("%s %s: used %d, %v", f.Name, eventType, used, err)
	}
	var read struct {
		Type, Hook, Event, Entity string
		PrimaryKey                int64
		Changes                   []string
		FieldValues               map[string]any
	}
	if err := json.Unmarshal(body, &read); err != nil {
		t.Fatal(err)
	}
	switch f.Name {
	case "stackauth":
		if read.Type != want {
			t.Errorf("%s has the type %q in %s", eventType, read.Type, body)
		}
	case "userecho":
		if read.Hook != want {
			t.Errorf("%s has the hook %q in %s", eventType, read.Hook, body)
		}
	case "superoffice":
		family, _, _ := strings.Cut(want, ".")
		id := map[string]int64{"question": 1, "answer": 2, "comment": 3, "webhook": 1}[family]
		changes := map[string]string{AnswerAccepted: "is_accepted"}[eventType]
		if read.Event != want || read.Entity != family || read.PrimaryKey != id || strings.Join(read.Changes, " ") != changes {
			t.Errorf("%s: %s", eventType, body)
		}
		if word := ItemTypes[eventType]; word != "" && read.FieldValues["type"] != word {
			t.Errorf("%s has the values %v", eventType, read.FieldValues)
		}
		header := headerOf(f, Request{ID: "d", EventTypes: []string{eventType}})
		if got := header.Get("X-SuperOffice-Event"); got != want {
			t.Errorf("%s has the header %q", eventType, got)
		}
	}
}

// offers are the types' own events, beside those of a Q&A site.
var offers = map[string]string{
	"stackauth": "user.created user.updated user.deleted team.created team.updated team.deleted " +
		"team_membership.created team_membership.deleted team_permission.created team_permission.deleted " +
		"project_permission.created project_permission.deleted",
	"userecho": "topic.created topic.accepted topic.satisfaction_changed comment.created comment.accepted comment.deleted",
	"superoffice": everyCRM("activity appointment associate contact document person project projectmember relation sale "+
		"salestakeholder ticket chatsession quote") + "contact.softdeleted person.softdeleted person.consented person.unconsented " +
		"document.edited sale.sold sale.lost sale.completed quote.approved quote.rejected quote.sent quote.ordered chatsession.message",
}

func everyCRM(entities string) string {
	var b strings.Builder
	for entity := range strings.FieldsSeq(entities) {
		b.WriteString(entity + ".created " + entity + ".changed " + entity + ".deleted ")
	}
	return b.String()
}

func TestOwnEvents(t *testing.T) {
	for format, list := range offers {
		f := known(t, format)
		var want, got []string
		for name := range strings.FieldsSeq(list) {
			o, err := f.Option(name)
			if err != nil || !slices.Contains(o.Types(), name) || o.Label != name || o.Group == "" {
				t.Errorf("%s: option %s is %+v, %v", format, name, o, err)
			}
			want = append(want, name)
		}
		for _, o := range f.Options {
			if slices.Contains(o.Types(), o.Value) && o.Group != groupQA && o.Group != groupOwn {
				got = append(got, o.Value)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("%s offers %v, want %v", format, got, want)
		}
	}
}

// TestFamilies compares the listed families with the activities that the types
// offer.
func TestFamilies(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Families() {
		if seen[f.Name] || f.Label == "" || len(f.Events) == 0 {
			t.Errorf("family %+v is incomplete or there twice", f)
		}
		seen[f.Name] = true
		for _, event := range f.Events {
			offered := false
			for _, format := range Formats() {
				offered = offered || slices.Contains(format.EventKinds(optionValues(format)), f.kind(event))
			}
			if !offered {
				t.Errorf("no type offers %v", f.kind(event))
			}
		}
	}
}

func optionValues(f *Format) []string {
	values := make([]string, len(f.Options))
	for i, o := range f.Options {
		values[i] = o.Value
	}
	return values
}
