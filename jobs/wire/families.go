package wire

import "slices"

// Family is the first part of event types, with the second parts that go with
// it: the family user has user.created and others.
type Family struct {
	Name   string
	Label  string   // of all of it, for people
	CRM    bool     // its events are of a CRM: a number for subject, names of changed fields
	Events []string // second parts
}

// crm adds to what every entity of a CRM has what only this one has.
func crm(name, label string, more ...string) Family {
	return Family{Name: name, Label: label, CRM: true, Events: append([]string{"created", "changed", "deleted"}, more...)}
}

// families are in the order in which forms show them.
var families = []Family{
	{Name: "question", Label: "Questions", Events: []string{"created", "edited"}},
	{Name: "answer", Label: "Answers", Events: []string{"created", "edited", "accepted"}},
	{Name: "user", Label: "Users", Events: []string{"created", "updated", "deleted"}},
	{Name: "team", Label: "Teams", Events: []string{"created", "updated", "deleted"}},
	{Name: "team_membership", Label: "Team memberships", Events: []string{"created", "deleted"}},
	{Name: "team_permission", Label: "Team permissions", Events: []string{"created", "deleted"}},
	{Name: "project_permission", Label: "Project permissions", Events: []string{"created", "deleted"}},
	{Name: "topic", Label: "Topics", Events: []string{"created", "accepted", "satisfaction_changed"}},
	{Name: "comment", Label: "Comments", Events: []string{"created", "accepted", "deleted"}},
	crm("activity", "Activities"),
	crm("appointment", "Appointments"),
	crm("associate", "Associates"),
	crm("contact", "Contacts", "softdeleted"),
	crm("document", "Documents", "edited"),
	crm("person", "Persons", "softdeleted", "consented", "unconsented"),
	crm("project", "Projects"),
	crm("projectmember", "Project members"),
	crm("relation", "Relations"),
	crm("sale", "Sales", "sold", "lost", "completed"),
	crm("salestakeholder", "Sale stakeholders"),
	crm("ticket", "Tickets"),
	crm("chatsession", "Chat sessions", "message"),
	crm("quote", "Quotes", "approved", "rejected", "sent", "ordered"),
}

// Families are those whose event names are listed. An event type whose first
// part is not among them is a custom one.
func Families() []Family { return slices.Clone(families) }

func family(name string) (Family, bool) {
	i := slices.IndexFunc(families, func(f Family) bool { return f.Name == name })
	if i < 0 {
		return Family{}, false
	}
	return families[i], true
}

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
