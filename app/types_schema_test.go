package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// The schemas of the five types' bodies, written from their documents; a
// member that is not here is a fault.
type (
	typeUser struct {
		UserID      *int64  `json:"user_id"`
		DisplayName *string `json:"display_name"`
	}
	typeQuestion struct {
		Tags         []string `json:"tags"`
		Owner        typeUser `json:"owner"`
		Score        int64    `json:"score"`
		CreationDate int64    `json:"creation_date"`
		LastEditDate *int64   `json:"last_edit_date"`
		QuestionID   int64    `json:"question_id"`
		Link         string   `json:"link"`
		Title        string   `json:"title"`
		Body         string   `json:"body"`
		Type         string   `json:"type"`
	}
	typeAnswer struct {
		typeQuestion
		AnswerID   int64 `json:"answer_id"`
		IsAccepted *bool `json:"is_accepted"`
	}
	typeGeneric struct {
		Questions []typeQuestion `json:"questions"`
		Answers   []typeAnswer   `json:"answers"`
		Comments  []struct{}     `json:"comments"` // a dump of posts has none
	}
	typeStackAuth struct {
		Type string          `json:"type"`
		Data json.RawMessage `json:"data"`
	}
	typeUserEcho struct {
		Hook    string          `json:"hook"`
		Created time.Time       `json:"created"`
		Data    json.RawMessage `json:"data"`
	}
	typeAuthor struct {
		ID   *int64  `json:"id"`
		Name *string `json:"name"`
	}
	typeTopic struct {
		ID          int64  `json:"id"`
		Header      string `json:"header"`
		Description string `json:"description"`
		Type        struct {
			ID   int    `json:"id"`
			Name string `json:"name"`
		} `json:"type"`
		Tags    []string   `json:"tags"`
		Created time.Time  `json:"created"`
		Updated time.Time  `json:"updated"`
		Author  typeAuthor `json:"author"`
		Vote    struct {
			Diff int64 `json:"diff"`
		} `json:"vote"`
		CommentCount int `json:"comment_count"`
	}
	typeComment struct {
		ID         int64      `json:"id"`
		TopicID    int64      `json:"topic_id"`
		Comment    string     `json:"comment"`
		Created    time.Time  `json:"created"`
		Author     typeAuthor `json:"author"`
		IsOfficial bool       `json:"is_official"`
	}
	typeSuperOffice struct {
		EventID              string `json:"EventId"`
		Timestamp            time.Time
		Changes              []string
		Event                string
		PrimaryKey           int64
		Entity               string
		ContextIdentifier    string
		ChangedByAssociateID *int64 `json:"ChangedByAssociateId"`
		WebhookName          string
		FieldValues          json.RawMessage
	}
)

// readType reads a body of a type and names its events as key does.
func readType(name string, body []byte) ([]string, error) {
	switch name {
	case "generic":
		return readGenericType(body)
	case "slack":
		return readSlackType(body)
	case "stackauth":
		var call typeStackAuth
		if err := apptest.DecodeStrictly(body, &call); err != nil {
			return nil, err
		}
		event, _, err := readItem(call.Data, call.Type)
		if err == nil && !strings.HasPrefix(event, strings.ReplaceAll(call.Type, ".", " ")+" ") {
			err = fmt.Errorf("%s tells of %s", call.Type, event)
		}
		return []string{event}, err
	case "userecho":
		return readUserEchoType(body)
	case "superoffice":
		return readSuperOfficeType(body)
	}
	return nil, errors.New("no type " + name)
}

func readGenericType(body []byte) (events []string, err error) {
	var call typeGeneric
	if err := apptest.DecodeStrictly(body, &call); err != nil {
		return nil, err
	}
	for _, q := range call.Questions {
		events = append(events, fmt.Sprintf("%s %d 0", q.Type, q.QuestionID))
	}
	for _, a := range call.Answers {
		events = append(events, fmt.Sprintf("%s %d %d", a.Type, a.QuestionID, a.AnswerID))
	}
	if call.Questions == nil || call.Answers == nil || call.Comments == nil || len(events) == 0 {
		err = fmt.Errorf("an array is missing, or all are empty: %s", body)
	}
	return events, err
}

// readItem reads a question or an answer, as the type of its event says.
func readItem(data json.RawMessage, eventType string) (event string, id int64, err error) {
	if strings.HasPrefix(eventType, "question.") {
		var q typeQuestion
		err = apptest.DecodeStrictly(data, &q)
		return fmt.Sprintf("%s %d 0", q.Type, q.QuestionID), q.QuestionID, err
	}
	var a typeAnswer
	err = apptest.DecodeStrictly(data, &a)
	return fmt.Sprintf("%s %d %d", a.Type, a.QuestionID, a.AnswerID), a.AnswerID, err
}

func readUserEchoType(body []byte) ([]string, error) {
	var call typeUserEcho
	if err := apptest.DecodeStrictly(body, &call); err != nil {
		return nil, err
	}
	if call.Hook == "topic.created" {
		var topic typeTopic
		err := apptest.DecodeStrictly(call.Data, &topic)
		return []string{fmt.Sprintf("question created %d 0", topic.ID)}, err
	}
	did := map[string]string{"comment.created": "created", "comment.accepted": "accepted"}[call.Hook]
	var comment typeComment
	err := apptest.DecodeStrictly(call.Data, &comment)
	return []string{fmt.Sprintf("answer %s %d %d", did, comment.TopicID, comment.ID)}, err
}

func readSuperOfficeType(body []byte) ([]string, error) {
	var call typeSuperOffice
	if err := apptest.DecodeStrictly(body, &call); err != nil {
		return nil, err
	}
	event, id, err := readItem(call.FieldValues, call.Event)
	entity, _, _ := strings.Cut(call.Event, ".")
	accepted := strings.Contains(event, "accepted") == (len(call.Changes) == 1 && call.Changes[0] == "is_accepted")
	if err == nil && (id != call.PrimaryKey || entity != call.Entity || call.Changes == nil || !accepted || call.ContextIdentifier != "Default") {
		err = fmt.Errorf("%s: %s", event, body)
	}
	return []string{event}, err
}
