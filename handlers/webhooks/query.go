package webhooks

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// webhooksQuery is the query in the list's URL. Meaningless values are left
// out.
type webhooksQuery struct {
	Search, Type, Team, State, Owner, Tag string
	Activity                              string // internal event type
	Sort                                  string // type, team, created or health
	Desc                                  bool
	Per                                   int // rows on a page
	After, Before                         string
}

// webhooksShown is how many webhooks a page lists, webhooksPer are the other
// choices.
const webhooksShown = 50

var (
	webhooksPer   = []int{20, webhooksShown, 100, 200}
	webhooksSorts = []string{"type", "team", "created", "health"}
)

func parseWebhooksQuery(v url.Values) webhooksQuery {
	q := webhooksQuery{
		Search: web.Cut(strings.TrimSpace(v.Get("q")), 200), Team: v.Get("team"), Owner: v.Get("owner"),
		Tag: web.Cut(strings.TrimSpace(v.Get("tag")), 200), Sort: "created", Desc: true, Per: webhooksShown,
		After: v.Get("after"), Before: v.Get("before"),
	}
	if _, ok := wire.Lookup(v.Get("type")); ok {
		q.Type = v.Get("type")
	}
	if state := v.Get("state"); slices.ContainsFunc(stateChoices(""), func(c web.Choice) bool { return c.Value == state }) {
		q.State = state
	}
	if activity := v.Get("activity"); coveredBy(activity) != nil {
		q.Activity = activity
	}
	if sort := v.Get("sort"); slices.Contains(webhooksSorts, sort) {
		q.Sort, q.Desc = sort, v.Get("dir") == "desc"
	}
	if n, err := strconv.Atoi(v.Get("per")); err == nil && slices.Contains(webhooksPer, n) {
		q.Per = n
	}
	return q
}

// coveredBy are the option values that cover an internal event type, by type
// of webhook; nil: none does.
func coveredBy(eventType string) map[string][]string {
	var values map[string][]string
	add := func(f *wire.Format, o wire.Option) {
		if values == nil {
			values = map[string][]string{}
		}
		values[f.Name] = append(values[f.Name], o.Value)
	}
	for _, f := range wire.Formats() {
		for _, o := range f.Options {
			if slices.Contains(o.Types(), eventType) {
				add(f, o)
			}
		}
		if f.Custom == nil || values[f.Name] != nil {
			continue
		}
		if o, err := f.Custom.Make(eventType); err == nil && slices.Contains(o.Types(), eventType) {
			add(f, o)
		}
	}
	return values
}

// Filtered tells whether anything narrows the list.
func (q webhooksQuery) Filtered() bool { return len(q.filters()) > 0 }

// Hidden tells whether one of the filters behind More filters is in force.
func (q webhooksQuery) Hidden() bool { return q.Activity != "" || q.Tag != "" }

func (q webhooksQuery) filters() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{
		"q": q.Search, "type": q.Type, "team": q.Team, "state": q.State, "owner": q.Owner, "tag": q.Tag, "activity": q.Activity,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// Dir is the direction as the URL has it.
func (q webhooksQuery) Dir() string {
	if q.Desc {
		return "desc"
	}
	return "asc"
}

func (q webhooksQuery) models(at models.Standing) models.WebhookQuery {
	m := models.WebhookQuery{
		Search: q.Search, Type: q.Type, Location: q.Team, State: q.State, Owner: q.Owner, Tag: q.Tag,
		Sort: q.Sort, Desc: q.Desc, After: q.After, Before: q.Before, Limit: q.Per,
		Brief: true, At: at,
	}
	if q.Activity != "" {
		m.Activities = coveredBy(q.Activity)
	}
	return m
}

// at is the query for the page that begins beyond a row.
func (q webhooksQuery) at(after, before string) webhooksQuery {
	q.After, q.Before = after, before
	return q
}

// href is the address of the list for this query.
func (q webhooksQuery) href() string {
	v := q.filters()
	if q.Sort != "created" || !q.Desc {
		v.Set("sort", q.Sort)
		v.Set("dir", q.Dir())
	}
	if q.Per != webhooksShown {
		v.Set("per", strconv.Itoa(q.Per))
	}
	if q.After != "" {
		v.Set("after", q.After)
	}
	if q.Before != "" {
		v.Set("before", q.Before)
	}
	if len(v) == 0 {
		return web.WebhooksPath
	}
	return web.WebhooksPath + "?" + v.Encode()
}

// columns are the heads that sort. A click on the present one turns it round.
func (q webhooksQuery) columns() []column {
	var list []column
	for _, head := range []struct{ sort, text string }{
		{"type", "Type"}, {"team", "Team Name"}, {"created", "Created on (UTC)"}, {"health", "Health"},
	} {
		to, direction := q.at("", ""), ""
		to.Sort, to.Desc = head.sort, false
		if q.Sort == head.sort {
			to.Desc, direction = !q.Desc, q.Dir()+"ending"
		}
		list = append(list, column{head.text, to.href(), direction})
	}
	return list
}

// sizes are the addresses of the list with another number of rows a page.
func (q webhooksQuery) sizes() []sizeLink {
	var list []sizeLink
	for _, n := range webhooksPer {
		to := q.at("", "")
		to.Per = n
		list = append(list, sizeLink{n, to.href(), n == q.Per})
	}
	return list
}

// chips are the filters in force, each with the address of the list without it.
func (q webhooksQuery) chips(choices map[string][]web.Choice) []web.FilterChip {
	var list []web.FilterChip
	for _, f := range []struct{ name, label, value string }{
		{"q", "Search", q.Search},
		{"type", "Type", q.Type},
		{"team", "Team", q.Team},
		{"state", "State", q.State},
		{"owner", "Owner", q.Owner},
		{"activity", "Activity", q.Activity},
		{"tag", "Tag", q.Tag},
	} {
		if f.value == "" {
			continue
		}
		without := q.at("", "").without(f.name)
		chip := web.FilterChip{Name: f.label, Value: f.value, Without: without.href()}
		for _, c := range choices[f.name] {
			if c.Value == f.value {
				chip.Value = c.Label
			}
		}
		list = append(list, chip)
	}
	return list
}

func (q webhooksQuery) without(name string) webhooksQuery {
	switch name {
	case "q":
		q.Search = ""
	case "type":
		q.Type = ""
	case "team":
		q.Team = ""
	case "state":
		q.State = ""
	case "owner":
		q.Owner = ""
	case "activity":
		q.Activity = ""
	case "tag":
		q.Tag = ""
	}
	return q
}
