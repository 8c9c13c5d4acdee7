package wire

import (
	"encoding/json"
	"slices"
	"time"
)

// qaOptions are the activities of a Q&A site, in the order and the words of the
// form, and Sitehooks' own event. Their values are the internal types.
func qaOptions() []Option {
	return append([]Option{
		{Value: QuestionCreated, Label: "Questions", Events: []EventKind{KindOf(QuestionCreated)}},
		{Value: QuestionEdited, Label: "Edited questions", Events: []EventKind{KindOf(QuestionEdited)}},
		{Value: AnswerCreated, Label: "Answers", Events: []EventKind{KindOf(AnswerCreated)}},
		{Value: AnswerEdited, Label: "Updated answers", Events: []EventKind{KindOf(AnswerEdited)}},
		{Value: AnswerAccepted, Label: "Accepted answers", Events: []EventKind{KindOf(AnswerAccepted)}},
		{Value: CommentCreated, Label: "Comments", Events: []EventKind{KindOf(CommentCreated)}},
	}, ownOptions()...)
}

// qaSamples are one event for each of the values, in the order of qaOptions.
func qaSamples(values []string) []Event {
	events := []Event{}
	for _, o := range qaOptions() {
		if slices.Contains(values, o.Value) {
			events = append(events, sampleEvent(o.Value))
		}
	}
	return events
}

// sampleAt is when the posts of a test notification were edited.
var sampleAt = time.UnixMilli(1538680811651).UTC()

// sampleEvent makes up an event of a type among qaOptions: always the same
// one, on posts that are on example.com and so nowhere.
func sampleEvent(eventType string) Event {
	const created = 1538594411651
	community := User{UserID: -1, DisplayName: "Community"}
	e := Event{
		ID: "test-" + eventType, Type: eventType, OccurredAt: sampleAt,
		Location: "main", Actor: community,
	}
	if eventType == WebhookBroken {
		e.Data = json.RawMessage(`{"id":1,"name":"Example webhook","reason":"It answered 410 Gone: the receiver is gone for good."}`)
		return e
	}
	if eventType == SourceSilent {
		e.Data = json.RawMessage(`{"name":"forum","kind":"discourse","silent_since":"2018-10-04T20:40:11Z","expect_hours":24}`)
		return e
	}
	lastEdit := sampleAt.UnixMilli()
	e.Question = &Question{
		QuestionID: 1, Title: "How do I receive a webhook?",
		Body: "Sitehooks made up this question to test a webhook. Nobody asked it.",
		Link: "https://example.com/questions/1/how-do-i-receive-a-webhook",
		Tags: []string{"tag1", "tag2"}, Score: 5, CreationDate: created, LastEditDate: &lastEdit, Owner: community,
	}
	e.Subject = "1"
	switch eventType {
	case AnswerCreated, AnswerEdited, AnswerAccepted:
		e.Answer = &Answer{
			AnswerID: 2, Body: "Sitehooks made up this answer to test a webhook. Nobody wrote it.",
			Link: AnswerLink(e.Question.Link, 2), Score: 5, IsAccepted: eventType == AnswerAccepted,
			CreationDate: created, LastEditDate: &lastEdit, Owner: community,
		}
		e.Subject = "2"
	case CommentCreated:
		e.Comment = &Comment{
			CommentID: 3, Body: "Sitehooks made up this comment to test a webhook. Nobody wrote it.",
			Link: commentLink(e.Question.Link, 3, 1), Score: 5, CreationDate: created, Owner: community,
		}
		e.Subject = "3"
	}
	return e
}
