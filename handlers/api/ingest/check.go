package ingest

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/models"
)

// Limits of an event's parts, in characters.
const (
	maxName    = 128 // of type, id and subject
	maxTitle   = 300
	maxTag     = 64
	maxTags    = 50   // count
	maxChanges = 1000 // count
	maxSlug    = 64
	MaxSubject = 1<<31 - 1 // value, where a subject is a number

	defaultLocation = "main"
)

// checker turns the events of one request into records.
type checker struct {
	now      time.Time
	index    int         // of the event at hand
	faults   *api.Faults // of all of them
	tooLarge api.Faults
	payloads []byte // of all of them, one behind the other
}

// posted are the values of an event's known keys as they came; nil: absent or
// null, which is the same.
type posted struct {
	id, typ, occurredAt, location, community, actor []byte
	question, answer, comment                       []byte
	subject, data, changes                          []byte
}

// event checks one event, valid JSON. With a fault noted the record is not to
// be used.
func (k *checker) event(raw []byte) models.NewEvent {
	var e models.NewEvent
	if raw[0] != '{' {
		k.fault("", "", "must be an object")
		return e
	}
	start := len(k.payloads)
	var nul, deep int
	k.payloads, nul, deep = api.Compact(k.payloads, raw)
	e.Payload = k.payloads[start:len(k.payloads):len(k.payloads)]
	switch {
	case len(e.Payload) > MaxEvent:
		k.tooLarge.Add(k.index, "", "has %d bytes, more than %d", len(e.Payload), MaxEvent)
		return e
	case deep >= 0:
		k.fault("", api.Dotted(api.PlaceOf(raw, deep)), "is nested deeper than %d levels", api.MaxDepth)
		return e
	case nul >= 0:
		k.fault("", api.Dotted(api.PlaceOf(raw, nul)), `contains the character NUL (\u0000), which cannot be stored`)
		return e
	}
	k.fill(&e, split(e.Payload))
	return e
}

func split(event []byte) posted {
	var p posted
	for key, v := range api.Members(event) {
		if v[0] == 'n' {
			continue
		}
		switch string(key) {
		case "id":
			p.id = v
		case "type":
			p.typ = v
		case "occurred_at":
			p.occurredAt = v
		case "location":
			p.location = v
		case "community":
			p.community = v
		case "actor":
			p.actor = v
		case "question":
			p.question = v
		case "answer":
			p.answer = v
		case "comment":
			p.comment = v
		case "subject":
			p.subject = v
		case "data":
			p.data = v
		case "changes":
			p.changes = v
		}
	}
	return p
}

// fill checks the fields of all events, then those of its kind.
func (k *checker) fill(e *models.NewEvent, p posted) {
	if p.id == nil {
		e.EventID = uuid.Must(uuid.NewV7()).String()
	} else {
		e.EventID = k.name("id", p.id)
	}
	e.Type = k.text("", "type", p.typ)
	kind := k.kind(e.Type, p)
	e.OccurredAt = k.occurredAt(p.occurredAt)
	if e.Location = defaultLocation; p.location != nil {
		e.Location = k.slug("location", p.location)
	}
	e.Community = k.slug("community", p.community)
	k.user("actor", p.actor)
	e.Subject = k.subject(p.subject, kind)
	k.isObject("", "data", p.data)
	if p.changes != nil {
		k.texts("", "changes", p.changes, maxChanges)
	}
	if kind == kindPost {
		family, _, _ := strings.Cut(e.Type, ".")
		about := k.posts(p, family)
		e.Tags, e.Title, e.Subject = about.tags, about.title, about.subject
	} else {
		e.Tags, e.Title, e.Family = []string{}, titleOf(p.data, e.Subject), eventTypes.families[e.Type]
	}
	merges := kind == kindPost || e.Type == "user.updated" || e.Type == "team.updated"
	if merges && e.Subject != "" {
		e.MergeKey = e.Location + "/" + e.Type + "/" + e.Subject
	}
}

// kind finds the kind of an event. The type's name is not enough where one name
// stands for two kinds.
func (k *checker) kind(name string, p posted) Kind {
	if name == "" {
		k.require("", "type", p.typ)
		if p.typ != nil && p.typ[0] == '"' {
			k.fault("", "type", "must not be empty")
		}
		return kindUnknown
	}
	kind, fault := TypeKind(name)
	switch {
	case fault != "":
		k.fault("", "type", "%s", fault)
	case name != commentOfPost:
	case p.question != nil:
		return kindPost
	case p.data == nil:
		k.fault("", "question", "is required; a comment of a feedback forum needs data instead")
		return kindUnknown
	}
	return kind
}

// subject returns the id of the thing that an event is about; a post says its
// own.
func (k *checker) subject(v []byte, kind Kind) string {
	subject := k.name("subject", v)
	if kind != KindCRM && kind != KindCustom {
		return subject
	}
	if subject == "" {
		return "0"
	}
	n, err := strconv.ParseUint(subject, 10, 32)
	if err != nil || n > MaxSubject {
		k.fault("", "subject", "must be a decimal from 0 to %d, in quotes, for an event of this type", MaxSubject)
	}
	return strconv.FormatUint(n, 10)
}

// titleOf is the title of an event that is not about a post.
func titleOf(data []byte, subject string) string {
	title := subject
	rank := 0 // of the key that gave the title
	if len(data) == 0 || data[0] != '{' {
		return title
	}
	for key, v := range api.Members(data) {
		r := 0
		switch string(key) {
		case "display_name":
			r = 3
		case "header":
			r = 2
		case "name":
			r = 1
		}
		if r > rank && v[0] == '"' && len(v) > len(`""`) {
			title, rank = api.Unquote(v), r
		}
	}
	if utf8.RuneCountInString(title) > maxTitle {
		title = string([]rune(title)[:maxTitle])
	}
	return title
}

// occurredAt returns zero when there is none.
func (k *checker) occurredAt(v []byte) time.Time {
	if !k.isText("", "occurred_at", v) {
		return time.Time{}
	}
	// Parse is content with an hour of one digit and a decimal comma.
	s := api.Unquote(v)
	at, err := time.Parse(time.RFC3339, s)
	if err != nil || s[13] != ':' || strings.Contains(s, ",") {
		k.fault("", "occurred_at", "must be an RFC 3339 time, for example 2026-11-21T01:39:18.123Z")
		return time.Time{}
	}
	if at.Before(time.Unix(0, 0)) || at.After(k.now.Add(tomorrow)) {
		k.fault("", "occurred_at", "must be from 1970 to one day from now")
	}
	return at.UTC()
}

func (k *checker) slug(field string, v []byte) string {
	if !k.isText("", field, v) {
		return ""
	}
	s := api.Unquote(v)
	if s == "" || len(s) > maxSlug || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		k.fault("", field, "must be 1 to %d of the characters a-z, 0-9 and -", maxSlug)
	}
	return s
}
