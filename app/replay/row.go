package replay

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is a post as the dump has it.
type row struct {
	kind                         string // PostTypeId
	id, parent, accepted, score  int64
	created, edited              time.Time // edited: zero if never
	owner, editor                int64     // -1: the community user
	ownerName, title, body, tags string
}

// complete tells whether the row can become an event.
func (r row) complete() bool {
	if r.kind == "2" && r.parent == 0 {
		return false
	}
	return r.id > 0 && !r.created.IsZero() && (r.kind == "2" || strings.TrimSpace(r.title) != "")
}

func parseRow(element xml.StartElement) row {
	r := row{owner: -1, editor: -1}
	number := func(s string, otherwise int64) int64 {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
		return otherwise
	}
	for _, a := range element.Attr {
		switch a.Name.Local {
		case "Id":
			r.id = number(a.Value, 0)
		case "PostTypeId":
			r.kind = a.Value
		case "ParentId":
			r.parent = number(a.Value, 0)
		case "AcceptedAnswerId":
			r.accepted = number(a.Value, 0)
		case "Score":
			r.score = number(a.Value, 0)
		case "CreationDate":
			r.created = dumpTime(a.Value)
		case "LastEditDate":
			r.edited = dumpTime(a.Value)
		case "OwnerUserId":
			r.owner = number(a.Value, -1)
		case "LastEditorUserId":
			r.editor = number(a.Value, -1)
		case "OwnerDisplayName":
			r.ownerName = a.Value
		case "Title":
			r.title = a.Value
		case "Body":
			r.body = a.Value
		case "Tags":
			r.tags = a.Value
		}
	}
	return r
}

// dumpTime reads a time of the dump, which is UTC without saying so; zero
// for anything else.
func dumpTime(s string) time.Time {
	t, err := time.Parse("2006-01-02T15:04:05.999999999", s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// tagList takes <a><b> and, as newer dumps have it, |a|b|.
func (r row) tagList() []string {
	tags := strings.FieldsFunc(strings.ToLower(r.tags), func(c rune) bool { return c == '<' || c == '>' || c == '|' })
	if tags == nil {
		return []string{}
	}
	return tags
}

func (r row) hasOneOf(tags []string) bool {
	return len(tags) == 0 || slices.ContainsFunc(r.tagList(), func(tag string) bool { return slices.Contains(tags, tag) })
}
