package handlers

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

func TestTriggerEventExplained(t *testing.T) {
	s := newHistorySite(t)
	got := s.hook("Got it", nil)
	retried := s.hook("Retried "+nasty, func(in *models.WebhookInput) {
		in.TagMode, in.Tags, in.Community = models.TagsSpecific, []string{"pandas", "python"}, "data-platform"
	})
	held := s.hook("Held", nil)
	gone := s.hook("Gone", nil)
	tags := s.hook("Django helpdesk", func(in *models.WebhookInput) {
		in.TagMode, in.Tags = models.TagsSpecific, []string{"django", "flask"}
	})
	s.hook("Only answers", func(in *models.WebhookInput) { in.Events = []string{"answer.created"} })
	s.hook("Web digest", func(in *models.WebhookInput) { in.Community = "web" })
	s.hook("Elsewhere", func(in *models.WebhookInput) { in.Location = "devcentral" })
	moved := s.hook("Moved here", func(in *models.WebhookInput) { in.Location = "devcentral" })
	s.event("e-1", "Merge "+nasty, func(e *models.NewEvent) {
		e.Tags, e.Community = []string{"python", "pandas"}, "data-platform"
	})
	s.event("e-2", "Other", func(e *models.NewEvent) { e.Tags = []string{"python"} })
	s.dispatch(100)
	s.attempt(got.ID, models.DeliveryDelivered, models.Attempt{Code: 200, DurationUS: 184_000}, 0, "")
	s.attempt(retried.ID, models.DeliveryRetrying, models.Attempt{Code: 503}, 5*time.Minute, "busy")
	s.must(s.store.Webhooks.Pause(t.Context(), boss, held.ID))
	// What was then counts, not what is now.
	_, err := s.store.Webhooks.Delete(t.Context(), boss, gone.ID)
	s.must(err)
	for _, w := range []models.Webhook{tags, moved} {
		in := models.WebhookInput{Type: w.Type, Name: w.Name, Location: "main", Events: w.Events, TagMode: models.TagsAll, Tags: []string{}, URL: "https://x.example"}
		_, err = s.store.Webhooks.Update(t.Context(), boss, w.ID, w.UpdatedAt, in)
		s.must(err)
	}
	s.hook("Too late", nil)

	b := s.as(models.RoleAdministrator)
	doc := b.get(s.eventPath("e-1"))
	text := words(doc.Find("main"))
	says(t, "the page", text, "Question created: Merge "+nasty, "4 of the 7 webhooks of Main site matched. 1 has it, 1 is being retried, 1 is held and 1 was dropped.",
		"Åsa "+nasty, "Data platform", "Matched: 4", "Did not match: 5", `"display_name"`)
	matched := words(doc.Find("table").Eq(0))
	says(t, "what matched", matched, "Got it Generic · Mary Wilkins Questions chosen; wants all tags", "with 1 other event Delivered 200 in 184 ms, first attempt",
		"Retried "+nasty+" Generic · Mary Wilkins Questions chosen; tags python and pandas in common; community Data platform", "alone Retrying 503 next ",
		"Held paused by Mary Wilkins since ", "Gone Generic · Mary Wilkins · deleted since", "Dropped")
	unmatched := doc.Find("table").Eq(1)
	says(t, "what did not match", words(unmatched),
		"Django helpdesk Generic · Mary Wilkins Tags differ. The event has python, pandas; it wants django or flask. Edit its tags",
		"Activity not chosen. The event is Questions; it listens to Answers. Edit its activities",
		"Community differs. The event is in Data platform; it wants Web. Edit its community",
		"Moved here Generic · Mary Wilkins Location differs. The event is of Main site; it listened to Devcentral then.",
		"Too late Generic · Mary Wilkins Created later. The webhook is from ", "nothing, later events can match")
	if strings.Contains(text, "Elsewhere") {
		t.Error("a webhook of another location is on the page")
	}
	if to := unmatched.Find(`a[aria-label="Edit its tags: Django helpdesk"]`).AttrOr("href", ""); to != "/admin/webhooks/"+formatID(tags.ID)+"/edit#tags" {
		t.Errorf("the way to the tags leads to %q", to)
	}
	delivery := doc.Find(`table a[href^="/admin/deliveries/"]`).First().AttrOr("href", "")
	if b.status(delivery) != http.StatusOK || doc.Find("#ev-json .hljs-attr").Length() == 0 {
		t.Errorf("delivery at %q, or no colours", delivery)
	}
	viewer := s.as(models.RoleViewer).get(s.eventPath("e-1"))
	text = words(viewer.Find("main"))
	says(t, "the viewer's page", text, "Bodies are shown to administrators only", "Tags differ.")
	if strings.Contains(text, `"display_name"`) || viewer.Find(`main a[href*="/edit"]`).Length() != 0 {
		t.Error("a viewer sees the body, or ways to edit")
	}
	if b.status("/admin/trigger-history/e-1") != http.StatusNotFound || b.status("/admin/trigger-history?id=e-unknown") != http.StatusNotFound {
		t.Error("an unknown event has a page")
	}
}

func TestTriggerEventMergedAndWaiting(t *testing.T) {
	s := newHistorySite(t)
	b := s.as(models.RoleAdministrator)
	s.event("lonely", "Nobody", nil)
	s.dispatch(100)
	says(t, "without webhooks", words(b.get(s.eventPath("lonely")).Find("main")), "Main site has no webhooks, so nobody was told.", "No webhook of Main site lets this event through")
	w := s.hook("One", nil)
	for _, id := range []string{"old", "older/..", "new"} {
		s.event(id, "Edited", func(e *models.NewEvent) { e.MergeKey, e.Type = "k", "question.edited" })
	}
	s.dispatch(100)
	doc := b.get(s.eventPath("old"))
	says(t, "the merged event", words(doc.Find("main")), "Merged into a newer event.", "What the site sent")
	if text := words(doc.Find("main")); strings.Contains(text, "Matched") {
		t.Errorf("a merged event was matched: %s", text)
	}
	doc = b.get(doc.Find(".s-notice a").AttrOr("href", ""))
	says(t, "the newer event", words(doc.Find("main")), "2 earlier events", "Merged into it: 2", "Matched: 1", "The only webhook of Main site matched. 1 is about to get it.")
	for _, link := range doc.Find("section[aria-labelledby=merged] a").EachIter() {
		if to := link.AttrOr("href", ""); b.status(to) != http.StatusOK {
			t.Errorf("nothing is at %s", to)
		}
	}

	s.set(models.EnableTriggerHistory, "False")
	s.event("unlogged", "Unlogged", nil)
	s.dispatch(100)
	says(t, "its delivery", words(b.get("/admin/deliveries/"+s.newestDelivery(w.ID).PublicID).Find("main")), "None are on record")
	s.set(models.EnableTriggerHistory, "True")

	s.set(models.DispatchDelay, "60")
	s.hook("Other", func(in *models.WebhookInput) { in.Events = []string{"answer.created"} })
	paused := s.hook("Paused", nil)
	s.must(s.store.Webhooks.Pause(t.Context(), boss, paused.ID))
	s.event("waits", "Waits", nil)
	doc = b.get(s.eventPath("waits"))
	says(t, "the waiting event", words(doc.Find("main")), "Not dispatched yet. It falls due at ", "60 s after it was received", "Would match now: 2", "Would not match now: 1",
		"2 of the 3 webhooks of Main site would match as they are now.", "Will be sent", "Will be held paused by Mary Wilkins", "not yet")
}

func TestNewTriggerResultKeepsToTheRecord(t *testing.T) {
	now := time.Date(2026, 11, 21, 1, 40, 0, 0, time.UTC)
	sent := now.Add(-time.Minute)
	event := models.Event{Type: "question.created", Location: "main", ReceivedAt: sent, DispatchedAt: &sent, Logged: true}
	c := triggerCase{Then: models.WebhookVersion{Name: "W", Type: "fax"}, Webhook: models.Webhook{ID: 3, Type: "fax", State: models.WebhookActive}}
	row := &models.TriggerRow{Webhook: c.Webhook, Delivery: models.Delivery{State: models.DeliveryFailed, LastError: "dns", Items: 1, FinishedAt: &sent, Reason: "It gave up."}}
	r := newTriggerResult(event, c, row, true, now)
	if !r.Why.Match || r.Badge.Text != "Failed: DNS" || r.Note != "at 01:39:00: It gave up." || r.Type != "fax" {
		t.Errorf("recorded: %+v", r)
	}
	c.Format, c.Then.Type, c.Then.Location, c.Then.Events, c.Then.TagMode = lookup(t, "generic"), "generic", "main", []string{"question.created"}, models.TagsAll
	if r = newTriggerResult(event, c, nil, true, now); r.Badge.Text != "No longer kept" || r.Outcome != "" {
		t.Errorf("a match whose delivery was removed: %+v", r)
	}
}
