package replay

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/app/client"
)

// event makes the event of a moment. The dump has only the newest content of a
// post, so all events of a post have that. The id is the same in every run.
func (d *dump) event(m moment, o Options) (client.Event, error) {
	row, err := d.row(m.post)
	if err != nil {
		return client.Event{}, err
	}
	letter, family, question := "q", "question", row
	if d.posts[m.post].parent != 0 {
		letter, family = "a", "answer"
		if question, err = d.row(d.byID[row.parent]); err != nil {
			return client.Event{}, err
		}
	}
	e := client.Event{
		ID:         fmt.Sprintf("replay-%s-%s%d-%s", o.Location, letter, row.id, m.what),
		Type:       family + "." + m.what.String(),
		OccurredAt: client.Time(time.UnixMilli(m.at)),
		Location:   o.Location,
		Actor:      row.ownerUser(),
		Question: &client.Question{
			QuestionID: question.id, Title: client.ShortTitle(question.title), Link: question.link(o.Site),
			Tags: question.tagList(), Score: question.score, CreationDate: question.created.UnixMilli(),
			LastEditDate: question.editedBy(m.at), Owner: question.ownerUser(),
		},
	}
	switch m.what {
	case edited:
		e.Actor = userOf(row.editor, "")
	case accepted:
		e.Actor = question.ownerUser()
	case created, commented:
	}
	if family == "question" {
		e.Question.Body = row.body
		return d.finished(e, m, o)
	}
	id := strconv.FormatInt(row.id, 10)
	e.Answer = &client.Answer{
		AnswerID: row.id, Body: row.body, Link: e.Question.Link + "/" + id + "#" + id, Score: row.score,
		IsAccepted:   question.accepted == row.id && m.what != created && m.what != commented,
		CreationDate: row.created.UnixMilli(), LastEditDate: row.editedBy(m.at), Owner: row.ownerUser(),
	}
	return d.finished(e, m, o)
}

// finished is the event of a post, or of the comment on it.
func (d *dump) finished(e client.Event, m moment, o Options) (client.Event, error) {
	if m.what != commented {
		return e, nil
	}
	err := d.commentOn(&e, m, o)
	return e, err
}

func (r row) ownerUser() client.User { return userOf(r.owner, r.ownerName) }

// userOf names a user as a site does that has no name for one; the dump
// keeps names in another file.
func userOf(id int64, name string) client.User {
	switch {
	case name != "":
	case id == -1:
		name = "Community"
	default:
		name = "user" + strconv.FormatInt(id, 10)
	}
	return client.User{UserID: id, DisplayName: name}
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
