// Package demo has the parts of the quick start besides an instance: sample
// data, a receiver that shows requests and whether they verify, and a simulated
// site that reports activity.
//
// It promises that nothing is faked: the samples are stored as the console
// stores them, the simulator talks to the ingest API over HTTP, and the receiver
// checks signatures by the vendors' documents alone, with none of the code that
// signs. It does not know how an instance is started.
package demo

import (
	"strings"
	"time"
)

// The simulator's events in the words of the ingest API. They are written here
// once more, apart from the product's own types, because the simulator stands
// for a site that only knows the documentation.
type (
	user struct {
		ID   int64  `json:"user_id"`
		Name string `json:"display_name"`
	}
	post struct {
		QuestionID int64    `json:"question_id,omitempty"`
		AnswerID   int64    `json:"answer_id,omitempty"`
		CommentID  int64    `json:"comment_id,omitempty"`
		Title      string   `json:"title,omitempty"`
		Body       string   `json:"body"`
		Link       string   `json:"link,omitempty"`
		Tags       []string `json:"tags,omitempty"`
		Score      int64    `json:"score"`
		Accepted   bool     `json:"is_accepted,omitempty"`
		CreatedMS  int64    `json:"creation_date,omitempty"`
		EditedMS   int64    `json:"last_edit_date,omitempty"`
		Owner      user     `json:"owner"`
	}
	event struct {
		ID         string    `json:"id"`
		Type       string    `json:"type"`
		OccurredAt time.Time `json:"occurred_at"`
		Location   string    `json:"location"`
		Community  string    `json:"community,omitempty"`
		Actor      user      `json:"actor"`
		Question   *post     `json:"question"`
		Answer     *post     `json:"answer,omitempty"`
		Comment    *post     `json:"comment,omitempty"`
	}
)

// siteURL is where the sample questions seem to live; nothing is ever fetched.
const siteURL = "https://community.example.com"

func samplePeople() []user {
	return []user{
		{7, "Mary Wilkins"},
		{42, "J Marshall"},
		{58, "JR Winger"},
		{118, "Fatima El-Sayed"},
		{131, "Tomás Oliveira"},
		{164, "Priya Natarajan"},
		{203, "Åsa Björk"},
		{219, "Łukasz Nowak"},
		{240, "עדי לוי"},
		{266, "李娜"},
	}
}

// slug is the readable end of a question's address.
func slug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	if len(words) > 8 {
		words = words[:8]
	}
	return strings.Join(words, "-")
}
