package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

const (
	auditPath  = "/admin/audit"
	auditShown = 50
)

type auditPage struct {
	web.Page
	Filter   auditFilter
	Faults   []string
	People   []web.Choice
	Subjects []web.Choice
	Spans    []web.Choice
	Chips    []web.FilterChip
	Rows     []auditLine
	Older    string
	Newest   string
	Scanned  bool // Older goes on searching
	Filtered bool
}

// auditFilter is the filter bar as it is filled in, empty for any.
type auditFilter struct {
	Search string `form:"q"`
	Who    string `form:"who"`
	About  string `form:"about" binding:"omitempty,audit_subject"`
	Before string `form:"before" binding:"omitempty,number"` // where the page begins
	web.TimeFilter
}

func init() {
	rules.Add(map[string]func(value string) bool{"audit_subject": func(value string) bool {
		return slices.ContainsFunc(auditSubjects, func(one web.Choice) bool { return one.Value == value })
	}})
}

type auditLine struct {
	models.AuditEntry
	What string
}

// Audit shows the log of changes.
func (s *Pages) Audit(c *gin.Context) error {
	ctx := c.Request.Context()
	now, err := s.Store.Now(ctx)
	if err != nil {
		return err
	}
	values := c.Request.URL.Query()
	p := &auditPage{Page: web.Page{Title: "Audit log", Nav: "audit"}}
	var q models.AuditQuery
	q, p.Filter, p.Faults = parseAuditQuery(values, now)
	q.Within = s.Within(c)
	rows, next, err := s.Store.Audit.Search(ctx, q)
	if err != nil {
		return err
	}
	for _, row := range rows {
		p.Rows = append(p.Rows, auditLine{row, auditWords(row.Action)})
	}
	if next > 0 {
		p.Older, p.Scanned = web.OlderURL(auditPath, values, next), len(rows) < auditShown
	}
	if q.Before > 0 {
		p.Newest = web.OlderURL(auditPath, values, 0)
	}
	people, err := s.Store.Audit.People(ctx, q.Within)
	if err != nil {
		return err
	}
	if q.Who != "" && !slices.Contains(people, q.Who) {
		people = append(people, q.Who)
	}
	for _, name := range people {
		p.People = append(p.People, web.Choice{Value: name, Label: name, Chosen: name == q.Who})
	}
	for _, one := range auditSubjects {
		one.Chosen = one.Value == q.Subject
		p.Subjects = append(p.Subjects, one)
	}
	p.Spans = web.SpanChoices(p.Filter.TimeFilter)
	p.chips(values)
	return s.Render(c, http.StatusOK, "admin_audit", p)
}

// parseAuditQuery reads the filter from a URL. Long texts are cut. A value that
// means nothing does not filter; faults say so, each in a sentence.
func parseAuditQuery(v url.Values, now time.Time) (q models.AuditQuery, f auditFilter, faults []string) {
	faults = rules.BindFilters(v, &f)
	f.Search, f.Who = wording.Cut(f.Search, 300), wording.Cut(f.Who, 300)
	q = models.AuditQuery{Who: f.Who, Subject: f.About, Search: f.Search, Limit: auditShown}
	q.Before, _ = web.Positive(f.Before)
	q.From, q.To = f.Range(now)
	return q, f, faults
}

func (p *auditPage) chips(v url.Values) {
	add := func(name, label, value string) {
		p.Chips = append(p.Chips, web.FilterChip{Name: label, Value: value, Without: web.Without(auditPath, v, name)})
	}
	if p.Filter.Search != "" {
		add("q", "Search", p.Filter.Search)
	}
	for _, field := range []struct {
		name, label string
		choices     []web.Choice
	}{{"who", "Who", p.People}, {"about", "About", p.Subjects}, {"time", "Time", p.Spans}} {
		for _, one := range field.choices {
			if one.Chosen {
				add(field.name, field.label, one.Label)
			}
		}
	}
	p.Chips = append(p.Chips, web.TimeChips(auditPath, p.Filter.TimeFilter, v)...)
	p.Filtered = len(p.Chips) > 0
}

// auditSubjects are the kinds of things that actions change.
var auditSubjects = []web.Choice{
	{Value: "webhook", Label: "Webhooks", Chosen: false},
	{Value: "delivery", Label: "Deliveries", Chosen: false},
	{Value: "event", Label: "Events", Chosen: false},
	{Value: "setting", Label: "Site settings", Chosen: false},
	{Value: "source", Label: "Sources", Chosen: false},
	{Value: "location", Label: "Locations", Chosen: false},
	{Value: "community", Label: "Communities", Chosen: false},
	{Value: "tag", Label: "Tags", Chosen: false},
	{Value: "member", Label: "Members", Chosen: false},
	{Value: "token", Label: "API tokens", Chosen: false},
	{Value: "login", Label: "Log-ins", Chosen: false},
}

var auditActions = map[string]string{ //nolint:gosec // words about passwords and tokens, none of them
	"source.created": "Added a source", "source.saved": "Saved a source", "source.deleted": "Deleted a source",
	"source.revealed": "Revealed a source's secret",
	"webhook.created": "Created a webhook", "webhook.saved": "Saved a webhook", "webhook.paused": "Paused a webhook",
	"webhook.resumed": "Resumed a webhook", "webhook.broke": "A webhook broke", "webhook.deleted": "Deleted a webhook",
	"webhook.claimed": "Took over a webhook", "webhook.revealed": "Revealed a secret",
	"delivery.resent": "Resent", "delivery.sent": "Sent by hand", "delivery.send_ended": "Stopped sending by hand", "dispatch.retried": "Dispatched again", "event.erased": "Erased content", "setting.changed": "Changed a site setting",
	"location.created": "Added a location", "location.renamed": "Renamed a location",
	"location.described": "Described a location", "community.renamed": "Renamed a community", "community.described": "Described a community",
	"location.removed": "Removed a location", "community.removed": "Removed a community", "tag.removed": "Removed a tag",
	"location.kind": "Changed a location's kind", "location.hidden": "Hid a location", "location.shown": "Showed a location again",
	"community.created": "Added a community", "community.hidden": "Hid a community", "community.shown": "Showed a community again",
	"tag.hidden": "Hid a tag", "tag.shown": "Showed a tag again",
	"member.added": "Added a member", "member.role": "Changed a role", "member.limited": "Changed a member's locations", "member.password": "Set a password",
	"login.password": "Logged in", "login.link": "Logged in by a link", "login.oidc": "Logged in by single sign-on", "login.ended": "Logged out",
	"login.refused":   "Logins refused",
	"login.ended_all": "Logged out everywhere", "member.disabled": "Disabled a member", "member.enabled": "Enabled a member",
	"member.removed": "Removed a member", "token.created": "Created an API token", "token.revoked": "Revoked an API token",
}

// auditWords is an action in words, also of one that only a newer release knows.
func auditWords(action string) string {
	if words, ok := auditActions[action]; ok {
		return words
	}
	return web.Capitalized(strings.NewReplacer(".", " ", "_", " ").Replace(action))
}
