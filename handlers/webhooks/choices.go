package webhooks

import (
	"net/url"
	"slices"
	"strconv"
	"sync"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// column is the head of a column that sorts.
type column struct {
	Text, Href, Sort string // Sort: the aria-sort; empty when sorted by another
}

// sizeLink leads to the list with that many rows a page.
type sizeLink struct {
	Rows   int
	Href   string
	Chosen bool
}

// createLink leads to the form for a new webhook of a type.
type createLink struct {
	Label, Href string
	Filled, Off bool
}

// createLinks are the types that a webhook can be made of: the first two as
// buttons, the others in a menu.
func createLinks(featureOn bool) (buttons, others []createLink) {
	const most = 2
	for i, f := range wire.Formats() {
		link := createLink{
			Label: "Create a " + f.Label + " Webhook", Href: "/admin/webhooks/new?type=" + url.QueryEscape(f.Name),
			Off: f.NeedsFeature && !featureOn,
		}
		if i < most {
			buttons = append(buttons, link)
		} else {
			others = append(others, link)
		}
	}
	if len(buttons) > 0 {
		buttons[len(buttons)-1].Filled = true
	}
	return buttons, others
}

func typeChoices(chosen string) []web.Choice {
	var list []web.Choice
	for _, f := range wire.Formats() {
		list = append(list, web.Choice{Value: f.Name, Label: f.Label, Chosen: f.Name == chosen})
	}
	return list
}

func stateChoices(chosen string) []web.Choice {
	list := []web.Choice{
		{Value: models.WebhookActive, Label: "Active"},
		{Value: models.WebhookFailing, Label: "Failing"},
		{Value: models.WebhookStopped, Label: "Paused"},
		{Value: models.WebhookBroken, Label: "Broken"},
	}
	for i := range list {
		list[i].Chosen = list[i].Value == chosen
	}
	return list
}

func ownerChoices(owners []models.Owner, me int64, chosen string) []web.Choice {
	list := []web.Choice{{Value: strconv.FormatInt(me, 10), Label: "Mine"}, {Value: "0", Label: "No owner"}}
	for _, o := range owners {
		if o.OwnerID != me && o.OwnerID != 0 {
			list = append(list, web.Choice{Value: strconv.FormatInt(o.OwnerID, 10), Label: o.OwnerName})
		}
	}
	for i := range list {
		list[i].Chosen = list[i].Value == chosen
	}
	return list
}

// activityChoices are all activities that some type can be asked for, by the
// words of the first type that has them.
func activityChoices(chosen string) []web.ChoiceGroup {
	groups := activityGroups()
	if chosen == "" {
		return groups
	}
	groups = slices.Clone(groups)
	for i, g := range groups {
		groups[i].Choices = slices.Clone(g.Choices)
		for j := range g.Choices {
			groups[i].Choices[j].Chosen = g.Choices[j].Value == chosen
		}
	}
	return groups
}

// activityGroups are built once: there are many, and they never change.
var activityGroups = sync.OnceValue(func() []web.ChoiceGroup {
	var groups []web.ChoiceGroup
	at, seen := map[string]int{}, map[string]bool{}
	for _, f := range wire.Formats() {
		for _, o := range f.Options {
			types := o.Types()
			if len(types) != 1 || seen[types[0]] {
				continue
			}
			label := o.Group
			if label == "" {
				label = "Questions and answers"
			}
			i, ok := at[label]
			if !ok {
				i = len(groups)
				at[label], groups = i, append(groups, web.ChoiceGroup{Label: label})
			}
			seen[types[0]] = true
			groups[i].Choices = append(groups[i].Choices, web.Choice{Value: types[0], Label: o.Label})
		}
	}
	return groups
})
