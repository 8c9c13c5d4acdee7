package wire

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var receipt = time.Date(2026, 11, 21, 1, 39, 18, 123e6, time.UTC)

func decode(t *testing.T, payload string) Event {
	t.Helper()
	e, err := Decode([]byte(payload), receipt)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDecodeFillsDefaults(t *testing.T) {
	e := decode(t, `{"type":"comment.created",
		"question":{"question_id":1,"title":"T","link":"https://s.example/questions/1/t"},
		"answer":{"answer_id":2},"comment":{"comment_id":3,"body":"B"}}`)
	ms, community := receipt.UnixMilli(), User{UserID: -1, DisplayName: "Community"}
	want := Event{
		Type: CommentCreated, OccurredAt: receipt, Location: "main", Subject: "3",
		Question: &Question{
			QuestionID: 1, Title: "T", Link: "https://s.example/questions/1/t", Tags: []string{},
			CreationDate: ms, Owner: community,
		},
		Answer:  &Answer{AnswerID: 2, Link: "https://s.example/questions/1/t/2#2", CreationDate: ms, Owner: community},
		Comment: &Comment{CommentID: 3, Body: "B", Link: "https://s.example/questions/1/t/2#comment3_2", CreationDate: ms, Owner: community},
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got %+v\nwant %+v", e, want)
	}
}

func TestDecodeTakesNullForAbsent(t *testing.T) {
	e := decode(t, `{"id":null,"type":"answer.accepted","location":null,"community":null,"actor":null,"data":null,"changes":null,
		"question":{"question_id":1,"title":"T","link":null,"tags":null,"score":null,"creation_date":null,"last_edit_date":null,"owner":null},
		"answer":{"answer_id":2,"is_accepted":null,"owner":{"user_id":null,"display_name":null}}}`)
	if e.Location != "main" || e.Data != nil || e.Question.CreationDate != receipt.UnixMilli() || e.Question.Owner.UserID != -1 {
		t.Errorf("got %+v %+v", e, e.Question)
	}
	if !e.Answer.IsAccepted || e.Answer.Owner.DisplayName != "Community" || e.Answer.Link != "" {
		t.Errorf("answer %+v", e.Answer)
	}
}

func TestDecodeReads(t *testing.T) {
	e := decode(t, `{"id":"e","type":"answer.accepted","location":"team","community":"data","subject":"own",
		"actor":{"user_id":42,"display_name":"J"},
		"question":{"question_id":1,"title":"T","body":"b","link":"https://s.example/q/1","tags":["Go","go","SQL"],"score":5,
			"creation_date":0,"last_edit_date":7,"owner":{"user_id":3,"display_name":"Q"}},
		"answer":{"answer_id":2,"body":"a","link":"https://s.example/a/2","is_accepted":false,"last_edit_date":8}}`)
	if got := strings.Join(e.Question.Tags, " "); got != "go sql" {
		t.Errorf("tags %q", got)
	}
	if e.Question.CreationDate != 0 || *e.Question.LastEditDate != 7 || *e.Answer.LastEditDate != 8 {
		t.Errorf("dates of %+v %+v", e.Question, e.Answer)
	}
	if e.Answer.IsAccepted || e.Answer.Link != "https://s.example/a/2" || e.Subject != "own" || e.Actor.UserID != 42 {
		t.Errorf("got %+v %+v", e, e.Answer)
	}
}

func TestDecodeOtherFamilies(t *testing.T) {
	e := decode(t, `{"type":"user.created","subject":"u1","question":"not ours","comment":7,
		"data":{"b":9007199254740993.10,"a":["<&>","\u00e9"]},"changes":["name"]}`)
	if got, want := string(e.Data), `{"b":9007199254740993.10,"a":["<&>","\u00e9"]}`; got != want {
		t.Errorf("data %s, want %s", got, want)
	}
	if e.Question != nil || e.Comment != nil || e.Subject != "u1" || e.Changes[0] != "name" {
		t.Errorf("got %+v", e)
	}
	if e = decode(t, `{"type":"comment.created","data":{"id":5}}`); e.Question != nil || e.Comment != nil {
		t.Errorf("a forum's comment became %+v", e)
	}
}

func TestDecodeInsistsOnNames(t *testing.T) {
	e := decode(t, `{"type":"question.created","TYPE":"x","question":{"question_id":1,"Title":"no","title":"yes","TAGS":["x"]}}`)
	if e.Type != QuestionCreated || e.Question.Title != "yes" || len(e.Question.Tags) != 0 {
		t.Errorf("got %+v %+v", e, e.Question)
	}
	e = decode(t, `{"ty\u0070e":"question.created","subject":"first","question":{"question_id":1,"tags":["a\u0062", "c" ,"d"]},"subject":"last"}`)
	if e.Type != QuestionCreated || e.Subject != "last" || !slices.Equal(e.Question.Tags, []string{"ab", "c", "d"}) {
		t.Errorf("got %+v %+v", e, e.Question)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for payload, want := range map[string]string{
		``:                            "must be an object",
		`[]`:                          "must be an object",
		`null`:                        "must be an object",
		`{}`:                          "type: is missing",
		"{\"type\":\"\xff\"}":         "not UTF-8",
		`{"type":"question.created"}`: "question.question_id: is missing",
		`{"type":"question.created","question":[]}`:                                       "question: ",
		`{"type":"answer.created","question":{"question_id":1}}`:                          "answer.answer_id: is missing",
		`{"type":"comment.created","question":{"question_id":1}}`:                         "comment.comment_id: is missing",
		`{"type":"question.created","question":{"question_id":1.5}}`:                      "question.question_id: ",
		`{"type":"question.created","question":{"question_id":1,"owner":{"user_id":""}}}`: "question.owner.user_id: ",
		`{"type":"user.created","subject":7}`:                                             "subject: ",
		`{"type":"user.created"} x`:                                                       "must be an object",
		`{"type":"user.created",}`:                                                        "decode event: ",
		`{"type":"user.created"`:                                                          "decode event: ",
	} {
		if _, err := Decode([]byte(payload), receipt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", payload, err, want)
		}
	}
}

func TestDerivedLinks(t *testing.T) {
	for question, want := range map[string][2]string{
		"https://s.example/questions/1/t":        {"https://s.example/questions/1/t/2#2", "https://s.example/questions/1/t#comment3_1"},
		"https://s.example/questions/1/t/":       {"https://s.example/questions/1/t/2#2", "https://s.example/questions/1/t/#comment3_1"},
		"https://s.example/questions/1/t?a=b#up": {"https://s.example/questions/1/t/2?a=b#2", "https://s.example/questions/1/t?a=b#comment3_1"},
		"https://s.example/q/1/caf%C3%A9%2Fx":    {"https://s.example/q/1/caf%C3%A9%2Fx/2#2", "https://s.example/q/1/caf%C3%A9%2Fx#comment3_1"},
		"https://s.example/%zz":                  {"https://s.example/%zz", "https://s.example/%zz"},
		"":                                       {"", ""},
	} {
		if got := [2]string{AnswerLink(question, 2), commentLink(question, 3, 1)}; got != want {
			t.Errorf("%s: %v, want %v", question, got, want)
		}
	}
}
