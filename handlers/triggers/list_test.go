package triggers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/triggers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestTriggerHistoryOff: it says since when it is off and shows the events
// logged before; events received meanwhile are not shown, then or later.
func TestTriggerHistoryOff(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w := s.Hook("Everything", nil)
	s.Event("before", "Logged before", nil)
	s.Dispatch(100)
	s.Event("between", "Waited when it was switched off", nil)
	s.Set(models.EnableTriggerHistory, "False")
	for _, id := range []string{"old", "meanwhile"} {
		s.Event(id, "Happened meanwhile", func(e *models.NewEvent) { e.MergeKey = "k" })
	}
	b := s.As(models.RoleViewer)
	if got := webtest.Words(b.Get("/admin/trigger-history").Find("tbody")); strings.Contains(got, "meanwhile") {
		t.Errorf("it lists what waits since it is off: %s", got)
	}
	s.Dispatch(100)
	history, err := s.Store.Settings.History(t.Context(), models.EnableTriggerHistory)
	s.Must(err)
	shown := func(path string) string {
		t.Helper()
		return webtest.Words(b.Get(path).Find("tbody tr"))
	}
	off := b.Get("/admin/trigger-history").Find("#off")
	webtest.Says(t, "the page", webtest.Words(off), "Trigger history has been off since "+web.Moment(history[0].At, time.Now())+" UTC.", "What was logged before is shown below")
	if to := off.Find("a").Last().AttrOr("href", ""); to != "/developer/site-settings/edit?name="+models.EnableTriggerHistory {
		t.Errorf("the way to the setting leads to %q", to)
	}
	hidden := func() {
		t.Helper()
		for _, path := range []string{
			"/admin/trigger-history", "/admin/trigger-history?q=meanwhile", "/admin/trigger-history?q=happened", "/admin/trigger-history?type=question.created",
			"/admin/trigger-history?location=main&time=24h", "/admin/trigger-history?matched=any&webhook=1", "/admin/trigger-history?q=between",
		} {
			if got := shown(path); strings.Contains(got, "meanwhile") || strings.Contains(got, "Waited") {
				t.Errorf("%s lists %s", path, got)
			}
		}
		for _, path := range []string{s.EventPath("meanwhile"), s.EventPath("meanwhile") + "?webhook=1", s.EventPath("old"), s.EventPath("between")} {
			main := b.Get(path).Find("main")
			got := webtest.Words(main)
			webtest.Says(t, path, got, "Not logged. Trigger history was off when this event was dispatched")
			if strings.Contains(got, "Matched") || strings.Contains(got, "Merged") || strings.Contains(got, "of Main site") || main.Find("table, a[href*='/msg_']").Length() != 0 {
				t.Errorf("%s tells what came of it: %s", path, got)
			}
		}
	}
	hidden()
	if got := shown("/admin/trigger-history"); !strings.HasPrefix(got, "Logged before") || !strings.Contains(got, "to Everything") {
		t.Errorf("it lists %q", got)
	}
	webtest.Says(t, "the event of before", webtest.Words(b.Get(s.EventPath("before")).Find("main")), "1 webhook matched")
	if got := webtest.Words(b.Get("/admin/deliveries?webhook=" + web.FormatID(w.ID)).Find("tbody")); strings.Count(got, "question created") != 2 {
		t.Errorf("deliveries: %s", got)
	}
	s.Set(models.EnableTriggerHistory, "True")
	s.Event("after", "Logged after", nil)
	s.Dispatch(100)
	s.Event("waits", "Waits", nil)
	hidden()
	if doc := b.Get("/admin/trigger-history"); doc.Find("#off").Length() != 0 || doc.Find("tbody tr").Length() != 3 {
		t.Errorf("switched on again: %s", webtest.Words(doc.Find("main")))
	}
}

func TestTriggerHistoryListed(t *testing.T) {
	s := webtest.NewHistorySite(t)
	b := s.As(models.RoleViewer)
	webtest.Says(t, "the empty page", webtest.Words(b.Get("/admin/trigger-history").Find(".empty")), "No events yet")
	s.Must(s.Store.Locations.Ensure(t.Context(), "python-wranglers", "Python Wranglers"))
	s.Event("a/b?c#d "+webtest.Nasty, "First "+webtest.Nasty, func(e *models.NewEvent) { e.Tags = []string{"python", webtest.Nasty} })
	s.Event("e-2", "Second", func(e *models.NewEvent) {
		e.Type, e.Location, e.Community = "answer.accepted", "python-wranglers", "data-platform"
	})
	s.Event("old", "Merges", func(e *models.NewEvent) { e.MergeKey = "k" })
	s.Event("new", "Merges", func(e *models.NewEvent) { e.MergeKey = "k" })
	s.Dispatch(100)
	s.Set(models.DispatchDelay, "3600")
	s.Event("e-6", "Waits", nil)

	rows := b.Get("/admin/trigger-history").Find("tbody tr")
	webtest.Says(t, "the list", webtest.Words(rows), "Waiting due ", "Merged into a newer one", "Dispatched ", "First "+webtest.Nasty,
		"Question created", "Answer accepted", "Python Wranglers Data platform", "python")
	if rows.Length() != 5 {
		t.Errorf("%d lines", rows.Length())
	}
	for _, link := range rows.Find("a").EachIter() {
		if to := link.AttrOr("href", ""); b.Status(to) != http.StatusOK {
			t.Errorf("nothing is at %s", to)
		}
	}
	for query, want := range map[string]string{
		"q=" + url.QueryEscape("a/b?c#d "+webtest.Nasty): "First", "q=SECOND": "Second", "tag=python": "First", "location=python-wranglers": "Second",
		"type=answer.accepted": "Second", "q=" + url.QueryEscape("<SCRIPT>"): "First", "time=1h&q=waits": "Waits",
	} {
		if rows := b.Get("/admin/trigger-history?" + query).Find("tbody tr"); rows.Length() != 1 || !strings.Contains(webtest.Words(rows), want) {
			t.Errorf("%s: %s", query, webtest.Words(rows))
		}
	}
	doc := b.Get("/admin/trigger-history?q=nothing&tag=x&type=y&location=z&to=2020-01-01T10:00&time=odd&before=0")
	webtest.Says(t, "the page without a match", webtest.Words(doc.Find("main")), "No events match these filters", "Search nothing", "Tag x", "Event type y", "Location z", "To 2020-01-01 10:00",
		"“odd” is not a valid span of time", "“0” is not a valid place in the list")
}

func TestTriggerHistoryPaged(t *testing.T) {
	s := webtest.NewHistorySite(t)
	s.Events(triggers.EventsShown+1, func(i int) models.NewEvent { return webtest.HistoryEvent(t, fmt.Sprintf("e-%d", i), "One") })
	b := s.As(models.RoleViewer)
	doc := b.Get("/admin/trigger-history?q=one")
	if doc.Find("tbody tr").Length() != triggers.EventsShown {
		t.Fatalf("%d lines", doc.Find("tbody tr").Length())
	}
	doc = b.Get(doc.Find(".s-pagination a").AttrOr("href", ""))
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
		{models.Event{ReceivedAt: now.Add(-5 * time.Second)}, "Waiting due at 01:40:05"},
		{models.Event{ReceivedAt: now.Add(-time.Minute)}, "Waiting due now"},
		{models.Event{ReceivedAt: now, DispatchedAt: at(-time.Second), Logged: true}, "Dispatched at 01:39:59"},
		{models.Event{ReceivedAt: now, DispatchedAt: at(-24 * time.Hour), Logged: true}, "Dispatched on Nov 20 at 01:40:00"},
		{models.Event{ReceivedAt: now, DispatchedAt: at(0), MergedInto: &into}, "Merged "},
	}
	for _, tt := range tests {
		if line := triggers.NewTriggerLine(tt.event, 10*time.Second, now); line.Badge.Text+" "+line.Note != tt.want {
			t.Errorf("got %q %q, want %q", line.Badge.Text, line.Note, tt.want)
		}
	}
}

// TestHistoryKeepsWhatMovedAwayToItself: a webhook that was moved to another
// location, and renamed there, is not told of to a member of the one that it left.
func TestHistoryKeepsWhatMovedAwayToItself(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		s := &webtest.HistorySite{T: t, Store: c.Store}
		s.Set(models.DispatchDelay, "0")
		s.Set(models.DispatchInterval, "0")
		here := func(in *models.WebhookInput) { in.Location = "devcentral" }
		moves := s.Hook("Named before", here)
		s.Hook("Stays here", here)
		by := s.Hook("Sent by hand to", func(in *models.WebhookInput) {
			in.Location, in.TagMode, in.Tags = "devcentral", models.TagsSpecific, []string{"none"}
		})
		s.Event("e-1", "One", func(e *models.NewEvent) { e.Location = "devcentral" })
		s.Dispatch(1)
		d := s.NewestDelivery(moves.ID)
		event := web.TriggerPath(s.Number("e-1"))
		c.Post(event+"/send", url.Values{"once": {"x"}, "webhook": {web.FormatID(by.ID)}}).Want(http.StatusSeeOther)
		hand := s.NewestDelivery(by.ID)
		for _, w := range []models.Webhook{moves, by} {
			in := models.WebhookInput{
				Type: w.Type, Name: "Renamed elsewhere", Location: "zebra-team", Key: "key-elsewhere-" + web.FormatID(w.ID), Events: w.Events, TagMode: w.TagMode,
				URL: "https://hooks.example/x", URLShown: "https://hooks.example/x",
			}
			_, err := s.Store.Webhooks.Update(t.Context(), models.Actor{Name: "Mover"}, w.ID, w.UpdatedAt, in)
			s.Must(err)
		}
		all := c.Get("/admin/trigger-history").Text("tbody") + c.Get(event).Body
		for _, word := range []string{"to Renamed elsewhere, Stays here", d.PublicID, hand.PublicID} {
			if !strings.Contains(all, word) {
				t.Errorf("a member of all locations does not see %q: %s", word, all)
			}
		}
		c.LogIn(c.AddUser(models.User{Email: "limited@example.com", Name: "Limited", Role: models.RoleAdministrator, Limited: true, Locations: []string{"devcentral"}}))
		list, page := c.Get("/admin/trigger-history"), c.Get(event)
		webtest.Says(t, "the list", list.Text("tbody"), "to a webhook that has moved away, Stays here,")
		webtest.Says(t, "the event", page.Text("main"), "Named before", "has moved to another location", "Stays here", "Sent by hand by")
		for name, body := range map[string]string{"the list": list.Text("tbody"), "the event": page.Body} {
			for _, word := range []string{"Renamed elsewhere", "key-elsewhere", "/" + d.PublicID, "/" + hand.PublicID, "zebra", "/admin/webhooks/" + web.FormatID(moves.ID) + `"`} {
				if strings.Contains(body, word) {
					t.Errorf("%s tells %q", name, word)
				}
			}
		}
		for _, link := range page.Find("main a[href^='/']").EachIter() {
			if to := link.AttrOr("href", ""); c.Get(to).Status != http.StatusOK {
				t.Errorf("nothing is at %s", to)
			}
		}
	})
}

// TestEventsByWhatTheyMatched: the names of the webhooks that an event
// triggered, and filters by webhook and by nobody.
func TestEventsByWhatTheyMatched(t *testing.T) {
	webtest.OnBoth(t, func(t *testing.T, c *webtest.Console) {
		s := &webtest.HistorySite{T: t, Store: c.Store}
		s.Set(models.DispatchDelay, "0")
		s.Set(models.DispatchInterval, "0")
		specific := func(tag string) func(*models.WebhookInput) {
			return func(in *models.WebhookInput) { in.TagMode, in.Tags = models.TagsSpecific, []string{tag} }
		}
		tagged := func(tags ...string) func(*models.NewEvent) { return func(e *models.NewEvent) { e.Tags = tags } }
		go1, py := s.Hook("Go team "+webtest.Nasty, specific("go")), s.Hook("Python team", specific("python"))
		s.Event("both", "Both", tagged("go", "python"))
		s.Event("one", "Only Python", tagged("python"))
		s.Dispatch(100)
		s.Event("nobody", "For nobody", tagged("rust"))
		s.Dispatch(100)
		for i := range 4 {
			s.Hook("Fourth "+string(rune('a'+i)), specific("many"))
		}
		s.Event("many", "For many", tagged("many"))
		s.Dispatch(100)
		s.Event("waits", "Not dispatched", tagged("rust"))
		titles := func(query string) (list []string, a *webtest.Answer) {
			a = c.Get("/admin/trigger-history?" + query).Want(http.StatusOK)
			webtest.NoMarkup(t, a)
			a.Find("tbody td.o1 a").Each(func(_ int, link *goquery.Selection) { list = append(list, link.Text()) })
			return list, a
		}
		_, a := titles("")
		webtest.Says(t, "the list", a.Text("tbody"), "to Fourth a, Fourth b, Fourth c and 1 more,", "to Python team,", "to Go team "+webtest.Nasty+", Python team,", "none matched,")
		if to := a.Find("tbody td.o2 a").Last().AttrOr("href", ""); to != "/admin/webhooks/"+web.FormatID(py.ID) {
			t.Errorf("a name leads to %q", to)
		}
		for query, want := range map[string]string{
			"webhook=" + web.FormatID(go1.ID):                      "Both",
			"webhook=" + web.FormatID(py.ID):                       "Only Python,Both",
			"webhook=" + web.FormatID(py.ID) + "&matched=some":     "Only Python,Both",
			"webhook=" + web.FormatID(go1.ID) + "&matched=none":    "For many,For nobody,Only Python",
			"webhook=" + web.FormatID(go1.ID) + "&matched=any":     "Not dispatched,For many,For nobody,Only Python,Both",
			"webhook=" + web.FormatID(go1.ID) + "&matched=waiting": "Not dispatched",
			"matched=waiting": "Not dispatched", "matched=waiting&tag=go": "",
			"matched=none": "For nobody", "matched=some": "For many,Only Python,Both", "matched=none&tag=go": "", "location=python-wranglers&matched=some": "",
		} {
			if got, _ := titles(query); strings.Join(got, ",") != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
		c.Get("/admin/trigger-history?matched=some&webhook=python+TEAM").GoesTo("/admin/trigger-history?matched=some&webhook=" + web.FormatID(py.ID))
		_, a = titles("webhook=" + web.FormatID(py.ID) + "&matched=none")
		webtest.Says(t, "the filters in force", a.Text("ul[aria-label='Filters in force']"), "Webhook Python team #", "Outcome Did not match it")
		if a.Find("section[aria-labelledby=asked]").Length() != 0 {
			t.Error("a filter asks why the webhook did not fire")
		}
		_, a = titles("webhook=nobody+has+this+name")
		webtest.Says(t, "an unknown name", a.Text("main"), "“nobody has this name” is not a valid webhook")
	})
}

// TestFiltersTakeEverySpelling of an event type that people see, in either case:
// its name, its words, its label in a webhook's form, and another system's name.
func TestFiltersTakeEverySpelling(t *testing.T) {
	s := webtest.NewHistorySite(t)
	s.Hook("All", func(in *models.WebhookInput) {
		in.Events = []string{"question.created", "answer.accepted", "answer.edited"}
	})
	for id, kind := range map[string]string{"asked": "question.created", "accepted": "answer.accepted", "edited": "answer.edited"} {
		s.Event(id, "Event "+id, func(e *models.NewEvent) { e.Type = kind })
	}
	s.Dispatch(1)
	b := s.As(models.RoleViewer)
	for typed, want := range map[string]struct {
		rows int
		chip string
	}{
		"answer.accepted": {1, "answer accepted"}, "Answer Accepted": {1, "answer accepted"}, "  accepted   ANSWERS ": {1, "answer accepted"},
		"Updated answers": {1, "answer edited"}, "answer.changed": {2, "answer accepted or answer edited"}, "Questions": {1, "question created"},
		"question created": {1, "question created"}, "comment.created": {0, "comment created"}, "Lead.Scored": {0, "lead.scored"}, "nothing at all": {},
	} {
		for _, path := range []string{"/admin/trigger-history", "/admin/deliveries"} {
			doc := b.Get(path + "?" + url.Values{"type": {typed}}.Encode())
			if typed == "nothing at all" {
				webtest.Says(t, path, webtest.Words(doc.Find("main")), "“nothing at all” is not a valid event type, so it was ignored.")
				continue
			}
			if rows := doc.Find("tbody tr").Length(); rows != want.rows {
				t.Errorf("%s of type %q lists %d", path, typed, rows)
			}
			webtest.Says(t, path+" of type "+typed, webtest.Words(doc.Find("ul[aria-label='Filters in force']")), want.chip)
		}
	}
	offered := b.Get("/admin/deliveries").Find("#event-types option[value='answer accepted']").Length() + b.Get("/admin/trigger-history").Find("#event-types option[value='answer accepted']").Length()
	if offered != 2 {
		t.Errorf("%d of 2 filters offer the type as the lists show it", offered)
	}
}
