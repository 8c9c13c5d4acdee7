package webhooks_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestListOfNothing(t *testing.T) {
	c := webtest.NewConsole(t)
	a := c.Get("/admin/webhooks").Want(http.StatusOK)
	if a.Text("h1") != "Manage webhooks" || !strings.Contains(a.Text("main"), "Control all webhooks across the site.") {
		t.Errorf("the page says %q", a.Text("main"))
	}
	if !strings.Contains(a.Text("main"), "Showing 0 of 0 webhooks") || !strings.Contains(a.Text(".empty"), "No event arrived in the last 7 days.") {
		t.Errorf("the page says %q", a.Text("main"))
	}
	c.AddEvent(1, "answer.accepted", "")
	if got := c.Get("/admin/webhooks").Text(".empty"); !strings.Contains(got, "Events are arriving: 1 in the last 7 days.") {
		t.Errorf("the page says %q", got)
	}
	if link := a.Find(".s-page-title a[href='/admin/webhooks/new?type=generic']"); webtest.Words(link) != "Create a Generic Webhook" {
		t.Errorf("the button says %q", link.Text())
	}
}

func TestList(t *testing.T) {
	c := webtest.NewConsole(t)
	c.AddWebhook(nil)
	c.AddWebhook(func(in *models.WebhookInput) {
		in.Name, in.Location = `<script>alert("x")</script>`, "python-wranglers"
	})
	a := c.Get("/admin/webhooks").Want(http.StatusOK)
	if !strings.Contains(a.Text("main"), "Showing 2 of 2 webhooks") || strings.Contains(a.Text("main"), "match)") {
		t.Errorf("the page says %q", a.Text("main"))
	}
	var heads []string
	a.Find("thead th").Each(func(_ int, th *goquery.Selection) { heads = append(heads, strings.TrimSpace(th.Text())) })
	if got := strings.Join(heads, "|"); got != "Select|Type|Team Name|Description|Owner|Created on (UTC)|Health|Last 24 h|Actions" {
		t.Errorf("columns %s", got)
	}
	if strings.Contains(a.Body, "<script>alert") || strings.Contains(a.Body, "query-secret") {
		t.Error("a name is not escaped, or the URL's query is shown")
	}
	first := a.Find("tbody tr").First()
	if got := strings.TrimSpace(first.Find("td[data-l='Team Name']").Text()); got != "Python wranglers" {
		t.Errorf("the newest is of %q", got)
	}
	want := time.Now().UTC().Format("Jan 2, 2006 at 15:")
	if got := strings.Join(strings.Fields(first.Find("td[data-l=Created]").Text()), " "); !strings.HasPrefix(got, want) {
		t.Errorf("created %q, want %q…", got, want)
	}
}

func TestListIsAskedByItsURL(t *testing.T) {
	c := webtest.NewConsole(t)
	c.AddWebhook(func(in *models.WebhookInput) { in.Name = "Alpha"; in.Location = "python-wranglers" })
	b := c.AddWebhook(func(in *models.WebhookInput) {
		in.Name = "Beta"
		in.URLShown = "https://hooks.devcentral.com/x"
	})
	c.AddWebhook(func(in *models.WebhookInput) { in.Name = "Gamma 100%" })
	webtest.OK(t, c.Store.Webhooks.Pause(t.Context(), c.Admin.Actor(), b.ID))
	for query, want := range map[string]string{
		"":                         "Gamma 100% Beta Alpha",
		"?q=alph":                  "Alpha",
		"?q=DEVCENTRAL":            "Beta",
		"?q=100%25":                "Gamma 100%",
		"?q=_":                     "",
		"?state=stopped":           "Beta",
		"?state=nonsense":          "Gamma 100% Beta Alpha",
		"?team=python-wranglers":   "Alpha",
		"?type=generic&q=beta":     "Beta",
		"?type=carrier-pigeon":     "Gamma 100% Beta Alpha",
		"?sort=created&dir=asc":    "Alpha Beta Gamma 100%",
		"?sort=team&dir=desc":      "Alpha Gamma 100% Beta",
		"?sort=name%27--&dir=desc": "Gamma 100% Beta Alpha",
		"?after=nonsense":          "Gamma 100% Beta Alpha",
		"?state=failing":           "",
		"?owner=0":                 "",
		"?owner=1":                 "Gamma 100% Beta Alpha",
		"?activity=answer.created": "",
		"?activity=pigeon":         "Gamma 100% Beta Alpha",
		"?tag=python":              "",
	} {
		page := c.Get("/admin/webhooks" + query).Want(http.StatusOK)
		var names []string
		page.Find("td.o1 a").Each(func(_ int, link *goquery.Selection) { names = append(names, link.Text()) })
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s lists %q, want %q", query, got, want)
		}
		if strings.HasPrefix(query, "?q=alph") && !strings.Contains(page.Text("main"), "Showing 1 of 3 webhooks (1 matches)") {
			t.Errorf("%s says %q", query, page.Text(".table-bar"))
		}
	}
	sorted := c.Get("/admin/webhooks?sort=team&dir=asc&q=a")
	if got := sorted.Find("th[aria-sort]"); got.AttrOr("aria-sort", "") != "ascending" || got.Find("a").AttrOr("href", "") != "/admin/webhooks?dir=desc&q=a&sort=team" {
		t.Errorf("sorted by %q, leads to %q", got.AttrOr("aria-sort", ""), got.Find("a").AttrOr("href", ""))
	}
}

func TestListInPages(t *testing.T) {
	c := webtest.NewConsole(t)
	for range webhooks.WebhooksShown + 1 {
		c.AddWebhook(nil)
	}
	first := c.Get("/admin/webhooks?q=python")
	if !strings.Contains(first.Text("main"), "Showing 50 of 51 webhooks (51 match)") || first.Text(".s-pagination") != "Next Rows per page: 20 50 100 200" {
		t.Errorf("the page says %q", first.Text(".table-bar"))
	}
	next := first.Find(".s-pagination a[rel=next]").AttrOr("href", "")
	last := c.Get(next)
	if !strings.Contains(last.Text("main"), "Showing 1 of 51 webhooks") || last.Find("tbody tr").Length() != 1 {
		t.Errorf("%s says %q", next, last.Text(".table-bar"))
	}
	again := c.Get(last.Find(".s-pagination a[rel=prev]").AttrOr("href", ""))
	if got, want := again.Text("tbody"), first.Text("tbody"); got != want {
		t.Errorf("back again it lists %q", got)
	}
	small := c.Get("/admin/webhooks?per=20&page=7")
	if n := small.Find("tbody tr").Length(); n != 20 || !strings.Contains(small.Find("a[rel=next]").AttrOr("href", ""), "per=20") {
		t.Errorf("a small page has %d rows", n)
	}
}

func TestFiltersInForceCanBeTakenOff(t *testing.T) {
	c := webtest.NewConsole(t)
	c.AddWebhook(func(in *models.WebhookInput) { in.TagMode, in.Tags = models.TagsSpecific, []string{"python"} })
	a := c.Get("/admin/webhooks?tag=python&activity=answer.accepted&owner=1&state=active")
	if got := a.Text("ul[aria-label='Filters in force']"); got != "State Active × Owner Mine × Activity Accepted answers × Tag python × Show all" {
		t.Errorf("the chips say %q", got)
	}
	if href := a.Find("a[aria-label='Remove the filter Tag python']").AttrOr("href", ""); href != "/admin/webhooks?activity=answer.accepted&owner=1&state=active" {
		t.Errorf("the tag is taken off by %s", href)
	}
	if none := c.Get("/admin/webhooks?tag=go"); !strings.Contains(none.Text(".empty"), "No webhook matches") {
		t.Errorf("the page says %q", none.Text("main"))
	}
}

func TestHealthInWords(t *testing.T) {
	c := webtest.NewConsole(t)
	now := time.Now().UTC()
	kinds := map[string]struct{ lane, badge, note string }{
		"new":      {"", "No deliveries yet", ""},
		"healthy":  {"last_at = ?1, last_code = 200", "Healthy", ""},
		"retrying": {"last_at = ?1, last_code = 503, failures_in_row = 1, failing_since = ?1, next_due_at = ?2", "Retrying", "next attempt "},
		"due":      {"last_at = ?1, last_code = 503, failures_in_row = 1, failing_since = ?1, next_due_at = ?1", "Retrying", "due now"},
		"twice":    {"last_at = ?1, last_code = 503, failures_in_row = 2, failing_since = ?3", "Retrying", "the last attempt failed"},
		"lately":   {"last_at = ?1, last_code = 503, failures_in_row = 9, failing_since = ?3, last_success_at = ?2", "Retrying", "the last attempt failed"},
		"failing":  {"last_at = ?1, last_error = 'timeout', failures_in_row = 3, failing_since = ?3", "Failing since", "no success yet"},
		"for long": {"last_at = ?1, last_code = 503, failures_in_row = 9, failing_since = ?1, last_success_at = ?3", "Failing since", "no success for 60 min"},
	}
	for name, kind := range kinds {
		w := c.AddWebhook(func(in *models.WebhookInput) { in.Name = name })
		if kind.lane != "" {
			c.Exec("update lanes set "+kind.lane+" where webhook_id = ?4", now, now.Add(time.Minute), now.Add(-time.Hour), w.ID)
		}
	}
	paused := c.AddWebhook(func(in *models.WebhookInput) { in.Name = "paused" })
	c.AddDelivery(paused)
	webtest.OK(t, c.Store.Webhooks.Pause(t.Context(), c.Admin.Actor(), paused.ID))
	broken := c.AddWebhook(func(in *models.WebhookInput) { in.Name = "broken" })
	c.AddDelivery(broken)
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), broken.ID, "The receiver answered 410 Gone."))
	kinds["paused"] = struct{ lane, badge, note string }{"", "Paused", "1 held, by Mary Wilkins"}
	kinds["broken"] = struct{ lane, badge, note string }{"", "Broken", "1 held"}

	a := c.Get("/admin/webhooks")
	for name, want := range kinds {
		row := a.Find("tr:has(a:contains('" + name + "'))").First()
		health := row.Find("td.o2")
		if got := health.Find(".s-badge").Text(); !strings.HasPrefix(got, want.badge) || !strings.Contains(health.Text(), want.note) {
			t.Errorf("%s: %q", name, health.Text())
		}
		why, reads := "", webtest.Words(row.NextFiltered("tr.why"))
		switch name {
		case "broken":
			why = "The receiver answered 410 Gone."
		case "failing":
			why = "The receiver did not answer within 15 seconds. 3 attempts in a row failed. Sitehooks keeps trying."
		case "for long":
			why = "The receiver answered 503 Service Unavailable. 9 attempts in a row failed."
		}
		if !strings.HasPrefix(reads, why) || (why == "") != (reads == "") || row.HasClass("is-grey") != (why != "") {
			t.Errorf("%s is grey: %v; the reason reads %q", name, row.HasClass("is-grey"), reads)
		}
		if name == "broken" && !strings.Contains(reads, "1 notification is held") {
			t.Errorf("the reason reads %q", reads)
		}
		if row.Find("a:contains('Edit')").Length() != 1 || row.Find("a:contains('Delete')").Length() != 1 {
			t.Errorf("%s cannot be edited and deleted", name)
		}
		page := c.Get(row.Find("td.o1 a").AttrOr("href", ""))
		if got := page.Text("h1 .s-badge"); !strings.HasPrefix(got, want.badge) {
			t.Errorf("the page of %s says %q", name, got)
		}
		if notice := page.Text("#flg"); (name == "failing" || name == "for long") != (notice != "") || !strings.HasPrefix(why, notice) {
			t.Errorf("the page of %s says %q", name, notice)
		}
	}
	var failing []string
	c.Get("/admin/webhooks?state=failing").Find("td.o1 a").Each(func(_ int, link *goquery.Selection) { failing = append(failing, link.Text()) })
	if slices.Sort(failing); !slices.Equal(failing, []string{"failing", "for long"}) {
		t.Errorf("the filter finds %v", failing)
	}
	c.SetFeature("False")
	if off := c.Get("/admin/webhooks?state=failing"); off.Find("td.o1 a").Length() != 0 {
		t.Errorf("switched off, the filter finds %q", off.Text("td.o1"))
	}
}

func TestListSaysWhatIsSwitchedOff(t *testing.T) {
	c := webtest.NewConsole(t)
	c.AddDelivery(c.AddWebhook(nil))
	c.SetFeature("False")
	a := c.Get("/admin/webhooks")
	if !strings.Contains(a.Text("#off-why"), "webhooks are switched off.") ||
		a.Find("#off-why a").AttrOr("href", "") != "/developer/site-settings/edit?name="+models.EnableGenericWebhooks {
		t.Errorf("the notice says %q", a.Text("#off-why"))
	}
	if a.Find(".s-page-title--actions button[disabled]").Length() != 1 || !strings.Contains(a.Text("#off-why"), "1 notification is held and goes out") || a.Text("td.o2 .s-badge") != "Switched off" {
		t.Errorf("the page says %q", a.Text("main"))
	}
	form := url.Values{}
	for name, value := range map[string]string{"name": "x", "location": "main", "events": "answer.accepted", "tag_mode": "all", "url": "http://127.0.0.1:9/"} {
		form.Set(name, value)
	}
	if text := c.Post("/admin/webhooks/new?type=generic", form).Want(http.StatusUnprocessableEntity).Text("[role=alert]"); !strings.Contains(text, "switched off") {
		t.Errorf("the refusal says %q", text)
	}
	edit := c.Get("/admin/webhooks/1/edit").Want(http.StatusOK).Form()
	edit.Set("do", "save")
	c.Post("/admin/webhooks/1/edit", edit).GoesTo("/admin/webhooks")
}
