package handlers

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/models"
)

func TestListIsSortedByHealth(t *testing.T) {
	c := newConsole(t)
	named := func(name string) models.Webhook {
		return c.addWebhook(func(in *models.WebhookInput) { in.Name = name })
	}
	named("New")
	paused, broken := named("Paused"), named("Broken")
	ok(t, c.store.Webhooks.Pause(t.Context(), c.admin.Actor(), paused.ID))
	ok(t, c.store.Webhooks.Break(t.Context(), broken.ID, "It answered 410 Gone."))
	order := func(a *answer) string {
		var list []string
		a.Find("tbody td.o1 a").Each(func(_ int, link *goquery.Selection) { list = append(list, link.Text()) })
		return strings.Join(list, " ")
	}
	head := func(a *answer) *goquery.Selection {
		return a.Find("thead th").FilterFunction(func(_ int, th *goquery.Selection) bool { return strings.TrimSpace(th.Text()) == "Health" })
	}
	a := c.get("/admin/webhooks").want(http.StatusOK)
	to := head(a).Find("a").AttrOr("href", "")
	if to != "/admin/webhooks?dir=asc&sort=health" {
		t.Fatalf("the head leads to %q", to)
	}
	a = c.get(to).want(http.StatusOK)
	if got := order(a); got != "Broken Paused New" || head(a).AttrOr("aria-sort", "") != "ascending" {
		t.Errorf("sorted: %s", got)
	}
	a = c.get(head(a).Find("a").AttrOr("href", "")).want(http.StatusOK)
	if got := order(a); got != "New Paused Broken" || head(a).AttrOr("aria-sort", "") != "descending" {
		t.Errorf("turned round: %s", got)
	}
}
