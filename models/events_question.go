package models

import (
	"regexp"

	"gorm.io/gorm"
)

// questionPattern finds a question's number in a search text: the number itself,
// or a link to the question or to something below it.
var questionPattern = regexp.MustCompile(`^#?0*([1-9][0-9]{0,18})$|/questions/0*([1-9][0-9]{0,18})(?:[/?#]|$)`)

// questionOf returns the number of the question that a search means; empty:
// it means none.
func questionOf(search string) string {
	m := questionPattern.FindStringSubmatch(search)
	if m == nil {
		return ""
	}
	return m[1] + m[2]
}

// orQuestion widens a condition to the events about a question: itself, its
// answers and comments. Payloads are compact JSON, and a quotation mark inside
// a text is escaped there, so these bytes are a key and its whole value.
func (x *Events) orQuestion(db *gorm.DB, question string) *gorm.DB {
	if question == "" {
		return db
	}
	has, key := x.s.db.HasBytes("payload"), `"question_id":`+question
	return db.Or(has, []byte(key+",")).Or(has, []byte(key+"}"))
}
