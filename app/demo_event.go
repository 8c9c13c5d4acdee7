package app

import (
	"strings"
	"time"
)

// The simulator's events in the words of the ingest API. They are written here
// once more, apart from the product's own types, because the simulator stands
// for a site that only knows the documentation.
type (
	demoUser struct {
		ID   int64  `json:"user_id"`
		Name string `json:"display_name"`
	}
	demoPost struct {
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
		Owner      demoUser `json:"owner"`
	}
	demoEvent struct {
		ID         string    `json:"id"`
		Type       string    `json:"type"`
		OccurredAt time.Time `json:"occurred_at"`
		Location   string    `json:"location"`
		Community  string    `json:"community,omitempty"`
		Actor      demoUser  `json:"actor"`
		Question   *demoPost `json:"question"`
		Answer     *demoPost `json:"answer,omitempty"`
		Comment    *demoPost `json:"comment,omitempty"`
	}
)

// demoSite is where the sample questions seem to live; nothing is ever fetched.
const demoSite = "https://community.example.com"

func demoPeople() []demoUser {
	return []demoUser{
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

// demoSlug is the readable end of a question's address.
func demoSlug(title string) string {
	words := strings.FieldsFunc(strings.ToLower(title), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	if len(words) > 8 {
		words = words[:8]
	}
	return strings.Join(words, "-")
}
