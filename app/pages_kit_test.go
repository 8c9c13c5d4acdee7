package app_test

import (
	"net/url"
	"strconv"
	"strings"
)

// benchPage is a page that is measured.
type benchPage struct {
	name, path string
	form       url.Values // posted; nil: the page is read
}

// benchPages are all pages with their filters, in a database filled so far.
func benchPages(rows int) []benchPage {
	n := strconv.Itoa
	list := []benchPage{
		{name: "webhooks", path: "/admin/webhooks"},
		{name: "webhook", path: "/admin/webhooks/1"},
		{name: "webhook-edit", path: "/admin/webhooks/1/edit"},
		{name: "delivery", path: "/admin/deliveries/msg_big" + n(rows)},
		{name: "trigger", path: "/admin/trigger-history/" + n(rows)},
		{name: "trigger/asked", path: "/admin/trigger-history/" + n(rows) + "?webhook=100"},
		{name: "resend/failed", path: "/admin/deliveries/resend?state=failed"},
		{name: "resend/all", path: "/admin/deliveries/resend"},
		{name: "resend/unindexed", path: "/admin/deliveries/resend?code=4xx"},
		{name: "locations", path: "/admin/locations"},
		{name: "members", path: "/admin/members"},
		{name: "tokens", path: "/admin/tokens"},
		{name: "audit", path: "/admin/audit"},
		{name: "audit/filtered", path: "/admin/audit?q=nothing+like+it"},
		{name: "site-settings", path: "/developer/site-settings"},
		{name: "site-setting", path: "/developer/site-settings/edit?name=Webhooks.DispatchDelay"},
		{name: "system", path: "/admin/system"},
		{name: "metrics", path: "/metrics"},
	}
	for _, group := range []struct {
		name, path string
		queries    []string
	}{
		{"webhooks", "/admin/webhooks", []string{
			"sort=type", "sort=team", "sort=team&dir=desc", "sort=created&dir=asc", "sort=health", "sort=health&dir=desc",
			"type=slack", "team=team-3", "state=broken", "state=failing", "owner=7", "tag=tag-7", "activity=topic.created", "q=webhook+77", "q=nothing+like+it", "per=200",
		}},
		{"deliveries", "/admin/deliveries", []string{
			"", "webhook=1", "webhook=100", "state=failed", "state=delivered", "state=held", "state=waiting", "webhook=1&state=failed",
			"time=1h", "time=24h", "webhook=1&time=24h", "before=51", "webhook=1&before=" + n(rows/2),
			"code=5xx", "code=4xx", "error=timeout", "type=question.created", "type=team.created", "webhook=1&state=dropped", "webhook=1&code=4xx", "state=delivered&code=4xx",
		}},
		{"triggers", "/admin/trigger-history", []string{
			"", "location=main", "location=team-3", "time=1h", "time=24h", "location=team-3&time=7d", "before=51", "location=main&before=" + n(rows/2),
			"type=question.created", "type=team.created", "tag=tag-7", "tag=none", "q=big-" + n(rows/2), "q=question+77", "q=77", "q=%2Fquestions%2F77%2F", "q=nothing+like+it", "location=team-3&q=nothing+like+it",
		}},
	} {
		for _, query := range group.queries {
			list = append(list, benchPage{name: strings.TrimSuffix(group.name+"/"+query, "/"), path: group.path + "?" + query})
		}
	}
	preview := webhookForm("http://127.0.0.1:9/hook")
	preview.Set("do", "preview")
	return append(list, benchPage{"preview", "/admin/webhooks/new?type=generic", preview})
}

func (b *browser) ask(page benchPage) answer {
	b.t.Helper()
	if page.form != nil {
		return b.post(page.path, page.form)
	}
	return b.get(page.path)
}
