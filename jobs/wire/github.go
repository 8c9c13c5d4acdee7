package wire

import (
	"bytes"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// GitHub Discussions: a discussion of a category that takes answers is a
// question, a comment on it an answer, and a reply to that a comment.
func init() {
	RegisterReader(Reader{
		Kind: "github", Label: "GitHub Discussions", Order: 70,
		Help:        "Discussions that take answers, their comments and accepted answers, of a repository or an organization at GitHub.",
		Secrets:     readSecrets("The Secret of the webhook at GitHub."),
		NewSecret:   hexSecret,
		CheckSecret: checkKeyText,
		Verify:      func(r Received) error { return verifyDigest(r, "X-Hub-Signature-256", "sha256=", hexSHA256) },
		Read:        readGitHub,
	})
}

func readGitHub(r Received) (ReadResult, error) {
	event := r.Header.Get("X-GitHub-Event")
	switch event {
	case "":
		return ReadResult{}, errors.New("the header X-GitHub-Event: is missing")
	case "ping":
		return ignored("It is GitHub's first message to a new webhook. Nothing happened."), nil
	case "discussion", "discussion_comment":
	default:
		return ignored("The event “%s” is not about discussions.", shown(event)), nil
	}
	id := r.Header.Get("X-GitHub-Delivery")
	if id == "" {
		id = bodyID(r.Body)
	}
	body, err := parseBody(githubJSON(r))
	if err != nil {
		return ReadResult{}, err
	}
	action := body.need("action")
	if !body.has("discussion") {
		body.fail("discussion", errMissing)
	}
	d := body.inner("discussion")
	e, why := githubEvent(body, d, event, action, r.At)
	if *body.fault != nil {
		return ReadResult{}, *body.fault
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
func githubEvent(body, d object, event, action string, at time.Time) (e Event, why string) {
	category := d.inner("category")
	answerable := false
	category.read("is_answerable", &answerable)
	comment := body.inner("comment")
	reply := comment.has("parent_id")
	types := map[string]string{
		"discussion created": QuestionCreated, "discussion edited": QuestionEdited, "discussion answered": AnswerAccepted,
		"discussion_comment created": AnswerCreated, "discussion_comment edited": AnswerEdited,
	}
	if e.Type = types[event+" "+action]; e.Type == "" {
		return e, "The action “" + shown(action) + "” of a " + strings.Replace(event, "_", " ", 1) + " is no event of a Q&A site."
	}
	if !answerable {
		return e, "The discussion's category “" + shown(category.need("name")) + "” takes no answers, so it holds no questions."
	}
	if reply && e.Type == AnswerEdited {
		return e, "Edits of comments are no event of a Q&A site."
	}
	e.Community = slugOf(category.need("slug"))
	e.Actor = githubUser(body, "sender")
	e.Question = githubQuestion(d, at)
	switch {
	case e.Type == AnswerAccepted:
		e.Answer = githubAnswer(body.inner("answer"), at)
		e.Answer.IsAccepted = true
		e.OccurredAt = d.when("answer_chosen_at", at)
	case event == "discussion":
		e.OccurredAt = time.UnixMilli(e.Question.CreationDate)
		if e.Type == QuestionEdited {
			e.OccurredAt = d.when("updated_at", at)
			e.Question.LastEditDate = millis(e.OccurredAt)
		}
	case reply:
		a := githubAnswer(comment, at)
		e.Type, e.Comment = CommentCreated, &Comment{
			CommentID: a.AnswerID, Body: a.Body, Link: a.Link, CreationDate: a.CreationDate, Owner: a.Owner,
		}
		e.OccurredAt = time.UnixMilli(a.CreationDate)
	default:
		e.Answer = githubAnswer(comment, at)
		e.OccurredAt = time.UnixMilli(e.Answer.CreationDate)
		if e.Type == AnswerEdited {
			e.OccurredAt = comment.when("updated_at", at)
			e.Answer.LastEditDate = millis(e.OccurredAt)
		}
	}
	return e, ""
}

func githubQuestion(d object, at time.Time) *Question {
	q := &Question{
		QuestionID: d.postID("id"), Title: d.need("title"), Link: d.need("html_url"), Tags: []string{},
		CreationDate: d.when("created_at", at).UnixMilli(), Owner: githubUser(d, "user"),
	}
	d.read("body", &q.Body)
	for i, raw := range d.list("labels") {
		q.Tags = append(q.Tags, d.element("labels", i, raw).need("name"))
	}
	q.Tags = normalTags(q.Tags)
	return q
}

// githubAnswer reads a comment, which has the same members when it is an answer.
func githubAnswer(c object, at time.Time) *Answer {
	a := &Answer{
		AnswerID: c.postID("id"), Link: c.need("html_url"), CreationDate: c.when("created_at", at).UnixMilli(), Owner: githubUser(c, "user"),
	}
	c.read("body", &a.Body)
	return a
}

// githubUser is the user of a member; a deleted one is null.
func githubUser(o object, name string) User {
	in := o.inner(name)
	u := User{UserID: -1}
	in.read("id", &u.UserID)
	in.read("login", &u.DisplayName)
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
