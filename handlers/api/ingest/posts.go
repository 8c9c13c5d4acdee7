package ingest

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/handlers/api"
)

// postKind describes questions, answers or comments.
type postKind struct {
	name, id, owner string // the field, its key of the id, the field of its owner
	// Required fields besides the id: title and link, body.
	needsTitle, needsBody bool
}

var (
	questionKind = postKind{name: "question", id: "question_id", owner: "question.owner", needsTitle: true}
	answerKind   = postKind{name: "answer", id: "answer_id", owner: "answer.owner"}
	commentKind  = postKind{name: "comment", id: "comment_id", owner: "comment.owner", needsBody: true}
)

// aboutPosts are the fields of an event's record that come from its posts.
type aboutPosts struct {
	tags    []string
	title   string
	subject string // own post id
}

// posts checks the posts that a Q&A event of a family needs. Others that it
// carries mean nothing, as unknown keys do.
func (k *checker) posts(p posted, family string) aboutPosts {
	about := aboutPosts{tags: []string{}}
	id := k.post(questionKind, p.question, &about)
	// A comment may be on an answer, and is on none if that has no id.
	if family == "answer" || family == "comment" && p.answer != nil {
		id = k.post(answerKind, p.answer, nil)
	}
	if family == "comment" {
		id = k.post(commentKind, p.comment, nil)
	}
	about.subject = strconv.FormatInt(id, 10)
	return about
}

// rawPost are the values of a post's known keys as they came.
type rawPost struct {
	id, title, body, link, tags, score, owner []byte
	created, edited, accepted                 []byte
}

func splitPost(post []byte, idKey string) rawPost {
	var r rawPost
	for key, v := range api.Members(post) {
		if v[0] == 'n' {
			continue
		}
		switch string(key) {
		case idKey:
			r.id = v
		case "title":
			r.title = v
		case "body":
			r.body = v
		case "link":
			r.link = v
		case "tags":
			r.tags = v
		case "score":
			r.score = v
		case "owner":
			r.owner = v
		case "creation_date":
			r.created = v
		case "last_edit_date":
			r.edited = v
		case "is_accepted":
			r.accepted = v
		}
	}
	return r
}

// post checks one post and returns its id. A question's own fields are stored
// in about.
func (k *checker) post(kind postKind, v []byte, about *aboutPosts) int64 {
	if v == nil || v[0] != '{' {
		k.require(kind.name, "", v)
		k.isObject(kind.name, "", v)
		return 0
	}
	r := splitPost(v, kind.id)
	k.require(kind.name, kind.id, r.id)
	id := k.integer(kind.name, kind.id, r.id, 1, maxInteger)
	if kind.needsTitle {
		k.require(kind.name, "title", r.title)
		k.require(kind.name, "link", r.link)
	}
	if kind.needsBody {
		k.require(kind.name, "body", r.body)
	}
	if about != nil {
		about.title = k.title(kind.name, r.title)
		about.tags = k.tags(kind.name, r.tags)
	}
	k.isText(kind.name, "body", r.body)
	k.link(kind.name, r.link)
	k.integer(kind.name, "score", r.score, -maxInteger, maxInteger)
	k.millis(kind.name, "creation_date", r.created)
	k.millis(kind.name, "last_edit_date", r.edited)
	if r.accepted != nil && r.accepted[0] != 't' && r.accepted[0] != 'f' {
		k.fault(kind.name, "is_accepted", "must be true or false")
	}
	k.user(kind.owner, r.owner)
	return id
}

func (k *checker) require(object, name string, v []byte) {
	if v == nil {
		k.fault(object, name, "is required")
	}
}

func (k *checker) title(object string, v []byte) string {
	if !k.isText(object, "title", v) {
		return ""
	}
	s := api.Unquote(v)
	if n := utf8.RuneCountInString(s); n > maxTitle || strings.TrimSpace(s) == "" {
		k.fault(object, "title", "must have 1 to %d characters, not %d", maxTitle, utf8.RuneCountInString(strings.TrimSpace(s)))
	}
	return s
}

// tags returns them in lower case and without repeats.
func (k *checker) tags(object string, v []byte) []string {
	tags := []string{}
	if v == nil {
		return tags
	}
	for i, tag := range k.texts(object, "tags", v, maxTags) {
		if n := utf8.RuneCountInString(tag); n == 0 || n > maxTag {
			k.fault(object, api.Item("tags", i), "must have 1 to %d characters, not %d", maxTag, n)
		}
		if tag = strings.ToLower(tag); !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	return tags
}

// user checks actor or owner.
func (k *checker) user(object string, v []byte) {
	if v == nil || !k.isObject(object, "", v) {
		return
	}
	for key, v := range api.Members(v) {
		switch {
		case v[0] == 'n':
		case string(key) == "user_id":
			k.integer(object, "user_id", v, -maxInteger, maxInteger)
		case string(key) == "display_name":
			k.isText(object, "display_name", v)
		}
	}
}
