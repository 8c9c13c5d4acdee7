package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

func TestTriggerHistoryOffSaysOnlyThat(t *testing.T) {
	s := newHistorySite(t)
	s.event("e-1", "A question", nil)
	s.set(models.EnableTriggerHistory, "False")
	b := s.as(models.RoleViewer)
	for _, path := range []string{"/admin/trigger-history", "/admin/trigger-history/e-1", "/admin/trigger-history/none", "/admin/trigger-history?webhook=1&event=e-1"} {
		main := b.get(path).Find("main")
		if got := words(main); !strings.HasPrefix(got, "Trigger history Trigger history is off.") || strings.Contains(got, "A question") || main.Find("form, table").Length() != 0 {
			t.Errorf("%s says more: %s", path, got)
		}
		if to := main.Find("a").AttrOr("href", ""); to != "/developer/site-settings/edit?name="+models.EnableTriggerHistory {
			t.Errorf("the way to the setting leads to %q", to)
		}
	}
}

func TestTriggerHistoryListed(t *testing.T) {
	s := newHistorySite(t)
	b := s.as(models.RoleViewer)
	says(t, "the empty page", words(b.get("/admin/trigger-history").Find(".empty")), "No events yet")
	s.must(s.store.Locations.Ensure(t.Context(), "python-wranglers", "Python Wranglers"))
	s.event("a/b?c#d "+nasty, "First "+nasty, func(e *models.NewEvent) { e.Tags = []string{"python", nasty} })
	s.event("e-2", "Second", func(e *models.NewEvent) {
		e.Type, e.Location, e.Community = "answer.accepted", "python-wranglers", "data-platform"
	})
	s.event("old", "Merges", func(e *models.NewEvent) { e.MergeKey = "k" })
	s.event("new", "Merges", func(e *models.NewEvent) { e.MergeKey = "k" })
	s.dispatch(100)
	s.set(models.EnableTriggerHistory, "False")
	s.event("e-5", "Unlogged", nil)
	s.dispatch(100)
	s.set(models.EnableTriggerHistory, "True")
	s.set(models.DispatchDelay, "3600")
	s.event("e-6", "Waits", nil)

	rows := b.get("/admin/trigger-history").Find("tbody tr")
	says(t, "the list", words(rows), "Waiting due ", "Not logged dispatched ", "Merged into a newer one", "Dispatched ", "First "+nasty,
		"Question created", "Answer accepted", "Python Wranglers Data platform", "python")
	if rows.Length() != 6 {
		t.Errorf("%d lines", rows.Length())
	}
	for _, link := range rows.Find("a").EachIter() {
		if to := link.AttrOr("href", ""); b.status(to) != http.StatusOK {
			t.Errorf("nothing is at %s", to)
		}
	}
	for query, want := range map[string]string{
		"q=" + url.QueryEscape("a/b?c#d "+nasty): "First", "q=SECOND": "Second", "tag=python": "First", "location=python-wranglers": "Second",
		"type=answer.accepted": "Second", "q=" + url.QueryEscape("<SCRIPT>"): "First", "time=1h&q=waits": "Waits",
	} {
		if rows := b.get("/admin/trigger-history?" + query).Find("tbody tr"); rows.Length() != 1 || !strings.Contains(words(rows), want) {
			t.Errorf("%s: %s", query, words(rows))
		}
	}
	doc := b.get("/admin/trigger-history?q=nothing&tag=x&type=y&location=z&to=2020-01-01T10:00&time=odd&before=0")
	says(t, "the page without a match", words(doc.Find("main")), "No event is like that", "Search nothing", "Tag x", "Event type y", "Location z", "To 2020-01-01 10:00",
		"“odd” is no span of time", "“0” is no place in the list")
}

func TestTriggerHistoryPaged(t *testing.T) {
	s := newHistorySite(t)
	s.events(eventsShown+1, func(i int) models.NewEvent { return historyEvent(t, fmt.Sprintf("e-%d", i), "One") })
	b := s.as(models.RoleViewer)
	doc := b.get("/admin/trigger-history?q=one")
	if doc.Find("tbody tr").Length() != eventsShown {
		t.Fatalf("%d lines", doc.Find("tbody tr").Length())
	}
	doc = b.get(doc.Find(".s-pagination a").AttrOr("href", ""))
	if doc.Find("tbody tr").Length() != 1 || doc.Find("#q").AttrOr("value", "") != "one" {
		t.Errorf("second page: %d lines, looking for %q", doc.Find("tbody tr").Length(), doc.Find("#q").AttrOr("value", ""))
	}
}

func TestNewTriggerLine(t *testing.T) {
	now := time.Date(2026, 11, 21, 1, 40, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { t := now.Add(d); return &t }
	into := int64(7)
	tests := []struct {
		event models.Event
		want  string
	}{
		{models.Event{ReceivedAt: now.Add(-5 * time.Second)}, "Waiting due 01:40:05"},
		{models.Event{ReceivedAt: now.Add(-time.Minute)}, "Waiting due now"},
		{models.Event{ReceivedAt: now, DispatchedAt: at(-time.Second), Logged: true}, "Dispatched 01:39:59"},
		{models.Event{ReceivedAt: now, DispatchedAt: at(-24 * time.Hour), Logged: true}, "Dispatched Nov 20 at 01:40:00"},
		{models.Event{ReceivedAt: now, DispatchedAt: at(0)}, "Not logged dispatched 01:40:00"},
		{models.Event{ReceivedAt: now, DispatchedAt: at(0), MergedInto: &into}, "Merged "},
	}
	for _, tt := range tests {
		if line := newTriggerLine(tt.event, 10*time.Second, now); line.Badge.Text+" "+line.Note != tt.want {
			t.Errorf("got %q %q, want %q", line.Badge.Text, line.Note, tt.want)
		}
	}
}
