package wire

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Family is a set of event types that are about the same kind of thing and
// come from the same kind of system: the family user has user.created and
// others.
type Family struct {
	// Name is unique. It is also the first part of the event types' names, but
	// for a family that shares them with another one: see First.
	Name string
	// First is the first part of the event types' names; empty: Name.
	First  string
	Label  string   // of all of it, for people
	System string   // that reports it, for people
	Posts  bool     // its events are about posts of a Q&A site, which have tags
	CRM    bool     // its events are of a CRM: a number for subject, names of changed fields
	Own    bool     // Sitehooks itself reports it, in no community
	Events []string // second parts of the event types' names
}

// EventKind is an event type with its family, because two families may have a
// type of the same name: a Q&A site and a feedback forum both report
// comment.created. It is the same type as in models.
type EventKind = struct{ Family, Type string }

// Type is the whole name of one of the family's event types.
func (f Family) Type(event string) string { return cmp.Or(f.First, f.Name) + "." + event }

func (f Family) kind(event string) EventKind { return EventKind{f.Name, f.Type(event)} }

// The systems that report events.
const (
	qaSite   = "a Q&A site"
	identity = "an identity provider"
	forum    = "a feedback forum"
	crm      = "a CRM"
)

// crmFamily adds an entity's own activities to those of every entity of a CRM.
func crmFamily(name, label string, more ...string) Family {
	return Family{Name: name, Label: label, System: crm, CRM: true, Events: append([]string{"created", "changed", "deleted"}, more...)}
}

// sitehooks is the system that reports its own events. A site cannot report them.
const sitehooks = "Sitehooks"

// ownFamilies are Sitehooks' own events.
var ownFamilies = []Family{
	{Name: "webhook", Label: groupOwn, System: sitehooks, Own: true, Events: []string{"broken"}},
	{Name: "source", Label: groupOwn, System: sitehooks, Own: true, Events: []string{"silent"}},
}

// families are in the order in which forms show them.
var families = []Family{
	{Name: "question", Label: "Questions", System: qaSite, Posts: true, Events: []string{"created", "edited"}},
	{Name: "answer", Label: "Answers", System: qaSite, Posts: true, Events: []string{"created", "edited", "accepted"}},
	{Name: "comment", Label: "Comments", System: qaSite, Posts: true, Events: []string{"created"}},
	{Name: "user", Label: "Users", System: identity, Events: []string{"created", "updated", "deleted"}},
	{Name: "team", Label: "Teams", System: identity, Events: []string{"created", "updated", "deleted"}},
	{Name: "team_membership", Label: "Team memberships", System: identity, Events: []string{"created", "deleted"}},
	{Name: "team_permission", Label: "Team permissions", System: identity, Events: []string{"created", "deleted"}},
	{Name: "project_permission", Label: "Project permissions", System: identity, Events: []string{"created", "deleted"}},
	{Name: "topic", Label: "Topics", System: forum, Events: []string{"created", "accepted", "satisfaction_changed"}},
	{Name: "forum-comment", First: "comment", Label: "Comments", System: forum, Events: []string{"created", "accepted", "deleted"}},
	crmFamily("activity", "Activities"),
	crmFamily("appointment", "Appointments"),
	crmFamily("associate", "Associates"),
	crmFamily("contact", "Contacts", "softdeleted"),
	crmFamily("document", "Documents", "edited"),
	crmFamily("person", "Persons", "softdeleted", "consented", "unconsented"),
	crmFamily("project", "Projects"),
	crmFamily("projectmember", "Project members"),
	crmFamily("relation", "Relations"),
	crmFamily("sale", "Sales", "sold", "lost", "completed"),
	crmFamily("salestakeholder", "Sale stakeholders"),
	crmFamily("ticket", "Tickets"),
	crmFamily("chatsession", "Chat sessions", "message"),
	crmFamily("quote", "Quotes", "approved", "rejected", "sent", "ordered"),
}

// Families are those whose event names are listed. An event type whose first
// part is not among them is a custom one.
func Families() []Family { return slices.Clone(families) }

// family finds a family by its name.
func family(name string) (Family, bool) {
	i := slices.IndexFunc(families, func(f Family) bool { return f.Name == name })
	if i < 0 {
		return Family{}, false
	}
	return families[i], true
}

// FamilyOf finds the family that lists the kind; the zero Family: none does,
// the kind is a custom one.
func FamilyOf(k EventKind) Family {
	for _, f := range append(Families(), ownFamilies...) {
		if f.Name == k.Family && slices.ContainsFunc(f.Events, func(event string) bool { return f.Type(event) == k.Type }) {
			return f
		}
	}
	return Family{}
}

var eventName = regexp.MustCompile(`^([a-z][a-z0-9_]*)\.[a-z][a-z0-9_]*$`)

// EventFamily is the first part of an event type's name; false: it is not one,
// which has two parts joined by a dot, of a to z, 0 to 9 and _, and at most 128
// characters.
func EventFamily(eventType string) (first string, ok bool) {
	parts := eventName.FindStringSubmatch(eventType)
	if parts == nil || len(eventType) > 128 {
		return "", false
	}
	return parts[1], true
}

// KindOf is the kind of an event type that only one family has. Of
// comment.created it is the kind that a Q&A site reports.
func KindOf(eventType string) EventKind {
	first, _, _ := strings.Cut(eventType, ".")
	return EventKind{first, eventType}
}

// System is the words for the system that reports events of the kind: a Q&A
// site; empty for a custom kind.
func System(k EventKind) string { return FamilyOf(k).System }

// crmFamilies are the names of the CRM's entities.
func crmFamilies() []string {
	var names []string
	for _, f := range families {
		if f.CRM {
			names = append(names, f.Name)
		}
	}
	return names
}
