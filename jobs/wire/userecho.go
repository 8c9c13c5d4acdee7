package wire

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // receivers written after the vendor's prose expect it; it signs nothing unless chosen
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// The format of UserEcho. Its document says SHA-1 in prose and SHA-256 in
// code, so both are there. How often it repeats and when it gives up is our
// own choice, since it says only "in 5 minutes".
func init() {
	Register(Format{
		Name: "userecho", Label: "UserEcho", Order: 40, NeedsFeature: true,
		Options: userEchoOptions(),
		Fields: []Field{{
			Key: userEchoDigest, Label: "Signature", Choices: []string{"sha256", "sha1"},
			Help: "The digest of the signature in the header X-UE-Signature. Use sha1 only for receivers that require it.",
		}},
		Secrets: []SecretField{{
			Key: "secret_1", Label: "Signing key", Help: "Receivers check the header X-UE-Signature with it.",
		}},
		OwnHeaders:  []string{"X-UE-Signature"},
		NewSecret:   HexSecret,
		CheckSecret: CheckKeyText,
		NewID:       messageID,
		DeriveID:    derivedMessageID,
		Compose:     composeUserEcho,
		Headers:     userEchoHeaders,
		Samples:     userEchoSamples,
		Policy: Policy{
			Timeout: 10 * time.Second,
			Success: []int{200},
			Pauses:  slices.Repeat([]time.Duration{5 * time.Minute}, 12),
			Broken:  BrokenRule{After: 24 * time.Hour},
		},
	})
}

const userEchoDigest = "digest" // key of the field

// userEchoHooks are the names of the Q&A types; edits have none.
var userEchoHooks = map[string]string{
	QuestionCreated: "topic.created",
	AnswerCreated:   "comment.created",
	AnswerAccepted:  "comment.accepted",
	CommentCreated:  "comment.created",
}

func userEchoOptions() []Option {
	return append(addQA(familyOptions("topic", "forum-comment"), userEchoHooks), ownOptions()...)
}

// hookCall is the whole body.
type hookCall struct {
	Hook    string `json:"hook"`
	Created string `json:"created"`
	Data    any    `json:"data"`
}

func composeUserEcho(events []Event) (body []byte, used int, err error) {
	if len(events) == 0 {
		return nil, 0, errors.New("userecho: no events")
	}
	e := events[0]
	out := hookCall{Hook: e.Type, Created: forumTime(e.OccurredAt), Data: dataOf(e)}
	if name := userEchoHooks[e.Type]; name != "" && e.Question != nil {
		out.Hook, out.Data = name, forumData(e)
	}
	body, err = object.Encode(out)
	return body, 1, err
}

func forumTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func userEchoHeaders(r Request) []Header {
	headers := []Header{{"Content-Type", "application/json"}, {"User-Agent", "Sitehooks/" + Version}}
	if len(r.Secrets) == 0 || r.Secrets[0] == "" {
		return headers
	}
	digest := sha256.New
	if r.Options[userEchoDigest] == "sha1" {
		digest = sha1.New
	}
	mac := hmac.New(digest, []byte(r.Secrets[0]))
	mac.Write(r.Body)
	return append(headers, Header{"X-UE-Signature", hex.EncodeToString(mac.Sum(nil))})
}

// CheckKeyText accepts the keys of vendors that use the text itself as the key.
func CheckKeyText(secret string) error {
	if secret == "" || utf8.RuneCountInString(secret) > 256 || !utf8.ValidString(secret) || strings.ContainsFunc(secret, unicode.IsControl) {
		return Sentence("Use 1 to 256 characters on one line.")
	}
	return nil
}

// userEchoSamples are one event for each of the values, in the order of the
// options.
func userEchoSamples(values []string) []Event {
	events := []Event{}
	for _, o := range userEchoOptions() {
		if slices.Contains(values, o.Value) {
			e := o.Sample()
			if !FamilyOf(o.Events[0]).Own {
				e = Event{ID: e.ID, Type: e.Type, OccurredAt: e.OccurredAt, Data: e.Data}
			}
			events = append(events, e)
		}
	}
	return events
}

// forumAuthor is the author of a topic or a comment.
type forumAuthor struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// forumTopic is a question as the forum has it.
type forumTopic struct {
	ID          int64       `json:"id"`
	Header      string      `json:"header"`
	Description string      `json:"description"`
	Type        topicType   `json:"type"`
	Tags        []string    `json:"tags"`
	Created     string      `json:"created"`
	Updated     string      `json:"updated"` // when it was created, if never since
	Author      forumAuthor `json:"author"`
	Vote        topicVote   `json:"vote"`
	// CommentCount is 0: only new questions become topics.
	CommentCount int `json:"comment_count"`
}

type topicType struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

type topicVote struct {
	Diff int64 `json:"diff"`
}

// forumComment is an answer or a comment as the forum has it.
type forumComment struct {
	ID         int64       `json:"id"`
	TopicID    int64       `json:"topic_id"`
	Comment    string      `json:"comment"`
	Created    string      `json:"created"`
	Author     forumAuthor `json:"author"`
	IsOfficial bool        `json:"is_official"` // never: a site's members speak for themselves
}

// forumData is the topic or comment that a Q&A event is about.
func forumData(e Event) any {
	q := e.Question
	switch {
	case e.Comment != nil:
		c := e.Comment
		return forumComment{c.CommentID, q.QuestionID, c.Body, forumDate(c.CreationDate), authorOf(c.Owner), false}
	case e.Answer != nil:
		a := e.Answer
		return forumComment{a.AnswerID, q.QuestionID, a.Body, forumDate(a.CreationDate), authorOf(a.Owner), false}
	}
	t := forumTopic{
		ID: q.QuestionID, Header: q.Title, Description: q.Body, Type: topicType{2, "Questions"}, Tags: NormalTags(q.Tags),
		Created: forumDate(q.CreationDate), Author: authorOf(q.Owner), Vote: topicVote{q.Score},
	}
	t.Updated = t.Created
	if q.LastEditDate != nil {
		t.Updated = forumDate(*q.LastEditDate)
	}
	return t
}

func authorOf(u User) forumAuthor { return forumAuthor{u.UserID, u.DisplayName} }

func forumDate(ms int64) string { return forumTime(time.UnixMilli(ms)) }
