package read

import (
	"bytes"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// GitHub Discussions: a discussion of a category that takes answers is a
// question, a comment on it an answer, and a reply to that a comment.
func init() {
	Register(Reader{
		Kind: "github", Label: "GitHub Discussions", Order: 70,
		Help:        "Discussions that take answers, their comments and accepted answers, of a repository or an organization at GitHub.",
		Secrets:     readSecrets("The Secret of the webhook at GitHub."),
		NewSecret:   wire.HexSecret,
		CheckSecret: wire.CheckKeyText,
		Verify:      func(r Received) error { return verifyDigest(r, "X-Hub-Signature-256", "sha256=", hexSHA256) },
		Read:        readGitHub,
	})
}

func readGitHub(r Received) (Result, error) {
	event := r.Header.Get("X-GitHub-Event")
	switch event {
	case "":
		return Result{}, errors.New("the header X-GitHub-Event: is missing")
	case "ping":
		return ignored("It is GitHub's first message to a new webhook. Nothing happened."), nil
	case "discussion", "discussion_comment":
	default:
		return ignored("The event “%s” is not about discussions.", wire.Shown(event)), nil
	}
	id := r.Header.Get("X-GitHub-Delivery")
	if id == "" {
		id = bodyID(r.Body)
	}
	body, err := parseBody(githubJSON(r))
	if err != nil {
		return Result{}, err
	}
	action := body.Need("action")
	if !body.Has("discussion") {
		body.Fail("discussion", object.ErrMissing)
	}
	d := body.Inner("discussion")
	e, why := githubEvent(body, d, event, action, r.At)
	if body.Fault() != nil {
		return Result{}, body.Fault()
	}
	if why != "" {
		return ignored("%s", why), nil
	}
	e.ID = id
	return readEvents(e)
}

// githubJSON is the payload, which a webhook of the content type
// application/x-www-form-urlencoded has in a form.
func githubJSON(r Received) []byte {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || !bytes.HasPrefix(r.Body, []byte("payload=")) {
		return r.Body
	}
	form, err := url.ParseQuery(string(r.Body))
	if err != nil {
		return r.Body
	}
	return []byte(form.Get("payload"))
}

// githubEvent reads an action, or says in a sentence why it is none of ours.
func githubEvent(body, d object.Object, event, action string, at time.Time) (e wire.Event, why string) {
	category := d.Inner("category")
	answerable := false
	category.Read("is_answerable", &answerable)
	comment := body.Inner("comment")
	reply := comment.Has("parent_id")
	types := map[string]string{
		"discussion created": wire.QuestionCreated, "discussion edited": wire.QuestionEdited, "discussion answered": wire.AnswerAccepted,
		"discussion_comment created": wire.AnswerCreated, "discussion_comment edited": wire.AnswerEdited,
	}
	if e.Type = types[event+" "+action]; e.Type == "" {
		return e, "The action “" + wire.Shown(action) + "” of a " + strings.Replace(event, "_", " ", 1) + " is no event of a Q&A site."
	}
	if !answerable {
		return e, "The discussion's category “" + wire.Shown(category.Need("name")) + "” takes no answers, so it holds no questions."
	}
	if reply && e.Type == wire.AnswerEdited {
		return e, "Edits of comments are no event of a Q&A site."
	}
	e.Community = slugOf(category.Need("slug"))
	e.Actor = githubUser(body, "sender")
	e.Question = githubQuestion(d, at)
	switch {
	case e.Type == wire.AnswerAccepted:
		e.Answer = githubAnswer(body.Inner("answer"), at)
		e.Answer.IsAccepted = true
		e.OccurredAt = d.When("answer_chosen_at", at)
	case event == "discussion":
		e.OccurredAt = time.UnixMilli(e.Question.CreationDate)
		if e.Type == wire.QuestionEdited {
			e.OccurredAt = d.When("updated_at", at)
			e.Question.LastEditDate = millis(e.OccurredAt)
		}
	case reply:
		a := githubAnswer(comment, at)
		e.Type, e.Comment = wire.CommentCreated, &wire.Comment{
			CommentID: a.AnswerID, Body: a.Body, Link: a.Link, CreationDate: a.CreationDate, Owner: a.Owner,
		}
		e.OccurredAt = time.UnixMilli(a.CreationDate)
	default:
		e.Answer = githubAnswer(comment, at)
		e.OccurredAt = time.UnixMilli(e.Answer.CreationDate)
		if e.Type == wire.AnswerEdited {
			e.OccurredAt = comment.When("updated_at", at)
			e.Answer.LastEditDate = millis(e.OccurredAt)
		}
	}
	return e, ""
}

func githubQuestion(d object.Object, at time.Time) *wire.Question {
	q := &wire.Question{
		QuestionID: d.NeedNumber("id"), Title: d.Need("title"), Link: d.Need("html_url"), Tags: []string{},
		CreationDate: d.When("created_at", at).UnixMilli(), Owner: githubUser(d, "user"),
	}
	d.Read("body", &q.Body)
	for i, raw := range d.List("labels", MaxEvents) {
		q.Tags = append(q.Tags, d.Element("labels", i, raw).Need("name"))
	}
	q.Tags = wire.NormalTags(q.Tags)
	return q
}

// githubAnswer reads a comment, which has the same members when it is an answer.
func githubAnswer(c object.Object, at time.Time) *wire.Answer {
	a := &wire.Answer{
		AnswerID: c.NeedNumber("id"), Link: c.Need("html_url"), CreationDate: c.When("created_at", at).UnixMilli(), Owner: githubUser(c, "user"),
	}
	c.Read("body", &a.Body)
	return a
}

// githubUser is the user of a member; a deleted one is null.
func githubUser(o object.Object, name string) wire.User {
	in := o.Inner(name)
	u := wire.User{UserID: -1}
	in.Read("id", &u.UserID)
	in.Read("login", &u.DisplayName)
	if u.DisplayName == "" {
		u.DisplayName = "Community"
		if u.UserID != -1 {
			u.DisplayName = strconv.FormatInt(u.UserID, 10)
		}
	}
	return u
}

func millis(at time.Time) *int64 {
	ms := at.UnixMilli()
	return &ms
}

// slugOf makes a community's slug of a name; empty when nothing is left of it.
func slugOf(name string) string {
	slug := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	slug = strings.Trim(slug, "-")
	return slug[:min(len(slug), 64)]
}
