package follow

import (
	"strconv"
	"time"

	"github.com/sitehooks/sitehooks/app/client"
)

// eventTypes are the types of the events.
var eventTypes = map[activity]string{
	questionNew: "question.created", questionEdited: "question.edited",
	answered: "answer.created", answerEdited: "answer.edited", accepted: "answer.accepted",
	questionCommented: "comment.created", answerCommented: "comment.created",
}

// mapping makes events of what happened.
type mapping struct {
	source, location, site string
	zone                   *time.Location // of Answer's times
}

// event makes the event of a happening.
func (m mapping) event(h happening, c content) client.Event {
	p := c.posts[h.post]
	question := p
	if p.question != 0 {
		question = c.posts[p.question]
	}
	at := h.at
	if !h.what.edit() && h.what != accepted {
		at = p.created // the same, whether the log had it or not
	}
	e := client.Event{
		ID: h.eventID(m.source), Type: eventTypes[h.what], OccurredAt: client.Time(at.in(m.zone)),
		Location: m.location, Actor: c.user(h.actor), Question: m.question(question, c),
	}
	switch h.what.postKind() {
	case "q":
		e.Question.Body = p.body
	case "a":
		e.Answer = m.answer(p, c)
	default:
		e.Comment = m.comment(p, c)
		if on, is := c.posts[p.parent]; is && p.parent != p.question {
			e.Answer = m.answer(on, c)
			e.Answer.Body = ""
			e.Comment.Link = e.Answer.Link + "?commentId=" + strconv.FormatInt(p.id, 10)
		}
	}
	return e
}

func (m mapping) question(p post, c content) *client.Question {
	tags := c.tags[p.id]
	if tags == nil {
		tags = []string{}
	}
	return &client.Question{
		QuestionID: shortID(p.id), Title: client.ShortTitle(p.title), Link: m.questionLink(p.id), Tags: tags, Score: p.score,
		CreationDate: m.millis(p.created), LastEditDate: m.edited(p), Owner: c.user(p.user),
	}
}

func (m mapping) answer(p post, c content) *client.Answer {
	return &client.Answer{
		AnswerID: shortID(p.id), Body: p.body, Link: m.questionLink(p.question) + "/" + strconv.FormatInt(p.id, 10), Score: p.score,
		IsAccepted: p.accepted, CreationDate: m.millis(p.created), LastEditDate: m.edited(p), Owner: c.user(p.user),
	}
}

func (m mapping) comment(p post, c content) *client.Comment {
	return &client.Comment{
		CommentID: shortID(p.id), Body: p.body, Link: m.questionLink(p.question) + "?commentId=" + strconv.FormatInt(p.id, 10),
		Score: p.score, CreationDate: m.millis(p.created), Owner: c.user(p.user),
	}
}

// questionLink has the long id, which leads to the question whatever form of
// links the site has chosen.
func (m mapping) questionLink(id int64) string {
	return m.site + "/questions/" + strconv.FormatInt(id, 10)
}

func (m mapping) millis(w wall) int64 {
	if w.IsZero() {
		return 0
	}
	return w.in(m.zone).UnixMilli()
}

func (m mapping) edited(p post) *int64 {
	if p.updated.IsZero() {
		return nil
	}
	at := m.millis(p.updated)
	return &at
}

func (c content) user(id int64) client.User {
	if name, known := c.users[id]; known {
		return client.User{UserID: id, DisplayName: name}
	}
	return client.User{UserID: -1, DisplayName: "Community"}
}
