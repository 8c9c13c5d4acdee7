package wire

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
)

// ingestEvent is an event as the ingest API takes it.
type ingestEvent struct {
	ID         string          `json:"id"`
	Type       string          `json:"type"`
	OccurredAt string          `json:"occurred_at,omitempty"`
	Community  string          `json:"community,omitempty"`
	Actor      *User           `json:"actor,omitempty"`
	Question   *Question       `json:"question,omitempty"`
	Answer     *Answer         `json:"answer,omitempty"`
	Comment    *Comment        `json:"comment,omitempty"`
	Subject    string          `json:"subject,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
	Changes    []string        `json:"changes,omitempty"`
}

// readEvents are the events of a request as the ingest API takes them.
func readEvents(events ...Event) (ReadResult, error) {
	var result ReadResult
	for _, e := range events {
		out := ingestEvent{
			ID: e.ID, Type: e.Type, Community: e.Community, Question: e.Question, Answer: e.Answer, Comment: e.Comment,
			Data: e.Data, Changes: e.Changes,
		}
		if !e.OccurredAt.IsZero() {
			out.OccurredAt = e.OccurredAt.UTC().Format(time.RFC3339Nano)
		}
		if e.Actor != (User{}) {
			out.Actor = &e.Actor
		}
		if e.Question == nil { // a post says its own
			out.Subject = e.Subject
		}
		text, err := encode(out)
		if err != nil {
			return ReadResult{}, err
		}
		result.Events = append(result.Events, text)
	}
	return result, nil
}

// ignored is the result of a request that holds no events, for a reason told in
// a sentence.
func ignored(format string, args ...any) ReadResult {
	return ReadResult{Ignored: fmt.Sprintf(format, args...)}
}

// parseBody reads a body that must be a JSON object.
func parseBody(body []byte) (object, error) {
	if err := checkJSON(body); err != nil {
		return object{}, err
	}
	o, err := parseObject(body)
	if errors.Is(err, errNoObject) {
		return object{}, errors.New("the body: must be a JSON object")
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
	}
	return nil
}

// list are the elements of a member that is an array; none when it is not
// there.
func (o object) list(name string) []json.RawMessage {
	var elements []json.RawMessage
	o.read(name, &elements)
	if len(elements) > MaxReadEvents {
		o.fail(name, fmt.Errorf("has %d elements, more than %d", len(elements), MaxReadEvents))
		return nil
	}
	return elements
}

// element is one of a list as an object.
func (o object) element(list string, i int, raw json.RawMessage) object {
	in := object{path: fmt.Sprintf("%s%s[%d].", o.path, list, i), fault: o.fault}
	if err := in.parse(raw); err != nil {
		o.fail(fmt.Sprintf("%s[%d]", list, i), err)
	}
	return in
}

// need is a text that must be there.
func (o object) need(name string) (text string) {
	o.read(name, &text)
	if text == "" {
		o.fail(name, errMissing)
	}
	return text
}

// data is a member that must be an object, compacted.
func (o object) data(name string) json.RawMessage {
	if !o.has(name) {
		return nil
	}
	o.inner(name)
	return compacted(o.raw(name))
}

// id is a member that is a text or a whole number, as text; empty when it is
// neither.
func (o object) id(name string) string {
	var n int64
	var text string
	raw := o.raw(name)
	switch {
	case raw == nil:
	case json.Unmarshal(raw, &text) == nil && raw[0] == '"':
		return text
	case json.Unmarshal(raw, &n) == nil && o.has(name):
		return strconv.FormatInt(n, 10)
	}
	return ""
}

// when is a member that is a time as text, or instead when it is not there.
func (o object) when(name string, instead time.Time) time.Time {
	var text string
	o.read(name, &text)
	if text == "" {
		return instead
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05 MST"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC()
		}
	}
	o.fail(name, errors.New("must be a time such as 2026-11-21T01:39:18.123Z"))
	return instead
}

// unreadable says in a sentence why an event of this type, with data of its
// own, cannot be read; empty: it can.
func unreadable(eventType string) string {
	parts := customName.FindStringSubmatch(eventType)
	switch {
	case parts == nil || len(eventType) > 128:
		return fmt.Sprintf("“%s” is not an event name: it must have two parts joined by a dot, such as lead.scored.", shown(eventType))
	case eventType == WebhookBroken, eventType == SourceSilent:
		return fmt.Sprintf("“%s” is a notice of another Sitehooks about itself.", shown(eventType))
	}
	known := false
	for _, f := range families {
		first, _, _ := strings.Cut(f.Type(""), ".")
		if first == parts[1] {
			if slices.ContainsFunc(f.Events, func(event string) bool { return f.Type(event) == eventType }) {
				return ""
			}
			known = true
		}
	}
	if known {
		return fmt.Sprintf("“%s” is not an event of %s that Sitehooks knows.", shown(eventType), parts[1])
	}
	return ""
}

// subjectOf is the id of the thing that an event is about, where the ingest API
// takes it: CRM and custom events have a number.
func subjectOf(eventType, id string) string {
	f := familyOf(KindOf(eventType))
	if f.Name == "" || f.CRM {
		if n, err := strconv.ParseUint(id, 10, 31); err != nil || strconv.FormatUint(n, 10) != id {
			return ""
		}
	}
	return id
}

// bodyID is an id for what has none: made from the body, so it is the same
// whenever the body is.
func bodyID(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}
