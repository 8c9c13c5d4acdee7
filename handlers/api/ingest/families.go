package ingest

import (
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// Kind says which parts of an event matter.
type Kind int

const (
	kindUnknown Kind = iota
	kindPost         // a question, an answer or a comment of the Q&A site
	kindData         // of another family: subject and data
	// KindCRM is the same, with a decimal subject and changes.
	KindCRM
	// KindCustom is of any other name, and otherwise as KindCRM.
	KindCustom
)

// commentOfPost is of the Q&A site when it names a question or a comment, and
// of a forum, with data, when it does not.
const commentOfPost = "comment.created"

// brokenEvent and silentEvent are reported by Sitehooks itself.
const (
	brokenEvent = "webhook.broken"
	silentEvent = "source.silent"
)

// listing is the families of wire, ready to be asked.
type listing struct {
	kinds map[string]Kind // by name; commentOfPost stands for the forum's
	// families are those of the types whose first part names another one or
	// none, by name of the type.
	families map[string]string
	events   map[string][]string // second parts, by first part
}

var eventTypes = func() listing {
	l := listing{map[string]Kind{}, map[string]string{}, map[string][]string{}}
	for _, f := range wire.Families() {
		for _, event := range f.Events {
			name := f.Type(event)
			first, second, _ := strings.Cut(name, ".")
			if !slices.Contains(l.events[first], second) {
				l.events[first] = append(l.events[first], second)
			}
			if f.Posts && name == commentOfPost {
				continue // the checker finds out which one it is
			}
			if l.kinds[name] = familyKind(f); f.Name != first {
				l.families[name] = f.Name
			}
		}
	}
	return l
}()

// familyKind is the kind of all events of a family.
func familyKind(f wire.Family) Kind {
	switch {
	case f.CRM:
		return KindCRM
	case f.Posts:
		return kindPost
	default:
		return kindData
	}
}

// TypeKind returns the kind of an event type, or a sentence about why there is
// none.
func TypeKind(name string) (k Kind, fault string) {
	if k = eventTypes.kinds[name]; k != kindUnknown {
		return k, ""
	}
	family, event, _ := strings.Cut(name, ".")
	switch {
	case name == brokenEvent, name == silentEvent:
		return kindUnknown, "is reserved: Sitehooks itself reports it"
	case eventTypes.events[family] != nil:
		return kindUnknown, "is an unknown event: " + family + " has " + andList(eventTypes.events[family])
	case len(name) > maxName || !isWord(family) || !isWord(event):
		return kindUnknown, "must have two parts joined by a dot, such as lead.scored; each starts with a letter and consists of a-z, 0-9 and _"
	}
	return KindCustom, ""
}

// andList lists words as a sentence does: a, b and c.
func andList(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}

// isWord accepts [a-z][a-z0-9_]*.
func isWord(s string) bool {
	for i, r := range s {
		if (r < 'a' || r > 'z') && (i == 0 || (r < '0' || r > '9') && r != '_') {
			return false
		}
	}
	return s != ""
}

// MetricType keeps the number of different labels limited.
func MetricType(name string) string {
	if eventTypes.kinds[name] == kindUnknown {
		return "custom"
	}
	return name
}
