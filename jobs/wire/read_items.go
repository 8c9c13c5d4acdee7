package wire

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// itemEvents are the event types of an item's types.
var itemEvents = func() map[string]string {
	types := map[string]string{}
	for eventType, word := range itemTypes {
		types[word] = eventType
	}
	return types
}()

// readItem reads an item that itemOf made, or Stack Overflow for Teams
// Enterprise did, into an event of the type. at counts where the item says no
// time.
func readItem(in object, eventType string, at time.Time) Event {
	p := itemPost{created: at.UnixMilli(), link: in.need("link"), owner: in.owner()}
	in.read("creation_date", &p.created)
	in.read("last_edit_date", &p.edited)
	in.read("body", &p.body)
	in.read("score", &p.score)
	e := Event{Type: eventType, OccurredAt: at}
	switch eventType {
	case QuestionCreated, AnswerCreated, CommentCreated:
		e.OccurredAt = time.UnixMilli(p.created)
	case QuestionEdited, AnswerEdited:
		if p.edited != nil {
			e.OccurredAt = time.UnixMilli(*p.edited)
		}
	}
	q := &Question{Tags: []string{}, CreationDate: e.OccurredAt.UnixMilli(), Owner: User{UserID: -1, DisplayName: "Community"}}
	in.read("title", &q.Title)
	in.read("tags", &q.Tags)
	q.Tags = normalTags(q.Tags)
	e.Question = q
	switch family, _, _ := strings.Cut(eventType, "."); family {
	case "question":
		q.QuestionID, q.Link, q.Body, q.Score = in.postID("question_id"), p.link, p.body, p.score
		q.CreationDate, q.LastEditDate, q.Owner = p.created, p.edited, p.owner
	case "answer":
		e.Answer = p.answer(in, q, eventType == AnswerAccepted)
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
	owner      User
}

// answer reads an answer, and what its item says of its question.
func (p itemPost) answer(in object, q *Question, accepted bool) *Answer {
	a := &Answer{
		AnswerID: in.postID("answer_id"), Link: p.link, Body: p.body, Score: p.score, Owner: p.owner,
		CreationDate: p.created, LastEditDate: p.edited, IsAccepted: accepted,
	}
	in.read("is_accepted", &a.IsAccepted)
	q.QuestionID = in.questionID(p.link)
	q.Link = questionLink(p.link, q.QuestionID, a.AnswerID)
	return a
}

// comment reads a comment, the id of the answer that it is on, if it is on one,
// and what its item says of their question.
func (p itemPost) comment(in object, q *Question) (*Comment, *Answer) {
	c := &Comment{CommentID: in.postID("comment_id"), Link: p.link, Body: p.body, Score: p.score, CreationDate: p.created, Owner: p.owner}
	q.QuestionID = in.questionID(p.link)
	post := q.QuestionID
	in.read("post_id", &post)
	q.Link = questionLink(p.link, q.QuestionID, post)
	if post == q.QuestionID {
		return c, nil
	}
	return c, &Answer{AnswerID: post, Link: answerLink(q.Link, post), CreationDate: q.CreationDate, Owner: q.Owner}
}

// postID is an id that must be there.
func (o object) postID(name string) (id int64) {
	if !o.has(name) {
		o.fail(name, errMissing)
	}
	o.read(name, &id)
	if id < 1 {
		o.fail(name, errors.New("must be at least 1"))
	}
	return id
}

var questionInLink = regexp.MustCompile(`/questions/([0-9]{1,16})(/|$)`)

// questionID is that of an answer's or a comment's question, from its link when
// the item does not tell.
func (o object) questionID(link string) int64 {
	if u, err := url.Parse(link); err == nil && !o.has("question_id") {
		if m := questionInLink.FindStringSubmatch(u.Path); m != nil {
			id, _ := strconv.ParseInt(m[1], 10, 64) // 16 digits
			return id
		}
	}
	return o.postID("question_id")
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
