package client

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// Event is an event of the Q&A site as the ingest API takes it. The types are
// written here once more, apart from those of jobs/wire, because this client
// knows the API by its documentation alone.
type Event struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	OccurredAt string    `json:"occurred_at"`
	Location   string    `json:"location"`
	Actor      User      `json:"actor"`
	Question   *Question `json:"question"`
	Answer     *Answer   `json:"answer,omitempty"`
	Comment    *Comment  `json:"comment,omitempty"`
}

// User is an actor or an owner.
type User struct {
	UserID      int64  `json:"user_id"`
	DisplayName string `json:"display_name"`
}

// Question is the question that an event is about, or that its post belongs to.
// Dates are milliseconds since 1970.
type Question struct {
	QuestionID   int64    `json:"question_id"`
	Title        string   `json:"title"`
	Body         string   `json:"body,omitempty"`
	Link         string   `json:"link"`
	Tags         []string `json:"tags"`
	Score        int64    `json:"score"`
	CreationDate int64    `json:"creation_date"`
	LastEditDate *int64   `json:"last_edit_date"`
	Owner        User     `json:"owner"`
}

// Answer is the answer that an event is about, or that its comment is on.
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

// Comment is the comment that an event is about.
type Comment struct {
	CommentID    int64  `json:"comment_id"`
	Body         string `json:"body"`
	Link         string `json:"link"`
	Score        int64  `json:"score"`
	CreationDate int64  `json:"creation_date"`
	Owner        User   `json:"owner"`
}

// Line writes an event as a line of the body, with its end.
func (e Event) Line() ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(e)
	return b.Bytes(), err
}

// Time writes a time as events have it, to a millisecond.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// ShortTitle cuts a title to the limit of the ingest API.
func ShortTitle(title string) string {
	const most = 300
	if utf8.RuneCountInString(title) <= most {
		return title
	}
	return string([]rune(title)[:most-1]) + "…"
}
