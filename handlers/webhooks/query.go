package webhooks

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/charts"
	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// webhooksQuery is the query in the list's URL. The list leaves meaningless
// values out, without a word: its own links have none.
type webhooksQuery struct {
	Search   string     `form:"q"`
	Type     string     `form:"type" binding:"omitempty,webhook_type"`
	Team     string     `form:"team"`
	State    string     `form:"state" binding:"omitempty,webhook_state"`
	Owner    string     `form:"owner"`
	Tag      string     `form:"tag"`
	Activity string     `form:"activity" binding:"omitempty,activity"` // internal event type
	Sort     string     `form:"sort" binding:"omitempty,oneof=type team created health failed"`
	Dir      string     `form:"dir" binding:"omitempty,oneof=asc desc"`
	Per      web.Number `form:"per" binding:"omitempty,oneof=20 50 100 200"` // rows on a page
	After    string     `form:"after"`
	Before   string     `form:"before"`
}

// webhooksFilterNames are the names of what leaves webhooks out of the list.
var webhooksFilterNames = []string{"q", "type", "team", "state", "owner", "tag", "activity"}

// webhooksShown is how many webhooks a page lists, webhooksPer are all choices.
const webhooksShown = 50

var webhooksPer = []web.Number{20, webhooksShown, 100, 200}

func init() {
	rules.Add(map[string]func(value string) bool{
		"activity":     func(value string) bool { return coveredBy(value) != nil },
		"webhook_type": func(value string) bool { _, is := wire.Lookup(value); return is },
		"webhook_state": func(value string) bool {
			return slices.ContainsFunc(stateChoices(""), func(c web.Choice) bool { return c.Value == value })
		},
	})
}

// parseWebhooksQuery reads the list's query. Values that mean nothing are left
// out; faults say so, each in a sentence.
func parseWebhooksQuery(v url.Values) (q webhooksQuery, faults []string) {
	faults = rules.BindFilters(v, &q)
	q.Search, q.Tag = wording.Cut(q.Search, 200), wording.Cut(q.Tag, 200)
	if q.Sort == "" {
		q.Sort, q.Dir = "created", "desc"
	}
	q.Dir = cmp.Or(q.Dir, "asc")
	q.Per = cmp.Or(q.Per, webhooksShown)
	return q, faults
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

func (q webhooksQuery) desc() bool { return q.Dir == "desc" }

func (q webhooksQuery) models(within models.LocationSet, at models.Snapshot) models.WebhookQuery {
	m := models.WebhookQuery{
		Within: within,
		Search: q.Search, Type: q.Type, Location: q.Team, State: q.State, Owner: q.Owner, Tag: q.Tag,
		Sort: q.Sort, Desc: q.desc(), FailedSince: charts.WeekSince(at.Now), After: q.After, Before: q.Before, Limit: int(q.Per),
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
func (q webhooksQuery) href() string { return web.WithQuery(web.WebhooksPath, q.values()) }

func (q webhooksQuery) values() url.Values {
	v := q.filters()
	if q.Sort != "created" || !q.desc() {
		v.Set("sort", q.Sort)
		v.Set("dir", q.Dir)
	}
	if q.Per != webhooksShown {
		v.Set("per", web.FormatID(int64(q.Per)))
	}
	if q.After != "" {
		v.Set("after", q.After)
	}
	if q.Before != "" {
		v.Set("before", q.Before)
	}
	return v
}

// listField names the list's query in the address of what is done from there.
const listField = "list"

// listBehind is the address of the list from which a request came, as its query
// or form says.
func listBehind(c *gin.Context) string {
	v, err := url.ParseQuery(cmp.Or(c.PostForm(listField), c.Query(listField)))
	if err != nil {
		return web.WebhooksPath
	}
	q, _ := parseWebhooksQuery(v)
	return q.href()
}

// from is a path from which its form leads back to the list as it is.
func (q webhooksQuery) from(path string) string {
	if list := q.values().Encode(); list != "" {
		return web.WithQuery(path, url.Values{listField: {list}})
	}
	return path
}

// List is the list's query, for its form.
func (q webhooksQuery) List() string { return q.values().Encode() }

// columns are the heads that sort. A click on the present one turns it round.
func (q webhooksQuery) columns() []column {
	var list []column
	for _, head := range []struct{ sort, text string }{
		{"type", "Type"}, {"team", "Team Name"}, {"created", "Created on (UTC)"}, {"health", "Health"}, {"failed", "Failed in 7 days"},
	} {
		to, direction := q.at("", ""), ""
		to.Sort, to.Dir = head.sort, "asc"
		if q.Sort == head.sort {
			direction = q.Dir + "ending"
			if !q.desc() {
				to.Dir = "desc"
			}
		}
		list = append(list, column{head.text, to.href(), direction})
	}
	return list
}

// ByFailures tells a list in order of the failures of a week, which it then shows.
func (q webhooksQuery) ByFailures() bool { return q.Sort == "failed" }

// MostFailed is the address of this list with the webhooks first that failed most.
func (q webhooksQuery) MostFailed() string {
	to := q.at("", "")
	to.Sort, to.Dir = "failed", "desc"
	return to.href()
}

// sizes are the addresses of the list with another number of rows a page.
func (q webhooksQuery) sizes() []sizeLink {
	var list []sizeLink
	for _, n := range webhooksPer {
		to := q.at("", "")
		to.Per = n
		list = append(list, sizeLink{int(n), to.href(), n == q.Per})
	}
	return list
}

// chips are the filters in force, each with the address of the list without it.
func (q webhooksQuery) chips(choices map[string][]web.Choice) []web.FilterChip {
	var list []web.FilterChip
	for _, f := range []struct{ name, label, value string }{
		{"q", "Search", q.Search},
		{"type", "Type", q.Type},
		{"team", "Location", q.Team},
		{"state", "State", q.State},
		{"owner", "Owner", q.Owner},
		{"activity", "Activity", q.Activity},
		{"tag", "Tag", q.Tag},
	} {
		if f.value == "" {
			continue
		}
		chip := web.FilterChip{Name: f.label, Value: f.value, Without: web.Without(web.WebhooksPath, q.at("", "").values(), f.name)}
		for _, c := range choices[f.name] {
			if c.Value == f.value {
				chip.Value = c.Label
			}
		}
		list = append(list, chip)
	}
	return list
}
