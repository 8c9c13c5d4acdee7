package deliveries_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestDeliveriesWithoutAny(t *testing.T) {
	s := webtest.NewHistorySite(t)
	b := s.As(models.RoleViewer)
	main := b.Get("/admin/deliveries").Find("main")
	webtest.Says(t, "the page", webtest.Words(main), "No deliveries yet")
	if to := main.Find(".empty a").AttrOr("href", ""); to != "/admin/webhooks" {
		t.Errorf("without webhooks the way leads to %q", to)
	}
	s.Hook("One", nil)
	if to := b.Get("/admin/deliveries").Find(".empty a").AttrOr("href", ""); to != "/admin/trigger-history" {
		t.Errorf("with a webhook the way leads to %q", to)
	}
	main = b.Get("/admin/deliveries?state=failed").Find("main")
	webtest.Says(t, "the filtered page", webtest.Words(main), "No deliveries match these filters", "State Failed")
	if to := main.Find(".empty a").AttrOr("href", ""); to != "/admin/deliveries" {
		t.Errorf("the way out of the filter leads to %q", to)
	}
}

func TestDeliveriesListed(t *testing.T) {
	s := webtest.NewHistorySite(t)
	hooks := map[string]models.Webhook{}
	for _, name := range []string{"fresh", "got it", "waits", "timed out", "gone", webtest.Nasty} {
		hooks[name] = s.Hook(name, nil)
	}
	s.Event("e-1", "One", nil)
	s.Event("e-2", "Two", func(e *models.NewEvent) { e.Type = "answer.accepted" })
	s.Dispatch(100)
	s.Attempt(hooks["got it"].ID, models.DeliveryDelivered, models.Attempt{Code: 204, DurationUS: 38_000}, 0, "")
	s.Attempt(hooks["waits"].ID, models.DeliveryRetrying, models.Attempt{Code: 503, DurationUS: 212_000}, 5*time.Minute, "busy")
	s.Attempt(hooks["timed out"].ID, models.DeliveryFailed, models.Attempt{ErrorClass: "timeout", DurationUS: 15_000_000}, 0, "It gave up "+webtest.Nasty)
	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, hooks[webtest.Nasty].ID))
	_, err := s.Store.Webhooks.Delete(t.Context(), webtest.Boss, hooks["gone"].ID)
	s.Must(err)

	b := s.As(models.RoleViewer)
	line := func(query string) (text string, n int) {
		rows := b.Get("/admin/deliveries" + query).Find("tbody tr")
		return webtest.Words(rows), rows.Length()
	}
	all, n := line("")
	if n != 6 {
		t.Errorf("%d lines, want 6", n)
	}
	webtest.Says(t, "the list", all, "Delivered 204", "Retrying 503 next ", "Failed: timed out at ", "Pending due now",
		"Held paused by Mary Wilkins", "gone deleted", "Dropped", "212 ms", "15,000 ms", "answer accepted, question created", webtest.Nasty)
	for query, want := range map[string]string{
		"?state=delivered": "got it", "?state=held": webtest.Nasty, "?state=dropped": "gone deleted", "?code=5xx": "waits",
		"?error=timeout": "timed out", "?state=pending&webhook=" + web.FormatID(hooks["fresh"].ID): "fresh",
		"?webhook=waits": "waits", "?webhook=GOT": "got it", "?webhook=timed+out+%23" + web.FormatID(hooks["timed out"].ID): "timed out",
		"?state=failed&location=Main+site": "timed out", "?id=+" + s.NewestDelivery(hooks["waits"].ID).PublicID + "+": "waits",
		"?state=tried&error=timeout": "timed out", "?time=1h&state=failed": "timed out", "?from=2020-01-01&to=2199-12-31T23:59&state=failed": "timed out",
	} {
		if got, n := line(query); n != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: %d lines: %s, want %s", query, n, got, want)
		}
	}
	for query, want := range map[string]int{
		"?state=waiting": 3, "?type=answer.accepted": 6, "?to=2020-01-01": 0, "?type=comment.created": 0,
		"?state=tried": 2, "?location=main": 6, "?location=python-wranglers": 0, "?time=yesterday": 0, "?id=msg_none": 0, "?id=msg_none&state=waiting": 0,
	} {
		if _, n := line(query); n != want {
			t.Errorf("%s: %d lines, want %d", query, n, want)
		}
	}
	doc := b.Get("/admin/deliveries?state=odd&code=9xx&time=forever&from=noon&before=x&error=<b>&type=A!&webhook=-1")
	if faults := doc.Find(".s-notice p"); faults.Length() != 8 || doc.Find("tbody tr").Length() != 6 {
		t.Errorf("odd values: %s", webtest.Words(faults))
	}
	doc = b.Get("/admin/deliveries?state=held&webhook=" + web.FormatID(hooks[webtest.Nasty].ID))
	if chosen := doc.Find("#webhook").AttrOr("value", ""); chosen != web.WebhookValue(webtest.Nasty, hooks[webtest.Nasty].ID) {
		t.Errorf("chosen webhook: %q", chosen)
	}
	if chip := doc.Find(".s-tag").First(); chip.AttrOr("href", "") != "/admin/deliveries?state=held" {
		t.Errorf("the first filter is removed by %q", chip.AttrOr("href", ""))
	}
}

func TestDeliveriesPaged(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w := s.Hook("One", nil)
	s.Events(deliveries.DeliveriesShown+3, func(i int) models.NewEvent { return webtest.HistoryEvent(t, fmt.Sprintf("e-%d", i), "One") })
	s.Dispatch(1)
	b := s.As(models.RoleViewer)
	doc := b.Get("/admin/deliveries?state=pending&webhook=" + web.FormatID(w.ID))
	older := doc.Find(".s-pagination a")
	if doc.Find("tbody tr").Length() != deliveries.DeliveriesShown || older.Length() != 1 || older.Text() != "Older" {
		t.Fatalf("first page: %d lines, links %q", doc.Find("tbody tr").Length(), older.Text())
	}
	doc = b.Get(older.AttrOr("href", ""))
	newest := doc.Find(".s-pagination a")
	if doc.Find("tbody tr").Length() != 3 || newest.Text() != "Newest" {
		t.Errorf("second page: %d lines, links %q", doc.Find("tbody tr").Length(), newest.Text())
	}
	if doc.Find("#state option[selected]").AttrOr("value", "") != "pending" {
		t.Error("the filter was lost on the way")
	}
	if got := b.Get(newest.AttrOr("href", "")).Find("tbody tr").Length(); got != deliveries.DeliveriesShown {
		t.Errorf("back on the first page: %d lines", got)
	}
	webtest.Says(t, "the page beyond the end", webtest.Words(b.Get("/admin/deliveries?before=1").Find(".empty")), "There is nothing older")
}

// TestFilterNamesADeletedWebhook: its deliveries stay, and the filter goes on
// naming it; one that never was is called unknown.
func TestFilterNamesADeletedWebhook(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	_, err := c.Store.Webhooks.Delete(t.Context(), c.Admin.Actor(), w.ID)
	webtest.OK(t, err)
	for id, want := range map[int64]string{w.ID: w.Name + " (deleted)", 99: "Webhook 99 (unknown)"} {
		a := c.Get("/admin/deliveries?webhook=" + web.FormatID(id)).Want(http.StatusOK)
		if got := a.Find("#webhook").AttrOr("value", ""); got != web.WebhookValue(want, id) || !strings.Contains(a.Text("ul[aria-label='Filters in force']"), want) {
			t.Errorf("webhook %d is called %q, the chips say %q", id, got, a.Text("ul[aria-label='Filters in force']"))
		}
	}
}

// TestTotalsAreReal: how many match stands over the list, the same on each page;
// beyond 10,000 only that there are more.
func TestTotalsAreReal(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		s := &webtest.HistorySite{T: t, Store: c.Store}
		s.Set(models.DispatchDelay, "0")
		s.Set(models.DispatchInterval, "0")
		w := s.Hook("One", nil)
		total := func(path string) string {
			return c.Get(path).Want(http.StatusOK).Text("section[aria-label=Results] > p")
		}
		add := func(n int, from int) {
			s.Events(n, func(i int) models.NewEvent { return webtest.HistoryEvent(t, fmt.Sprintf("e-%d", from+i), "One") })
			s.Dispatch(1)
		}
		add(1, 0)
		if got := total("/admin/deliveries"); got != "Showing 1 of 1 delivery, newest first" {
			t.Errorf("one: %q", got)
		}
		add(70, 1)
		for path, want := range map[string]string{
			"/admin/deliveries":                                         "Showing 50 of 71 deliveries, newest first",
			"/admin/deliveries?before=11":                               "Showing 10 of 71 deliveries, newest first",
			"/admin/deliveries?state=pending":                           "Showing 50 of 71 deliveries, newest first",
			"/admin/deliveries?state=pending&before=11":                 "Showing 10 of 71 deliveries, newest first",
			"/admin/deliveries?location=main":                           "Showing 50 of 71 deliveries, newest first",
			"/admin/deliveries?time=1h&webhook=" + web.FormatID(w.ID):   "Showing 50 of 71 deliveries, newest first",
			"/admin/deliveries?type=question.created&time=24h&before=3": "Showing 2 of 71 deliveries, newest first",
		} {
			if got := total(path); got != want {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
		}
	})
}

// TestYesterday is from one midnight to the next, whatever the hour is.
func TestYesterday(t *testing.T) {
	f := web.TimeFilter{Span: "yesterday"}
	from, to := f.Range(time.Date(2026, 3, 1, 0, 10, 0, 0, time.UTC))
	if !from.Equal(time.Date(2026, 2, 28, 0, 0, 0, 0, time.UTC)) || !to.Equal(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("from %s to %s", from, to)
	}
}
