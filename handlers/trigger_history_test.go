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

// TestTriggerHistoryOff: it says since when it is off and shows what was logged
// before; what happened meanwhile is not shown, then or later.
func TestTriggerHistoryOff(t *testing.T) {
	s := newHistorySite(t)
	w := s.hook("Everything", nil)
	s.event("before", "Logged before", nil)
	s.dispatch(100)
	s.event("between", "Waited when it was switched off", nil)
	s.set(models.EnableTriggerHistory, "False")
	for _, id := range []string{"old", "meanwhile"} {
		s.event(id, "Happened meanwhile", func(e *models.NewEvent) { e.MergeKey = "k" })
	}
	b := s.as(models.RoleViewer)
	if got := words(b.get("/admin/trigger-history").Find("tbody")); strings.Contains(got, "meanwhile") {
		t.Errorf("it lists what waits since it is off: %s", got)
	}
	s.dispatch(100)
	history, err := s.store.Settings.History(t.Context(), models.EnableTriggerHistory)
	s.must(err)
	listed := func(path string) string {
		t.Helper()
		return words(b.get(path).Find("tbody tr"))
	}
	off := b.get("/admin/trigger-history").Find("#off")
	says(t, "the page", words(off), "Trigger history has been off since "+moment(history[0].At, time.Now())+" UTC.", "What was logged before is shown below")
	if to := off.Find("a").Last().AttrOr("href", ""); to != "/developer/site-settings/edit?name="+models.EnableTriggerHistory {
		t.Errorf("the way to the setting leads to %q", to)
	}
	hidden := func() {
		t.Helper()
		for _, path := range []string{
			"/admin/trigger-history", "/admin/trigger-history?q=meanwhile", "/admin/trigger-history?q=happened", "/admin/trigger-history?type=question.created",
			"/admin/trigger-history?location=main&time=24h", "/admin/trigger-history?webhook=1", "/admin/trigger-history?q=between",
		} {
			if got := listed(path); strings.Contains(got, "meanwhile") || strings.Contains(got, "Waited") {
				t.Errorf("%s lists %s", path, got)
			}
		}
		for _, path := range []string{s.eventPath("meanwhile"), s.eventPath("meanwhile") + "?webhook=1", s.eventPath("old"), s.eventPath("between")} {
			main := b.get(path).Find("main")
			got := words(main)
			says(t, path, got, "Not logged. Trigger history was off when this event was dispatched")
			if strings.Contains(got, "Matched") || strings.Contains(got, "Merged") || strings.Contains(got, "of Main site") || main.Find("table, a[href*='/msg_']").Length() != 0 {
				t.Errorf("%s tells what came of it: %s", path, got)
			}
		}
	}
	hidden()
	if got := listed("/admin/trigger-history"); !strings.HasPrefix(got, "Logged before") || !strings.Contains(got, "1 matched") {
		t.Errorf("it lists %q", got)
	}
	says(t, "the event of before", words(b.get(s.eventPath("before")).Find("main")), "The only webhook of Main site matched.")
	if got := words(b.get("/admin/deliveries?webhook=" + formatID(w.ID)).Find("tbody")); strings.Count(got, "question created") != 2 {
		t.Errorf("deliveries: %s", got)
	}
	s.set(models.EnableTriggerHistory, "True")
	s.event("after", "Logged after", nil)
	s.dispatch(100)
	s.event("waits", "Waits", nil)
	hidden()
	if doc := b.get("/admin/trigger-history"); doc.Find("#off").Length() != 0 || doc.Find("tbody tr").Length() != 3 {
		t.Errorf("switched on again: %s", words(doc.Find("main")))
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
	s.set(models.DispatchDelay, "3600")
	s.event("e-6", "Waits", nil)

	rows := b.get("/admin/trigger-history").Find("tbody tr")
	says(t, "the list", words(rows), "Waiting due ", "Merged into a newer one", "Dispatched ", "First "+nasty,
		"Question created", "Answer accepted", "Python Wranglers Data platform", "python")
	if rows.Length() != 5 {
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
		{models.Event{ReceivedAt: now, DispatchedAt: at(0), MergedInto: &into}, "Merged "},
	}
	for _, tt := range tests {
		if line := newTriggerLine(tt.event, 10*time.Second, now); line.Badge.Text+" "+line.Note != tt.want {
			t.Errorf("got %q %q, want %q", line.Badge.Text, line.Note, tt.want)
		}
	}
}
