package apptest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Page is a page that is measured.
type Page struct {
	Name, Path string
	form       url.Values // posted; nil: the page is read
}

// Groups are the areas whose pages look into the history, or over all webhooks,
// and which every member may see.
var Groups = []string{"overview", "search", "webhooks", "deliveries", "triggers"}

// Group is the area of a page, one of Groups or OtherPages.
func (p Page) Group() string {
	group, _, _ := strings.Cut(p.Name, "/")
	if slices.Contains(Groups, group) {
		return group
	}
	return OtherPages
}

// OtherPages are those in none of the Groups.
const OtherPages = "other pages"

// LimitedPages are the pages of Groups for a member limited to teams: those of
// the trigger history of one webhook of the main site are not there.
func LimitedPages(rows int) []Page {
	return slices.DeleteFunc(Pages(rows), func(p Page) bool { return p.Group() == OtherPages || strings.HasPrefix(p.Name, "triggers/webhook=") })
}

// Pages are all pages with their filters, in a database filled so far.
func Pages(rows int) []Page {
	n := strconv.Itoa
	list := []Page{
		{Name: "overview", Path: "/admin"},
		{Name: "search/event", Path: "/admin/search?q=big-" + n(rows/2)},
		{Name: "search/delivery", Path: "/admin/search?q=msg_big" + n(rows/2)},
		{Name: "search/question", Path: "/admin/search?q=https%3A%2F%2Fsite.example%2Fquestions%2F77%2Fx"},
		{Name: "search/webhook", Path: "/admin/search?q=webhook+7"},
		{Name: "search/nothing", Path: "/admin/search?q=nothing+like+it"},
		{Name: "webhooks", Path: "/admin/webhooks"},
		{Name: "webhook", Path: "/admin/webhooks/1"},
		{Name: "webhook-edit", Path: "/admin/webhooks/1/edit"},
		{Name: "delivery", Path: "/admin/deliveries/msg_big" + n(rows)},
		{Name: "trigger", Path: "/admin/trigger-history/" + n(rows)},
		{Name: "trigger/asked", Path: "/admin/trigger-history/" + n(rows) + "?webhook=100"},
		{Name: "resend/failed", Path: "/admin/deliveries/resend?state=failed"},
		{Name: "resend/all", Path: "/admin/deliveries/resend"},
		{Name: "resend/unindexed", Path: "/admin/deliveries/resend?code=4xx"},
		{Name: "locations", Path: "/admin/locations"},
		{Name: "members", Path: "/admin/members"},
		{Name: "tokens", Path: "/admin/tokens"},
		{Name: "audit", Path: "/admin/audit"},
		{Name: "audit/filtered", Path: "/admin/audit?q=nothing+like+it"},
		{Name: "site-settings", Path: "/developer/site-settings"},
		{Name: "site-setting", Path: "/developer/site-settings/edit?name=Webhooks.DispatchDelay"},
		{Name: "system", Path: "/admin/system"},
		{Name: "metrics", Path: "/metrics"},
	}
	for _, group := range []struct {
		name, path string
		queries    []string
	}{
		{"webhooks", "/admin/webhooks", []string{
			"sort=type", "sort=team", "sort=team&dir=desc", "sort=created&dir=asc", "sort=health", "sort=health&dir=desc", "sort=failed&dir=desc", "sort=failed",
			"type=slack", "team=team-3", "state=broken", "state=failing", "owner=7", "tag=tag-7", "activity=topic.created", "q=webhook+77", "q=nothing+like+it", "per=200",
		}},
		{"deliveries", "/admin/deliveries", []string{
			"", "webhook=1", "webhook=100", "state=failed", "state=delivered", "state=held", "state=waiting", "webhook=1&state=failed",
			"time=1h", "time=24h", "webhook=1&time=24h", "before=51", "webhook=1&before=" + n(rows/2),
			"code=5xx", "code=4xx", "error=timeout", "type=question.created", "type=team.created", "webhook=1&state=dropped", "webhook=1&code=4xx", "state=delivered&code=4xx",
			"location=team-3", "location=main", "location=team-3&state=failed", "location=team-3&code=4xx", "id=msg_big" + n(rows/2), "time=yesterday",
			"state=tried", "state=tried&time=24h", "webhook=1&state=tried", "state=delivered&time=24h", "webhook=Hot+webhook+1",
		}},
		{"triggers", "/admin/trigger-history", []string{
			"", "location=main", "location=team-3", "time=1h", "time=24h", "location=team-3&time=7d", "before=51", "location=main&before=" + n(rows/2),
			"type=question.created", "type=team.created", "tag=tag-7", "tag=none", "q=big-" + n(rows/2), "q=question+77", "q=77", "q=%2Fquestions%2F77%2F", "q=nothing+like+it", "location=team-3&q=nothing+like+it",
			"webhook=1", "webhook=100", "webhook=1&matched=none", "webhook=100&matched=any", "matched=some", "matched=none", "location=team-3&matched=none",
		}},
	} {
		for _, query := range group.queries {
			list = append(list, Page{Name: strings.TrimSuffix(group.name+"/"+query, "/"), Path: group.path + "?" + query})
		}
	}
	preview := WebhookForm("http://127.0.0.1:9/hook")
	preview.Set("do", "preview")
	return append(list, Page{"preview", "/admin/webhooks/new?type=generic", preview})
}

// Answered tells whether a page came; a search may lead to its only hit.
func (p Page) Answered(a Answer) bool {
	return a.Code == http.StatusOK || a.Code == http.StatusSeeOther && strings.HasPrefix(p.Name, "search/")
}

// Ask reads a page, or posts its form.
func (b *Browser) Ask(page Page) Answer {
	b.T.Helper()
	if page.form != nil {
		return b.Post(page.Path, page.form)
	}
	return b.Get(page.Path)
}
