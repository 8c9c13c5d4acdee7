package wire

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// Decode reads a stored payload, JSON as the site sent it but compact, and fills
// in every default. The event's data are bytes of the payload. occurredAt is the
// event's occurred_at or, when it named none, its receipt. The ingest API has
// checked the payload before; an error, which names the field, means that it
// was not stored by it.
func Decode(payload []byte, occurredAt time.Time) (Event, error) {
	if !utf8.Valid(payload) {
		return Event{}, errors.New("decode event: not UTF-8")
	}
	o, err := object.Parse(payload)
	if err != nil {
		return Event{}, fmt.Errorf("decode event: %w", err)
	}
	e := Event{OccurredAt: occurredAt, Location: "main"}
	o.Read("id", &e.ID)
	o.Read("type", &e.Type)
	o.Read("location", &e.Location)
	o.Read("community", &e.Community)
	o.Read("subject", &e.Subject)
	o.Read("changes", &e.Changes)
	actor := o.Inner("actor")
	actor.Read("user_id", &e.Actor.UserID)
	actor.Read("display_name", &e.Actor.DisplayName)
	if o.Has("data") {
		e.Data = o.Raw("data")
	}
	if e.Type == "" {
		o.Fail("type", object.ErrMissing)
	}
	readPosts(o, &e)
	if o.Fault() != nil {
		return Event{}, fmt.Errorf("decode event: %w", o.Fault())
	}
	return e, nil
}

// readPosts reads the question, answer and comment of a Q&A event. Other
// families may carry members of these names, which mean nothing to us. A
// comment without a question is one of a feedback forum.
func readPosts(o object.Object, e *Event) {
	family, _, _ := strings.Cut(e.Type, ".")
	if family != "question" && family != "answer" && (family != "comment" || !o.Has("question")) {
		return
	}
	own := int64(0)
	e.Question = readQuestion(o, e.OccurredAt)
	own = e.Question.QuestionID
	if family == "answer" || family == "comment" && o.Has("answer") {
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

func readQuestion(o object.Object, at time.Time) *Question {
	in := readPost(o, "question", "question_id")
	q := Question{CreationDate: at.UnixMilli(), Owner: ReadOwner(in)}
	in.Read("question_id", &q.QuestionID)
	in.Read("title", &q.Title)
	in.Read("body", &q.Body)
	in.Read("link", &q.Link)
	in.Read("tags", &q.Tags)
	in.Read("score", &q.Score)
	in.Read("creation_date", &q.CreationDate)
	in.Read("last_edit_date", &q.LastEditDate)
	q.Tags = NormalTags(q.Tags)
	return &q
}

func readAnswer(o object.Object, e *Event) *Answer {
	in := readPost(o, "answer", "answer_id")
	// The type of the event means accepted; the flag may be left out.
	a := Answer{
		CreationDate: e.OccurredAt.UnixMilli(), Owner: ReadOwner(in), IsAccepted: e.Type == AnswerAccepted,
	}
	in.Read("answer_id", &a.AnswerID)
	in.Read("body", &a.Body)
	in.Read("link", &a.Link)
	in.Read("score", &a.Score)
	in.Read("is_accepted", &a.IsAccepted)
	in.Read("creation_date", &a.CreationDate)
	in.Read("last_edit_date", &a.LastEditDate)
	if a.Link == "" {
		a.Link = AnswerLink(e.Question.Link, a.AnswerID)
	}
	return &a
}

func readComment(o object.Object, e *Event) *Comment {
	in := readPost(o, "comment", "comment_id")
	c := Comment{CreationDate: e.OccurredAt.UnixMilli(), Owner: ReadOwner(in)}
	in.Read("comment_id", &c.CommentID)
	in.Read("body", &c.Body)
	in.Read("link", &c.Link)
	in.Read("score", &c.Score)
	in.Read("creation_date", &c.CreationDate)
	if c.Link == "" {
		post := e.Question.Link
		if e.Answer != nil {
			post = e.Answer.Link
		}
		c.Link = commentLink(post, c.CommentID, e.postID())
	}
	return &c
}

// readPost is the member as an object that has at least its id.
func readPost(o object.Object, name, id string) object.Object {
	in := o.Inner(name)
	if !in.Has(id) {
		in.Fail(id, object.ErrMissing)
	}
	return in
}

// ReadOwner reads the member owner of a post; Community owns those without one.
func ReadOwner(o object.Object) User {
	u := User{UserID: -1}
	in := o.Inner("owner")
	in.Read("user_id", &u.UserID)
	in.Read("display_name", &u.DisplayName)
	if u.UserID == -1 && u.DisplayName == "" {
		u.DisplayName = "Community"
	}
	return u
}

// NormalTags lower-cases tags and drops repeats, keeping the order.
func NormalTags(tags []string) []string {
	normal := make([]string, 0, len(tags))
	for _, t := range tags {
		if t = strings.ToLower(t); !slices.Contains(normal, t) {
			normal = append(normal, t)
		}
	}
	return normal
}
