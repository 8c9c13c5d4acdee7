package wire

import (
	"encoding/json"
	"fmt"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// The items of the Q&A types as the generic format writes them; other formats
// that pass a whole post on use the same. The order of the keys is the
// contract.

type questionItem struct {
	Tags         []string `json:"tags"`
	Owner        User     `json:"owner"`
	Score        int64    `json:"score"`
	CreationDate int64    `json:"creation_date"`
	LastEditDate *int64   `json:"last_edit_date"`
	QuestionID   int64    `json:"question_id"`
	Link         string   `json:"link"`
	Title        string   `json:"title"`
	Body         string   `json:"body"`
	Type         string   `json:"type"`
}

type answerItem struct {
	Owner        User     `json:"owner"`
	Score        int64    `json:"score"`
	LastEditDate *int64   `json:"last_edit_date"`
	CreationDate int64    `json:"creation_date"`
	AnswerID     int64    `json:"answer_id"`
	Link         string   `json:"link"`
	QuestionID   int64    `json:"question_id"`
	IsAccepted   bool     `json:"is_accepted"`
	Tags         []string `json:"tags"`
	Title        string   `json:"title"`
	Body         string   `json:"body"`
	Type         string   `json:"type"`
}

type commentItem struct {
	Owner        User     `json:"owner"`
	Score        int64    `json:"score"`
	CreationDate int64    `json:"creation_date"`
	CommentID    int64    `json:"comment_id"`
	PostID       int64    `json:"post_id"`
	QuestionID   int64    `json:"question_id"`
	Link         string   `json:"link"`
	Tags         []string `json:"tags"`
	Body         string   `json:"body"`
	Type         string   `json:"type"`
}

// ItemTypes are the values of the member type of an item, by event type: those
// of the Q&A types.
var ItemTypes = map[string]string{
	QuestionCreated: "question created",
	QuestionEdited:  "question edited",
	AnswerCreated:   "answer created",
	AnswerEdited:    "answer edited",
	AnswerAccepted:  "answer accepted",
	CommentCreated:  "comment created",
}

// itemOf is the item of a Q&A event: a questionItem, answerItem or
// commentItem. It fails on any other event.
func itemOf(e Event) (any, error) {
	name, ok := ItemTypes[e.Type]
	switch q := e.Question; {
	case !ok || q == nil:
	case e.Type == QuestionCreated || e.Type == QuestionEdited:
		return questionItem{
			Tags: NormalTags(q.Tags), Owner: q.Owner, Score: q.Score, CreationDate: q.CreationDate,
			LastEditDate: q.LastEditDate, QuestionID: q.QuestionID, Link: q.Link,
			Title: q.Title, Body: q.Body, Type: name,
		}, nil
	case e.Type == CommentCreated && e.Comment != nil:
		c := e.Comment
		return commentItem{
			Owner: c.Owner, Score: c.Score, CreationDate: c.CreationDate, CommentID: c.CommentID,
			PostID: e.postID(), QuestionID: q.QuestionID, Link: c.Link, Tags: NormalTags(q.Tags),
			Body: c.Body, Type: name,
		}, nil
	case e.Type != CommentCreated && e.Answer != nil:
		a := e.Answer
		return answerItem{
			Owner: a.Owner, Score: a.Score, LastEditDate: a.LastEditDate, CreationDate: a.CreationDate,
			AnswerID: a.AnswerID, Link: a.Link, QuestionID: q.QuestionID, IsAccepted: a.IsAccepted,
			Tags: NormalTags(q.Tags), Title: q.Title, Body: a.Body, Type: name,
		}, nil
	}
	return nil, fmt.Errorf("event %q of type %q is not a question, answer or comment", e.ID, e.Type)
}

// itemID is the id of the post that an item is about.
func itemID(item any) int64 {
	switch i := item.(type) {
	case questionItem:
		return i.QuestionID
	case answerItem:
		return i.AnswerID
	case commentItem:
		return i.CommentID
	}
	return 0
}

// brokenItem is the item of webhook.broken: another webhook than the one that
// gets it is broken. Absent members are null.
type brokenItem struct {
	ID     json.RawMessage `json:"id"`
	Name   json.RawMessage `json:"name"`
	Reason json.RawMessage `json:"reason"`
	Type   string          `json:"type"`
}

func brokenItemOf(e Event) brokenItem {
	item := brokenItem{Type: "webhook broken"}
	if data, err := object.Parse(e.Data); err == nil {
		item.ID, item.Name, item.Reason = data.Raw("id"), data.Raw("name"), data.Raw("reason")
	}
	return item
}

// silentItem is the item of source.silent. Absent members are null.
type silentItem struct {
	Name        json.RawMessage `json:"name"`
	Kind        json.RawMessage `json:"kind"`
	SilentSince json.RawMessage `json:"silent_since"`
	ExpectHours json.RawMessage `json:"expect_hours"`
	Type        string          `json:"type"`
}

func silentItemOf(e Event) silentItem {
	item := silentItem{Type: "source silent"}
	if data, err := object.Parse(e.Data); err == nil {
		item.Name, item.Kind = data.Raw("name"), data.Raw("kind")
		item.SilentSince, item.ExpectHours = data.Raw("silent_since"), data.Raw("expect_hours")
	}
	return item
}
