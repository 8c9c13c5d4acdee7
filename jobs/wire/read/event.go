package read

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/jobs/wire/object"
)

// ingestEvent is an event as the ingest API takes it.
type ingestEvent struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	OccurredAt string          `json:"occurred_at,omitempty"`
	Community  string          `json:"community,omitempty"`
	Actor      *wire.User      `json:"actor,omitempty"`
	Question   *wire.Question  `json:"question,omitempty"`
	Answer     *wire.Answer    `json:"answer,omitempty"`
	Comment    *wire.Comment   `json:"comment,omitempty"`
	Subject    string          `json:"subject,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Changes    []string        `json:"changes,omitempty"`
}

// readEvents are the events of a request as the ingest API takes them.
func readEvents(events ...wire.Event) (Result, error) {
	var result Result
	for _, e := range events {
		out := ingestEvent{
			ID: e.ID, Type: e.Type, Community: e.Community, Question: e.Question, Answer: e.Answer, Comment: e.Comment,
			Data: e.Data, Changes: e.Changes,
		}
		if !e.OccurredAt.IsZero() {
			out.OccurredAt = e.OccurredAt.UTC().Format(time.RFC3339Nano)
		}
		if e.Actor != (wire.User{}) {
			out.Actor = &e.Actor
		}
		if e.Question == nil { // a post says its own
			out.Subject = e.Subject
		}
		text, err := object.Encode(out)
		if err != nil {
			return Result{}, err
		}
		result.Events = append(result.Events, text)
	}
	return result, nil
}

// ignored is the result of a request that holds no events, for a reason told in
// a sentence.
func ignored(format string, args ...any) Result {
	return Result{Ignored: fmt.Sprintf(format, args...)}
}

// parseBody reads a body that must be a JSON object.
func parseBody(body []byte) (object.Object, error) {
	if err := checkJSON(body); err != nil {
		return object.Object{}, err
	}
	o, err := object.Parse(body)
	if errors.Is(err, object.ErrNotObject) {
		return object.Object{}, errors.New("the body: must be a JSON object")
	}
	return o, err
}

// checkJSON says why a body is not one JSON text.
func checkJSON(body []byte) error {
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(body, new(json.RawMessage)); {
	case len(body) == 0:
		return errors.New("the body: is empty")
	case !utf8.Valid(body):
		return errors.New("the body: is not UTF-8")
	case errors.As(err, &syntax):
		return fmt.Errorf("the body: is not JSON (%s at byte %d)", syntax.Error(), syntax.Offset)
	case err != nil:
		return errors.New("the body: is not JSON")
	case !jsontext.Value(body).IsValid(jsontext.AllowDuplicateNames(true)): // which encoding/json replaces
		return errors.New("the body: is not JSON (a string holds half a surrogate pair)")
	}
	return nil
}

// unreadable says in a sentence why an event of this type, with data of its
// own, cannot be read; empty: it can.
func unreadable(eventType string) string {
	family, isName := wire.EventFamily(eventType)
	switch {
	case !isName:
		return fmt.Sprintf("“%s” is not an event name: it must have two parts joined by a dot, such as lead.scored.", wire.Shown(eventType))
	case eventType == wire.WebhookBroken, eventType == wire.SourceSilent:
		return fmt.Sprintf("“%s” is a notice of another Sitehooks about itself.", wire.Shown(eventType))
	}
	known := false
	for _, f := range wire.Families() {
		if first, _, _ := strings.Cut(f.Type(""), "."); first == family {
			if slices.ContainsFunc(f.Events, func(event string) bool { return f.Type(event) == eventType }) {
				return ""
			}
			known = true
		}
	}
	if known {
		return fmt.Sprintf("“%s” is not an event of %s that Sitehooks knows.", wire.Shown(eventType), family)
	}
	return ""
}

// subjectOf is the id of the thing that an event is about, where the ingest API
// takes it: CRM and custom events have a number.
func subjectOf(eventType, id string) string {
	f := wire.FamilyOf(wire.KindOf(eventType))
	if f.Name == "" || f.CRM {
		if n, err := strconv.ParseUint(id, 10, 31); err != nil || strconv.FormatUint(n, 10) != id {
			return ""
		}
	}
	return id
}

// idTime is a time inside an event's id.
func idTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// bodyID is an id for what has none: made from the body, so it is the same
// whenever the body is.
func bodyID(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}
