package read

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// itemEvents are the event types of an item's types.
var itemEvents = func() map[string]string {
	types := map[string]string{}
	for eventType, word := range wire.ItemTypes {
		types[word] = eventType
	}
	return types
}()

// readItem reads an item that itemOf made, or Stack Overflow for Teams
// Enterprise did, into an event of the type. at counts where the item says no
// time.
func readItem(in object.Object, eventType string, at time.Time) wire.Event {
	p := itemPost{created: at.UnixMilli(), link: in.Need("link"), owner: wire.ReadOwner(in)}
	in.Read("creation_date", &p.created)
	in.Read("last_edit_date", &p.edited)
	in.Read("body", &p.body)
	in.Read("score", &p.score)
	e := wire.Event{Type: eventType, OccurredAt: at}
	switch eventType {
	case wire.QuestionCreated, wire.AnswerCreated, wire.CommentCreated:
		e.OccurredAt = time.UnixMilli(p.created)
	case wire.QuestionEdited, wire.AnswerEdited:
		if p.edited != nil {
			e.OccurredAt = time.UnixMilli(*p.edited)
		}
	}
	q := &wire.Question{Tags: []string{}, CreationDate: e.OccurredAt.UnixMilli(), Owner: wire.User{UserID: -1, DisplayName: "Community"}}
	in.Read("title", &q.Title)
	in.Read("tags", &q.Tags)
	q.Tags = wire.NormalTags(q.Tags)
	e.Question = q
	switch family, _, _ := strings.Cut(eventType, "."); family {
	case "question":
		q.QuestionID, q.Link, q.Body, q.Score = in.NeedNumber("question_id"), p.link, p.body, p.score
		q.CreationDate, q.LastEditDate, q.Owner = p.created, p.edited, p.owner
	case "answer":
		e.Answer = p.answer(in, q, eventType == wire.AnswerAccepted)
	case "comment":
		e.Comment, e.Answer = p.comment(in, q)
	}
	if strings.TrimSpace(q.Title) == "" { // comments do not carry it
		q.Title = "Question " + strconv.FormatInt(q.QuestionID, 10)
	}
	return e
}

// itemPost is what questions, answers and comments have in an item alike.
type itemPost struct {
	created    int64
	edited     *int64
	link, body string
	score      int64
	owner      wire.User
}

// answer reads an answer, and what its item says of its question.
func (p itemPost) answer(in object.Object, q *wire.Question, accepted bool) *wire.Answer {
	a := &wire.Answer{
		AnswerID: in.NeedNumber("answer_id"), Link: p.link, Body: p.body, Score: p.score, Owner: p.owner,
		CreationDate: p.created, LastEditDate: p.edited, IsAccepted: accepted,
	}
	in.Read("is_accepted", &a.IsAccepted)
	q.QuestionID = questionID(in, p.link)
	q.Link = questionLink(p.link, q.QuestionID, a.AnswerID)
	return a
}

// comment reads a comment, the id of the answer that it is on, if it is on one,
// and what its item says of their question.
func (p itemPost) comment(in object.Object, q *wire.Question) (*wire.Comment, *wire.Answer) {
	c := &wire.Comment{CommentID: in.NeedNumber("comment_id"), Link: p.link, Body: p.body, Score: p.score, CreationDate: p.created, Owner: p.owner}
	q.QuestionID = questionID(in, p.link)
	post := q.QuestionID
	in.Read("post_id", &post)
	q.Link = questionLink(p.link, q.QuestionID, post)
	if post == q.QuestionID {
		return c, nil
	}
	return c, &wire.Answer{AnswerID: post, Link: wire.AnswerLink(q.Link, post), CreationDate: q.CreationDate, Owner: q.Owner}
}

var questionInLink = regexp.MustCompile(`/questions/([0-9]{1,16})(/|$)`)

// questionID is that of an answer's or a comment's question, from its link when
// the item does not tell.
func questionID(o object.Object, link string) int64 {
	if u, err := url.Parse(link); err == nil && !o.Has("question_id") {
		if m := questionInLink.FindStringSubmatch(u.Path); m != nil {
			id, _ := strconv.ParseInt(m[1], 10, 64) // 16 digits
			return id
		}
	}
	return o.NeedNumber("question_id")
}

// questionLink finds the link of a question in that of its answer or of a
// comment on either: the same page without the fragment, and without the
// answer's id. It is the reverse of answerLink and commentLink.
func questionLink(link string, questionID, postID int64) string {
	u, err := url.Parse(link)
	if err != nil {
		return link
	}
	u.Fragment, u.RawFragment = "", ""
	page, isAnswer := strings.CutSuffix(u.Path, fmt.Sprintf("/%d", postID))
	if isAnswer && postID != questionID && strings.Contains(page+"/", fmt.Sprintf("/%d/", questionID)) {
		u.Path, u.RawPath = page, ""
	}
	return u.String()
}
