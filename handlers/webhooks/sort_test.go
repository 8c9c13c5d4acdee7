package webhooks_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestListIsSortedByHealth(t *testing.T) {
	c := webtest.NewConsole(t)
	named := func(name string) models.Webhook {
		return c.AddWebhook(func(in *models.WebhookInput) { in.Name = name })
	}
	named("New")
	paused, broken := named("Paused"), named("Broken")
	webtest.OK(t, c.Store.Webhooks.Pause(t.Context(), c.Admin.Actor(), paused.ID))
	webtest.OK(t, c.Store.Webhooks.Break(t.Context(), broken.ID, "The receiver answered 410 Gone."))
	order := func(a *webtest.Answer) string {
		var list []string
		a.Find("tbody td.o1 a").Each(func(_ int, link *goquery.Selection) { list = append(list, link.Text()) })
		return strings.Join(list, " ")
	}
	head := func(a *webtest.Answer) *goquery.Selection {
		return a.Find("thead th").FilterFunction(func(_ int, th *goquery.Selection) bool { return strings.TrimSpace(th.Text()) == "Health" })
	}
	a := c.Get("/admin/webhooks").Want(http.StatusOK)
	to := head(a).Find("a").AttrOr("href", "")
	if to != "/admin/webhooks?dir=asc&sort=health" {
		t.Fatalf("the head leads to %q", to)
	}
	a = c.Get(to).Want(http.StatusOK)
	if got := order(a); got != "Broken Paused New" || head(a).AttrOr("aria-sort", "") != "ascending" {
		t.Errorf("sorted: %s", got)
	}
	a = c.Get(head(a).Find("a").AttrOr("href", "")).Want(http.StatusOK)
	if got := order(a); got != "New Paused Broken" || head(a).AttrOr("aria-sort", "") != "descending" {
		t.Errorf("turned round: %s", got)
	}
}
