package replay

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// event is an event as the ingest API takes it.
type event struct {
	ID         string         `json:"id"`
	Type       string         `json:"type"`
	OccurredAt string         `json:"occurred_at"`
	Location   string         `json:"location"`
	Actor      eventUser      `json:"actor"`
	Question   *eventQuestion `json:"question"`
	Answer     *eventAnswer   `json:"answer,omitempty"`
}

type eventUser struct {
	UserID      int64  `json:"user_id"`
	DisplayName string `json:"display_name"`
}

type eventQuestion struct {
	QuestionID   int64     `json:"question_id"`
	Title        string    `json:"title"`
	Body         string    `json:"body,omitempty"`
	Link         string    `json:"link"`
	Tags         []string  `json:"tags"`
	Score        int64     `json:"score"`
	CreationDate int64     `json:"creation_date"`
	LastEditDate *int64    `json:"last_edit_date"`
	Owner        eventUser `json:"owner"`
}

type eventAnswer struct {
	AnswerID     int64     `json:"answer_id"`
	Body         string    `json:"body"`
	Link         string    `json:"link"`
	Score        int64     `json:"score"`
	IsAccepted   bool      `json:"is_accepted"`
	CreationDate int64     `json:"creation_date"`
	LastEditDate *int64    `json:"last_edit_date"`
	Owner        eventUser `json:"owner"`
}

// event makes the event of a moment. The dump has only the newest content of a
// post, so all events of a post have that. The id is the same in every run.
func (d *dump) event(m moment, o Options) (event, error) {
	row, err := d.row(m.post)
	if err != nil {
		return event{}, err
	}
	letter, family, question := "q", "question", row
	if d.posts[m.post].parent != 0 {
		letter, family = "a", "answer"
		if question, err = d.row(d.byID[row.parent]); err != nil {
			return event{}, err
		}
	}
	e := event{
		ID:         fmt.Sprintf("replay-%s-%s%d-%s", o.Location, letter, row.id, m.what),
		Type:       family + "." + m.what.String(),
		OccurredAt: time.UnixMilli(m.at).UTC().Format("2006-01-02T15:04:05.000Z07:00"),
		Location:   o.Location,
		Actor:      row.ownerUser(),
		Question: &eventQuestion{
			QuestionID: question.id, Title: shortTitle(question.title), Link: question.link(o.Site),
			Tags: question.tagList(), Score: question.score, CreationDate: question.created.UnixMilli(),
			LastEditDate: question.editedBy(m.at), Owner: question.ownerUser(),
		},
	}
	switch m.what {
	case edited:
		e.Actor = userOf(row.editor, "")
	case accepted:
		e.Actor = question.ownerUser()
	case created:
	}
	if family == "question" {
		e.Question.Body = row.body
		return e, nil
	}
	id := strconv.FormatInt(row.id, 10)
	e.Answer = &eventAnswer{
		AnswerID: row.id, Body: row.body, Link: e.Question.Link + "/" + id + "#" + id, Score: row.score,
		IsAccepted:   question.accepted == row.id && m.what != created,
		CreationDate: row.created.UnixMilli(), LastEditDate: row.editedBy(m.at), Owner: row.ownerUser(),
	}
	return e, nil
}

func (r row) ownerUser() eventUser { return userOf(r.owner, r.ownerName) }

// userOf names a user as a site does that has no name for one; the dump
// keeps names in another file.
func userOf(id int64, name string) eventUser {
	switch {
	case name != "":
	case id == -1:
		name = "Community"
	default:
		name = "user" + strconv.FormatInt(id, 10)
	}
	return eventUser{id, name}
}

// editedBy is the time of the last edit, if it had happened by then.
func (r row) editedBy(at int64) *int64 {
	if edited := r.edited.UnixMilli(); !r.edited.IsZero() && edited <= at {
		return &edited
	}
	return nil
}

func (r row) link(site string) string {
	link := site + "/questions/" + strconv.FormatInt(r.id, 10)
	if slug := titleSlug(r.title); slug != "" {
		link += "/" + slug
	}
	return link
}

// titleSlug writes a title as links have it.
func titleSlug(title string) string {
	const most = 80
	words := strings.FieldsFunc(strings.ToLower(title), func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '\''
	})
	slug := strings.ReplaceAll(strings.Join(words, "-"), "'", "")
	if len(slug) > most {
		slug = slug[:most]
	}
	return strings.Trim(slug, "-")
}

// shortTitle cuts a title to the limit of the ingest API.
func shortTitle(title string) string {
	const most = 300
	if r := []rune(title); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return title
}
