package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

func TestDeliveriesWithoutAny(t *testing.T) {
	s := newHistorySite(t)
	b := s.as(models.RoleViewer)
	main := b.get("/admin/deliveries").Find("main")
	says(t, "the page", words(main), "No deliveries yet")
	if to := main.Find(".empty a").AttrOr("href", ""); to != "/admin/webhooks" {
		t.Errorf("without webhooks the way leads to %q", to)
	}
	s.hook("One", nil)
	if to := b.get("/admin/deliveries").Find(".empty a").AttrOr("href", ""); to != "/admin/trigger-history" {
		t.Errorf("with a webhook the way leads to %q", to)
	}
	main = b.get("/admin/deliveries?state=failed").Find("main")
	says(t, "the filtered page", words(main), "No delivery is like that", "State Failed")
	if to := main.Find(".empty a").AttrOr("href", ""); to != "/admin/deliveries" {
		t.Errorf("the way out of the filter leads to %q", to)
	}
}

func TestDeliveriesListed(t *testing.T) {
	s := newHistorySite(t)
	hooks := map[string]models.Webhook{}
	for _, name := range []string{"fresh", "got it", "waits", "timed out", "gone", nasty} {
		hooks[name] = s.hook(name, nil)
	}
	s.event("e-1", "One", nil)
	s.event("e-2", "Two", func(e *models.NewEvent) { e.Type = "answer.accepted" })
	s.dispatch(100)
	s.attempt(hooks["got it"].ID, models.DeliveryDelivered, models.Attempt{Code: 204, DurationUS: 38_000}, 0, "")
	s.attempt(hooks["waits"].ID, models.DeliveryRetrying, models.Attempt{Code: 503, DurationUS: 212_000}, 5*time.Minute, "busy")
	s.attempt(hooks["timed out"].ID, models.DeliveryFailed, models.Attempt{ErrorClass: "timeout", DurationUS: 15_000_000}, 0, "It gave up "+nasty)
	s.must(s.store.Webhooks.Pause(t.Context(), boss, hooks[nasty].ID))
	_, err := s.store.Webhooks.Delete(t.Context(), boss, hooks["gone"].ID)
	s.must(err)

	b := s.as(models.RoleViewer)
	line := func(query string) (text string, n int) {
		rows := b.get("/admin/deliveries" + query).Find("tbody tr")
		return words(rows), rows.Length()
	}
	all, n := line("")
	if n != 6 {
		t.Errorf("%d lines, want 6", n)
	}
	says(t, "the list", all, "Delivered 204", "Retrying 503 next ", "Failed: timed out at ", "Pending due now",
		"Held paused by Mary Wilkins", "gone deleted", "Dropped", "212 ms", "15,000 ms", "answer accepted, question created", nasty)
	for query, want := range map[string]string{
		"?state=delivered": "got it", "?state=held": nasty, "?state=dropped": "gone deleted", "?code=5xx": "waits",
		"?error=timeout": "timed out", "?state=pending&webhook=" + formatID(hooks["fresh"].ID): "fresh",
		"?time=1h&state=failed": "timed out", "?from=2020-01-01&to=2199-12-31T23:59&state=failed": "timed out",
	} {
		if got, n := line(query); n != 1 || !strings.Contains(got, want) {
			t.Errorf("%s: %d lines: %s, want %s", query, n, got, want)
		}
	}
	for query, want := range map[string]int{"?state=waiting": 3, "?type=answer.accepted": 6, "?to=2020-01-01": 0, "?type=comment.created": 0} {
		if _, n := line(query); n != want {
			t.Errorf("%s: %d lines, want %d", query, n, want)
		}
	}
	doc := b.get("/admin/deliveries?state=odd&code=9xx&time=forever&from=noon&before=x&error=<b>&type=A!&webhook=-1")
	if faults := doc.Find(".s-notice p"); faults.Length() != 8 || doc.Find("tbody tr").Length() != 6 {
		t.Errorf("odd values: %s", words(faults))
	}
	doc = b.get("/admin/deliveries?state=held&webhook=" + formatID(hooks[nasty].ID))
	if chosen := doc.Find("#webhook option[selected]").Text(); chosen != nasty {
		t.Errorf("chosen webhook: %q", chosen)
	}
	if chip := doc.Find(".s-tag").First(); chip.AttrOr("href", "") != "/admin/deliveries?state=held" {
		t.Errorf("the first filter is removed by %q", chip.AttrOr("href", ""))
	}
}

func TestDeliveriesPaged(t *testing.T) {
	s := newHistorySite(t)
	w := s.hook("One", nil)
	s.events(deliveriesShown+3, func(i int) models.NewEvent { return historyEvent(t, fmt.Sprintf("e-%d", i), "One") })
	s.dispatch(1)
	b := s.as(models.RoleViewer)
	doc := b.get("/admin/deliveries?state=pending&webhook=" + formatID(w.ID))
	older := doc.Find(".s-pagination a")
	if doc.Find("tbody tr").Length() != deliveriesShown || older.Length() != 1 || older.Text() != "Older" {
		t.Fatalf("first page: %d lines, links %q", doc.Find("tbody tr").Length(), older.Text())
	}
	doc = b.get(older.AttrOr("href", ""))
	newest := doc.Find(".s-pagination a")
	if doc.Find("tbody tr").Length() != 3 || newest.Text() != "Newest" {
		t.Errorf("second page: %d lines, links %q", doc.Find("tbody tr").Length(), newest.Text())
	}
	if doc.Find("#state option[selected]").AttrOr("value", "") != "pending" {
		t.Error("the filter was lost on the way")
	}
	if got := b.get(newest.AttrOr("href", "")).Find("tbody tr").Length(); got != deliveriesShown {
		t.Errorf("back on the first page: %d lines", got)
	}
	says(t, "the page beyond the end", words(b.get("/admin/deliveries?before=1").Find(".empty")), "There is nothing older")
}
