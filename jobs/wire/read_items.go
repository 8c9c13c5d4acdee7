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
	e := Event{Type: eventType, OccurredAt: at}
	created, edited := at.UnixMilli(), (*int64)(nil)
	in.read("creation_date", &created)
	in.read("last_edit_date", &edited)
	switch eventType {
	case QuestionCreated, AnswerCreated, CommentCreated:
		e.OccurredAt = time.UnixMilli(created)
	case QuestionEdited, AnswerEdited:
		if edited != nil {
			e.OccurredAt = time.UnixMilli(*edited)
		}
	}
	var link, body string
	var score int64
	in.read("link", &link)
	in.read("body", &body)
	in.read("score", &score)
	owner := in.owner()
	q := Question{Tags: []string{}, CreationDate: e.OccurredAt.UnixMilli(), Owner: User{UserID: -1, DisplayName: "Community"}}
	in.read("title", &q.Title)
	in.read("tags", &q.Tags)
	q.Tags = normalTags(q.Tags)
	e.Question = &q
	switch family, _, _ := strings.Cut(eventType, "."); family {
	case "question":
		q.QuestionID, q.Link, q.Body, q.Score = in.postID("question_id"), link, body, score
		q.CreationDate, q.LastEditDate, q.Owner = created, edited, owner
		e.Subject = strconv.FormatInt(q.QuestionID, 10)
	case "answer":
		a := Answer{
			AnswerID: in.postID("answer_id"), Link: link, Body: body, Score: score, Owner: owner,
			CreationDate: created, LastEditDate: edited, IsAccepted: eventType == AnswerAccepted,
		}
		in.read("is_accepted", &a.IsAccepted)
		q.QuestionID = in.questionID(link)
		q.Link = questionLink(link, q.QuestionID, a.AnswerID)
		e.Answer = &a
		e.Subject = strconv.FormatInt(a.AnswerID, 10)
	case "comment":
		c := Comment{CommentID: in.postID("comment_id"), Link: link, Body: body, Score: score, CreationDate: created, Owner: owner}
		q.QuestionID = in.questionID(link)
		post := q.QuestionID
		in.read("post_id", &post)
		q.Link = questionLink(link, q.QuestionID, post)
		if post != q.QuestionID {
			e.Answer = &Answer{
				AnswerID: post, Link: answerLink(q.Link, post), CreationDate: q.CreationDate, Owner: q.Owner,
			}
		}
		e.Comment = &c
		e.Subject = strconv.FormatInt(c.CommentID, 10)
	}
	if link == "" {
		in.fail("link", errMissing)
	}
	if strings.TrimSpace(q.Title) == "" { // comments do not carry it
		q.Title = "Question " + strconv.FormatInt(q.QuestionID, 10)
	}
	return e
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
