package wire

import (
	"encoding/json"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// Sample is a made-up event that an option covers: always the same one, so that
// a test notification, a preview and the guide for receivers show the same.
func (o Option) Sample() Event { return SampleEvent(o.Events[0]) }

// SampleEvent makes up an event of a kind: always the same one.
func SampleEvent(k EventKind) Event {
	f := FamilyOf(k)
	e := Event{ID: "test-" + k.Type, Type: k.Type, OccurredAt: sampleAt, Location: "main", Actor: User{UserID: -1, DisplayName: "Community"}}
	switch {
	case f.Posts, f.Own:
		return sampleEvent(k.Type)
	case f.System == forum:
		e.Data, e.Subject = sampleForum(k.Type)
	case f.System == identity:
		e.Data, e.Subject = sampleIdentity(k)
	default:
		first, event, _ := strings.Cut(k.Type, ".")
		e.Subject, e.Data = "1", json.RawMessage(`{"`+first+`_id":1,"name":"Example"}`)
		if event == "changed" {
			e.Changes = []string{"name"}
		}
	}
	return e
}

// sampleForum is the topic or comment that a forum's event is about.
func sampleForum(eventType string) (json.RawMessage, string) {
	post := map[string]string{
		"topic.created": QuestionCreated, "topic.accepted": QuestionCreated, "topic.satisfaction_changed": QuestionCreated,
		"comment.created": CommentCreated, "comment.accepted": AnswerAccepted, "comment.deleted": CommentCreated,
	}[eventType]
	e := sampleEvent(post)
	data, err := object.Encode(forumData(e))
	if err != nil { // cannot happen: it is made of texts and numbers
		data = []byte("{}")
	}
	return data, e.Subject
}

// sampleIdentity is the user, team or right that an identity provider's event is
// about.
func sampleIdentity(k EventKind) (json.RawMessage, string) {
	const user, team = "3241a285-8329-4d69-8f3d-316e08cf140c", "2209422a-eef7-4668-967d-be79409972c5"
	data := map[string]string{
		"user":               `{"id":"` + user + `","display_name":"Ada Example","primary_email":"ada@example.com","primary_email_verified":true,"signed_up_at_millis":1538594411651}`,
		"user.deleted":       `{"id":"` + user + `","teams":[{"id":"` + team + `"}]}`,
		"team":               `{"id":"` + team + `","display_name":"Example team","created_at_millis":1538594411651}`,
		"team.deleted":       `{"id":"` + team + `"}`,
		"team_membership":    `{"team_id":"` + team + `","user_id":"` + user + `"}`,
		"team_permission":    `{"id":"$invite_members","team_id":"` + team + `","user_id":"` + user + `"}`,
		"project_permission": `{"id":"access","user_id":"` + user + `"}`,
	}
	text, own := data[k.Type]
	if !own {
		text = data[k.Family]
	}
	subject := user
	if strings.HasPrefix(k.Family, "team") {
		subject = team
	}
	return json.RawMessage(text), subject
}
