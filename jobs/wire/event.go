package wire

import (
	"encoding/json"
	"time"
)

// The internal types of the Q&A events, and of Sitehooks' own events.
const (
	QuestionCreated = "question.created"
	QuestionEdited  = "question.edited"
	AnswerCreated   = "answer.created"
	AnswerEdited    = "answer.edited"
	AnswerAccepted  = "answer.accepted"
	CommentCreated  = "comment.created"
	WebhookBroken   = "webhook.broken"
	SourceSilent    = "source.silent"
)

// User is a member of the site. UserID -1 is Community, which owns posts
// without another owner.
type User struct {
	UserID      int64  `json:"user_id"`
	DisplayName string `json:"display_name"`
}

// Question is a question, or the one that an answer or comment belongs to.
// Dates are milliseconds since 1970.
type Question struct {
	QuestionID   int64    `json:"question_id"`
	Title        string   `json:"title"`
	Body         string   `json:"body"`
	Link         string   `json:"link"`
	Tags         []string `json:"tags"` // lower case, without repeats, never nil
	Score        int64    `json:"score"`
	CreationDate int64    `json:"creation_date"`
	LastEditDate *int64   `json:"last_edit_date"` // nil: never edited
	Owner        User     `json:"owner"`
}

// Answer is an answer, or the one that a comment belongs to.
type Answer struct {
	AnswerID     int64  `json:"answer_id"`
	Body         string `json:"body"`
	Link         string `json:"link"`
	Score        int64  `json:"score"`
	IsAccepted   bool   `json:"is_accepted"`
	CreationDate int64  `json:"creation_date"`
	LastEditDate *int64 `json:"last_edit_date"`
	Owner        User   `json:"owner"`
}

// Comment is a comment on a question or an answer.
type Comment struct {
	CommentID    int64  `json:"comment_id"`
	Body         string `json:"body"`
	Link         string `json:"link"`
	Score        int64  `json:"score"`
	CreationDate int64  `json:"creation_date"`
	Owner        User   `json:"owner"`
}

// Event is one thing that happened on the site, with every default filled in.
type Event struct {
	ID         string
	Type       string
	OccurredAt time.Time
	Location   string // slug; "main" is the main site
	Community  string // slug, or empty
	Actor      User   // author of the action; zero: unknown
	// Question is set for the Q&A types, Answer and Comment where they apply;
	// a comment on an answer has all three.
	Question *Question
	Answer   *Answer
	Comment  *Comment
	// Subject is the id of the thing: of the post for a Q&A event; empty when
	// the site named none.
	Subject string
	Data    json.RawMessage // compact, as the site sent it; nil: none
	Changes []string        // names of changed fields, for CRM events
}

// postID is the post that a comment stands under.
func (e Event) postID() int64 {
	switch {
	case e.Answer != nil:
		return e.Answer.AnswerID
	case e.Question != nil:
		return e.Question.QuestionID
	}
	return 0
}
