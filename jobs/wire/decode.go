package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var errMissing = errors.New("is missing")

// Decode reads a stored payload, JSON as the site sent it, and fills in every
// default. occurredAt is the event's occurred_at or, when it named none, its
// receipt. The ingest API has checked the payload before; an error, which
// names the field, means that it was not stored by it.
func Decode(payload []byte, occurredAt time.Time) (Event, error) {
	if !utf8.Valid(payload) {
		return Event{}, errors.New("decode event: not UTF-8")
	}
	o, err := parseObject(payload)
	if err != nil {
		return Event{}, fmt.Errorf("decode event: %w", err)
	}
	e := Event{OccurredAt: occurredAt, Location: "main"}
	o.read("id", &e.ID)
	o.read("type", &e.Type)
	o.read("location", &e.Location)
	o.read("community", &e.Community)
	o.read("subject", &e.Subject)
	o.read("changes", &e.Changes)
	actor := o.inner("actor")
	actor.read("user_id", &e.Actor.UserID)
	actor.read("display_name", &e.Actor.DisplayName)
	if o.has("data") {
		e.Data = compacted(o.raw("data"))
	}
	if e.Type == "" {
		o.fail("type", errMissing)
	}
	readPosts(o, &e)
	if *o.fault != nil {
		return Event{}, fmt.Errorf("decode event: %w", *o.fault)
	}
	return e, nil
}

// readPosts reads the question, answer and comment of a Q&A event. Other
// families may carry members of these names, which mean nothing to us. A
// comment without a question is one of a feedback forum.
func readPosts(o object, e *Event) {
	family, _, _ := strings.Cut(e.Type, ".")
	if family != "question" && family != "answer" && (family != "comment" || !o.has("question")) {
		return
	}
	own := int64(0)
	e.Question = readQuestion(o, e.OccurredAt)
	own = e.Question.QuestionID
	if family == "answer" || family == "comment" && o.has("answer") {
		e.Answer = readAnswer(o, e)
	}
	if family == "answer" {
		own = e.Answer.AnswerID
	}
	if family == "comment" {
		e.Comment = readComment(o, e)
		own = e.Comment.CommentID
	}
	if e.Subject == "" {
		e.Subject = strconv.FormatInt(own, 10)
	}
}

func readQuestion(o object, at time.Time) *Question {
	in := o.post("question", "question_id")
	q := Question{CreationDate: at.UnixMilli(), Owner: in.owner()}
	in.read("question_id", &q.QuestionID)
	in.read("title", &q.Title)
	in.read("body", &q.Body)
	in.read("link", &q.Link)
	in.read("tags", &q.Tags)
	in.read("score", &q.Score)
	in.read("creation_date", &q.CreationDate)
	in.read("last_edit_date", &q.LastEditDate)
	q.Tags = normalTags(q.Tags)
	return &q
}

func readAnswer(o object, e *Event) *Answer {
	in := o.post("answer", "answer_id")
	// The type of the event means accepted; the flag may be left out.
	a := Answer{
		CreationDate: e.OccurredAt.UnixMilli(), Owner: in.owner(), IsAccepted: e.Type == AnswerAccepted,
	}
	in.read("answer_id", &a.AnswerID)
	in.read("body", &a.Body)
	in.read("link", &a.Link)
	in.read("score", &a.Score)
	in.read("is_accepted", &a.IsAccepted)
	in.read("creation_date", &a.CreationDate)
	in.read("last_edit_date", &a.LastEditDate)
	if a.Link == "" {
		a.Link = answerLink(e.Question.Link, a.AnswerID)
	}
	return &a
}

func readComment(o object, e *Event) *Comment {
	in := o.post("comment", "comment_id")
	c := Comment{CreationDate: e.OccurredAt.UnixMilli(), Owner: in.owner()}
	in.read("comment_id", &c.CommentID)
	in.read("body", &c.Body)
	in.read("link", &c.Link)
	in.read("score", &c.Score)
	in.read("creation_date", &c.CreationDate)
	if c.Link == "" {
		post := e.Question.Link
		if e.Answer != nil {
			post = e.Answer.Link
		}
		c.Link = commentLink(post, c.CommentID, e.postID())
	}
	return &c
}

// post is the member as an object that has at least its id.
func (o object) post(name, id string) object {
	in := o.inner(name)
	if !in.has(id) {
		in.fail(id, errMissing)
	}
	return in
}

func (o object) owner() User {
	u := User{UserID: -1}
	in := o.inner("owner")
	in.read("user_id", &u.UserID)
	in.read("display_name", &u.DisplayName)
	if u.UserID == -1 && u.DisplayName == "" {
		u.DisplayName = "Community"
	}
	return u
}

// normalTags lower-cases tags and drops repeats, keeping the order.
func normalTags(tags []string) []string {
	normal := make([]string, 0, len(tags))
	for _, t := range tags {
		if t = strings.ToLower(t); !slices.Contains(normal, t) {
			normal = append(normal, t)
		}
	}
	return normal
}

func compacted(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return slices.Clone(raw) // cannot happen: raw was parsed before
	}
	return b.Bytes()
}
