package read

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// The keys of a Discourse source's fields.
const (
	discourseInstance = "instance"
	discourseReplies  = "replies_as_comments"
)

// Discourse: a topic is a question, its other posts are answers. Discourse sends
// its webhooks as its system user, private messages and restricted categories
// too, so nothing passes that a visitor without a login cannot read: that is
// looked up at the instance itself.
func init() {
	Register(Reader{
		Kind: "discourse", Label: "Discourse", Order: 60, InstanceField: discourseInstance,
		Help: "Public topics, posts and solutions of a Discourse forum.",
		Fields: []wire.Field{
			{
				Key: discourseInstance, Label: "Instance URL", Required: true, Pattern: `https?://[^\s/?#]+(/[^\s?#]*)?`,
				PatternHelp: "Enter the forum's address, such as https://forum.example.org.",
				Help:        "The forum's address. Each topic is looked up there without a login, because Discourse sends private ones too.",
			},
			{
				Key: discourseReplies, Label: "Replies as comments", Choices: []string{"no", "yes"},
				Help: "With yes, a reply to a post other than the first is a comment on it. With no, every reply is an answer.",
			},
		},
		Secrets:     readSecrets("The Secret of the webhook at Discourse, 12 characters or more."),
		NewSecret:   wire.HexSecret,
		CheckSecret: checkDiscourseSecret,
		Verify:      func(r Received) error { return verifyDigest(r, "X-Discourse-Event-Signature", "sha256=", hexSHA256) },
		Read:        readDiscourse,
	})
}

func checkDiscourseSecret(secret string) error {
	if len(secret) < 12 || wire.CheckKeyText(secret) != nil {
		return wire.Sentence("Use 12 to 256 characters on one line.")
	}
	return nil
}

// discourseTypes are the event types of Discourse's events: for the first post
// of a topic, and for the others.
var discourseTypes = map[string][2]string{
	"post_created":      {wire.QuestionCreated, wire.AnswerCreated},
	"post_edited":       {wire.QuestionEdited, wire.AnswerEdited},
	"topic_edited":      {wire.QuestionEdited, ""},
	"accepted_solution": {"", wire.AnswerAccepted},
}

func readDiscourse(r Received) (Result, error) {
	event := r.Header.Get("X-Discourse-Event")
	types, known := discourseTypes[event]
	switch {
	case event == "":
		return Result{}, errors.New("the header X-Discourse-Event: is missing")
	case event == "ping":
		return ignored("It is a test of the webhook. Nothing happened."), nil
	case event == "topic_created":
		return ignored("A new topic is read from its first post, which post_created brings."), nil
	case !known:
		return ignored("“%s” is no event of a Q&A site.", wire.Shown(event)), nil
	}
	body, err := parseBody(r.Body)
	if err != nil {
		return Result{}, err
	}
	d := discourse{r: r}
	if event == "topic_edited" {
		d.readTopicEdit(body)
	} else {
		d.readPost(body, event, types)
	}
	switch {
	case body.Fault() != nil:
		return Result{}, body.Fault()
	case d.why != "":
		return ignored("%s", d.why), nil
	case d.fault != nil:
		return Result{}, d.fault
	case len(d.lookups) > 0:
		return Result{Lookups: d.lookups}, nil
	}
	return readEvents(d.event)
}

// discourse is the reading of one request. It ends with an event, a reason why
// there is none, a fault, or look-ups.
type discourse struct {
	r       Received
	event   wire.Event
	why     string
	fault   error
	lookups []string
}

// lookUp is what the instance says at a path to a visitor without a login;
// false: it is not there yet, or nobody may read it.
func (d *discourse) lookUp(path string) (o object.Object, found bool) {
	a, answered := d.r.Answers[path]
	switch {
	case !answered:
		d.lookups = append(d.lookups, path)
		return object.Object{}, false
	case a.Status == http.StatusUnauthorized, a.Status == http.StatusForbidden, a.Status == http.StatusNotFound, a.Status == http.StatusGone:
		return object.Object{}, false
	case a.Status != http.StatusOK:
		d.fault = fmt.Errorf("the look-up of %s: was answered %d; check the Instance URL", path, a.Status)
		return object.Object{}, false
	}
	o, err := parseBody(a.Body)
	if err != nil {
		d.fault = fmt.Errorf("the look-up of %s: %w; check the Instance URL", path, err)
		return object.Object{}, false
	}
	return o, true
}

// stopped says whether the reading has ended without an event, at least for now.
func (d *discourse) stopped() bool { return d.why != "" || d.fault != nil || len(d.lookups) > 0 }

// public reads a topic as a visitor without a login sees it.
func (d *discourse) public(topicID int64) (topic object.Object, ok bool) {
	path := "/t/" + strconv.FormatInt(topicID, 10) + ".json"
	topic, found := d.lookUp(path)
	if d.stopped() {
		return topic, false
	}
	var id int64
	var archetype string
	if found {
		topic.Read("id", &id)
		topic.Read("archetype", &archetype)
	}
	switch {
	case !found:
		d.why = "The topic cannot be read without a login, so it is not passed on."
	case id != topicID:
		d.fault = fmt.Errorf("the look-up of %s: is not about this topic", path)
	case archetype != "regular":
		d.why = "The topic is not a public one, so it is not passed on."
	case topic.Has("deleted_at"):
		d.why = "The topic is deleted."
	}
	return topic, !d.stopped()
}

// hiddenPost says why a post is not public by itself; empty: it may be.
func hiddenPost(p object.Object) string {
	var kind int64
	var hidden, deletedByUser bool
	if !p.Has("post_type") {
		p.Fail("post_type", object.ErrMissing)
	}
	p.Read("post_type", &kind)
	p.Read("hidden", &hidden)
	p.Read("user_deleted", &deletedByUser)
	switch {
	case kind == 4:
		return "The post is a whisper, so it is not passed on."
	case kind != 1:
		return "The post was not written by a member: it is a notice of the forum."
	case hidden:
		return "The post is hidden, so it is not passed on."
	case deletedByUser || p.Has("deleted_at"):
		return "The post is deleted."
	}
	return ""
}

// readPost reads an event about a post.
func (d *discourse) readPost(body object.Object, event string, types [2]string) {
	member := "post"
	if event == "accepted_solution" {
		member = "solved"
	}
	if !body.Has(member) {
		body.Fail(member, object.ErrMissing)
	}
	p := body.Inner(member)
	topicID, number := p.NeedNumber("topic_id"), p.NeedNumber("post_number")
	if archetype := p.Need("topic_archetype"); archetype != "regular" {
		d.why = "The post is in a private message, so it is not passed on."
	} else {
		d.why = hiddenPost(p)
	}
	if body.Fault() != nil || d.why != "" {
		return
	}
	eventType := types[min(number-1, 1)]
	reply := d.replyTo(p)
	if reply > 0 && eventType == wire.AnswerCreated {
		eventType = wire.CommentCreated
	}
	if eventType == "" || reply > 0 && eventType != wire.CommentCreated {
		d.why = "It is no event of a Q&A site: " + event + " of a post of this kind."
		return
	}
	topic, public := d.public(topicID)
	parent := d.parent(topicID, reply)
	if !public || d.stopped() {
		return
	}
	d.event = d.postEvent(p, eventType, d.question(topic, topicID), parent)
	if topic.Fault() != nil {
		d.fault = fmt.Errorf("the look-up of the topic: %w", topic.Fault())
	}
}

// postEvent is the event of a post of a question's topic.
func (d *discourse) postEvent(p object.Object, eventType string, q *wire.Question, parent *wire.Answer) wire.Event {
	id, number := p.NeedNumber("id"), p.NeedNumber("post_number")
	created, updated := p.When("created_at", d.r.At), p.When("updated_at", d.r.At)
	version := int64(1)
	p.Read("version", &version)
	cooked := p.Need("cooked")
	slug := ""
	p.Read("category_slug", &slug)
	owner := discourseUser(p, "user_id")
	e := wire.Event{Type: eventType, OccurredAt: created, Community: slugOf(slug), Question: q}
	link := q.Link + "/" + strconv.FormatInt(number, 10)
	var edited *int64
	switch eventType {
	case wire.QuestionCreated, wire.AnswerCreated, wire.CommentCreated:
		e.Actor, e.ID = owner, fmt.Sprintf("post:%d:created", id)
	case wire.QuestionEdited, wire.AnswerEdited:
		edited, e.OccurredAt = millis(updated), updated
		e.ID = fmt.Sprintf("post:%d:v%d:%s", id, version, idTime(updated))
	case wire.AnswerAccepted:
		e.OccurredAt, e.ID = d.r.At, fmt.Sprintf("post:%d:accepted:v%d", id, version)
	}
	switch {
	case number == 1:
		q.Body, q.Owner, q.CreationDate, q.LastEditDate = cooked, owner, created.UnixMilli(), edited
	case eventType == wire.CommentCreated:
		e.Answer = parent
		e.Comment = &wire.Comment{CommentID: id, Body: cooked, Link: link, CreationDate: created.UnixMilli(), Owner: owner}
	default:
		e.Answer = &wire.Answer{
			AnswerID: id, Body: cooked, Link: link, CreationDate: created.UnixMilli(), LastEditDate: edited, Owner: owner,
			IsAccepted: eventType == wire.AnswerAccepted,
		}
	}
	return e
}

// replyTo is the number of the post that a post is a comment on; 0: it is none.
func (d *discourse) replyTo(p object.Object) (number int64) {
	if d.r.Fields[discourseReplies] != "yes" {
		return 0
	}
	if p.Read("reply_to_post_number", &number); number <= 1 {
		return 0
	}
	return number
}

// parent is the answer that a comment is on; nil when there is none that a
// visitor can read.
func (d *discourse) parent(topicID, number int64) *wire.Answer {
	if number == 0 || d.why != "" {
		return nil
	}
	post, found := d.lookUp(fmt.Sprintf("/posts/by_number/%d/%d.json", topicID, number))
	if !found || hiddenPost(post) != "" {
		return nil
	}
	created := post.When("created_at", d.r.At)
	a := &wire.Answer{AnswerID: post.NeedNumber("id"), CreationDate: created.UnixMilli(), Owner: discourseUser(post, "user_id")}
	post.Read("cooked", &a.Body)
	var slug string
	post.Read("topic_slug", &slug)
	a.Link = d.topicLink(slug, topicID) + "/" + strconv.FormatInt(number, 10)
	if post.Fault() != nil {
		d.fault = fmt.Errorf("the look-up of the post %d of the topic: %w", number, post.Fault())
	}
	return a
}

// readTopicEdit reads topic_edited, whose payload has neither the text nor the
// category's slug.
func (d *discourse) readTopicEdit(body object.Object) {
	if !body.Has("topic") {
		body.Fail("topic", object.ErrMissing)
	}
	t := body.Inner("topic")
	id, category := t.NeedNumber("id"), int64(0)
	t.Read("category_id", &category)
	if archetype := t.Need("archetype"); archetype != "regular" {
		d.why = "The topic is a private message, so it is not passed on."
	} else if t.Has("deleted_at") {
		d.why = "The topic is deleted."
	}
	if body.Fault() != nil || d.why != "" {
		return
	}
	topic, public := d.public(id)
	slug := ""
	if category > 0 && d.why == "" {
		if found, ok := d.lookUp(fmt.Sprintf("/c/%d/show.json", category)); ok {
			found.Inner("category").Read("slug", &slug)
		}
	}
	if !public || d.stopped() {
		return
	}
	q := d.question(topic, id)
	d.event = wire.Event{Type: wire.QuestionEdited, OccurredAt: d.r.At, Community: slugOf(slug), Question: q}
	version := d.readFirstPost(topic, q)
	// The topic itself has no version: what an edit of it changes is one.
	edit, _ := object.Encode([]any{q.Title, q.Tags, category}) // texts and a number
	d.event.ID = fmt.Sprintf("topic:%d:v%d:%s", id, version, bodyID(edit))
	if topic.Fault() != nil {
		d.fault = fmt.Errorf("the look-up of the topic: %w", topic.Fault())
	}
}

// readFirstPost fills in what a question has of its topic's first post, and
// returns the post's version.
func (d *discourse) readFirstPost(topic object.Object, q *wire.Question) (version int64) {
	stream := topic.Inner("post_stream")
	posts := stream.List("posts", MaxEvents)
	var first object.Object
	var number int64
	if len(posts) > 0 {
		first = stream.Element("posts", 0, posts[0])
		first.Read("post_number", &number)
	}
	if number != 1 {
		d.why = "The topic's first post cannot be read without a login."
		return 0
	}
	if d.why = hiddenPost(first); d.why != "" {
		return 0
	}
	version = 1
	first.Read("version", &version)
	first.Read("cooked", &q.Body)
	q.Owner, q.CreationDate = discourseUser(first, "user_id"), first.When("created_at", d.r.At).UnixMilli()
	q.LastEditDate = millis(d.r.At)
	return version
}

// question is a topic without what its first post has.
func (d *discourse) question(topic object.Object, id int64) *wire.Question {
	q := &wire.Question{
		QuestionID: id, Title: topic.Need("title"), Tags: []string{}, CreationDate: topic.When("created_at", d.r.At).UnixMilli(),
	}
	q.Owner = discourseUser(topic.Inner("details").Inner("created_by"), "id")
	var slug string
	topic.Read("slug", &slug)
	q.Link = d.topicLink(slug, id)
	for i, raw := range topic.List("tags", MaxEvents) {
		if raw[0] == '{' { // in newer versions
			q.Tags = append(q.Tags, topic.Element("tags", i, raw).Need("name"))
			continue
		}
		var tag string
		if json.Unmarshal(raw, &tag) == nil {
			q.Tags = append(q.Tags, tag)
		}
	}
	q.Tags = wire.NormalTags(q.Tags)
	return q
}

func (d *discourse) topicLink(slug string, id int64) string {
	return strings.TrimRight(d.r.Fields[discourseInstance], "/") + "/t/" + cmp.Or(slug, "-") + "/" + strconv.FormatInt(id, 10)
}

// discourseUser reads a member of the forum, whose name may be empty.
func discourseUser(o object.Object, idKey string) wire.User {
	u := wire.User{UserID: -1}
	var name, username string
	o.Read(idKey, &u.UserID)
	o.Read("name", &name)
	o.Read("username", &username)
	u.DisplayName = cmp.Or(name, username, "Community")
	return u
}
