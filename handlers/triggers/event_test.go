package triggers_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/triggers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestTriggerEventExplained(t *testing.T) {
	s := webtest.NewHistorySite(t)
	got := s.Hook("Got it", nil)
	retried := s.Hook("Retried "+webtest.Nasty, func(in *models.WebhookInput) {
		in.TagMode, in.Tags, in.Community = models.TagsSpecific, []string{"pandas", "python"}, "data-platform"
	})
	held := s.Hook("Held", nil)
	gone := s.Hook("Gone", nil)
	tags := s.Hook("Django helpdesk", func(in *models.WebhookInput) {
		in.TagMode, in.Tags = models.TagsSpecific, []string{"django", "flask"}
	})
	s.Hook("Only answers", func(in *models.WebhookInput) { in.Events = []string{"answer.created"} })
	s.Hook("Web digest", func(in *models.WebhookInput) { in.Community = "web" })
	s.Hook("Elsewhere", func(in *models.WebhookInput) { in.Location = "devcentral" })
	moved := s.Hook("Moved here", func(in *models.WebhookInput) { in.Location = "devcentral" })
	s.Event("e-1", "Merge "+webtest.Nasty, func(e *models.NewEvent) {
		e.Tags, e.Community = []string{"python", "pandas"}, "data-platform"
	})
	s.Event("e-2", "Other", func(e *models.NewEvent) { e.Tags = []string{"python"} })
	s.Dispatch(100)
	s.Attempt(got.ID, models.DeliveryDelivered, models.Attempt{Code: 200, DurationUS: 184_000}, 0, "")
	s.Attempt(retried.ID, models.DeliveryRetrying, models.Attempt{Code: 503}, 5*time.Minute, "busy")
	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, held.ID))
	// The state of that time counts, not the current one.
	_, err := s.Store.Webhooks.Delete(t.Context(), webtest.Boss, gone.ID)
	s.Must(err)
	for _, w := range []models.Webhook{tags, moved} {
		in := models.WebhookInput{Type: w.Type, Name: w.Name, Location: "main", Events: w.Events, TagMode: models.TagsAll, Tags: []string{}, URL: "https://x.example"}
		_, err = s.Store.Webhooks.Update(t.Context(), webtest.Boss, w.ID, w.UpdatedAt, in)
		s.Must(err)
	}
	s.Hook("Too late", nil)

	b := s.As(models.RoleAdministrator)
	doc := b.Get(s.EventPath("e-1"))
	text := webtest.Words(doc.Find("main"))
	webtest.Says(t, "the page", text, "Question created: Merge "+webtest.Nasty, "4 of the 7 webhooks of Main site matched. 1 received it, 1 is being retried, 1 is held and 1 was dropped.",
		"Åsa "+webtest.Nasty, "Data platform", "Matched: 4", "Did not match: 5", `"display_name"`)
	matched := webtest.Words(doc.Find("table").Eq(0))
	webtest.Says(t, "what matched", matched, "Got it Generic · Mary Wilkins Questions chosen; accepts all tags", "with 1 other event Delivered 200 in 184 ms, first attempt",
		"Retried "+webtest.Nasty+" Generic · Mary Wilkins Questions chosen; tags python and pandas in common; community Data platform", "alone Retrying 503 next ",
		"Held paused since ", "Gone Generic · Mary Wilkins · since deleted", "Dropped")
	unmatched := doc.Find("table").Eq(1)
	webtest.Says(t, "what did not match", webtest.Words(unmatched),
		"Django helpdesk Generic · Mary Wilkins Tags differ. The event has python, pandas; this webhook requires django or flask. Edit its tags",
		"Activity not chosen. The event is Questions; this webhook reports Answers. Edit its activities",
		"Community differs. The event is in Data platform; this webhook requires Web. Edit its community",
		"Moved here Generic · Mary Wilkins Location differs. The event is from Main site; this webhook was on Devcentral at the time.",
		"Too late Generic · Mary Wilkins Created later. The event was received at ", "none needed for later events")
	if strings.Contains(text, "Elsewhere") {
		t.Error("a webhook of another location is on the page")
	}
	if to := unmatched.Find(`a[aria-label="Edit its tags: Django helpdesk"]`).AttrOr("href", ""); to != "/admin/webhooks/"+web.FormatID(tags.ID)+"/edit#tags" {
		t.Errorf("the way to the tags leads to %q", to)
	}
	delivery := doc.Find(`table a[href^="/admin/deliveries/"]`).First().AttrOr("href", "")
	if b.Status(delivery) != http.StatusOK || doc.Find("#ev-json .hljs-attr").Length() == 0 {
		t.Errorf("delivery at %q, or no colours", delivery)
	}
	viewer := s.As(models.RoleViewer).Get(s.EventPath("e-1"))
	text = webtest.Words(viewer.Find("main"))
	webtest.Says(t, "the viewer's page", text, "Bodies are shown to administrators only", "Tags differ.")
	if strings.Contains(text, `"display_name"`) || viewer.Find(`main a[href*="/edit"]`).Length() != 0 {
		t.Error("a viewer sees the body, or ways to edit")
	}
	if b.Status("/admin/trigger-history/e-1") != http.StatusNotFound || b.Status("/admin/trigger-history?id=e-unknown") != http.StatusNotFound {
		t.Error("an unknown event has a page")
	}
}

func TestTriggerEventMergedAndWaiting(t *testing.T) {
	s := webtest.NewHistorySite(t)
	b := s.As(models.RoleAdministrator)
	s.Event("lonely", "Nobody", nil)
	s.Dispatch(100)
	webtest.Says(t, "without webhooks", webtest.Words(b.Get(s.EventPath("lonely")).Find("main")), "Main site has no webhooks, so nothing was sent.", "No webhook for Main site matched this event")
	w := s.Hook("One", nil)
	for _, id := range []string{"old", "older/..", "new"} {
		s.Event(id, "Edited", func(e *models.NewEvent) { e.MergeKey, e.Type = "k", "question.edited" })
	}
	s.Dispatch(100)
	doc := b.Get(s.EventPath("old"))
	webtest.Says(t, "the merged event", webtest.Words(doc.Find("main")), "Merged into a newer event.", "Event as reported")
	if text := webtest.Words(doc.Find("main")); strings.Contains(text, "Matched") {
		t.Errorf("a merged event was matched: %s", text)
	}
	doc = b.Get(doc.Find(".s-notice a").AttrOr("href", ""))
	webtest.Says(t, "the newer event", webtest.Words(doc.Find("main")), "2 earlier events", "Merged events: 2", "Matched: 1", "1 webhook matched and is about to receive it.")
	for _, link := range doc.Find("section[aria-labelledby=merged] a").EachIter() {
		if to := link.AttrOr("href", ""); b.Status(to) != http.StatusOK {
			t.Errorf("nothing is at %s", to)
		}
	}

	s.Set(models.EnableTriggerHistory, "False")
	s.Event("unlogged", "Unlogged", nil)
	s.Dispatch(100)
	webtest.Says(t, "its delivery", webtest.Words(b.Get("/admin/deliveries/"+s.NewestDelivery(w.ID).PublicID).Find("main")), "None recorded")
	s.Set(models.EnableTriggerHistory, "True")

	s.Set(models.DispatchDelay, "60")
	s.Hook("Other", func(in *models.WebhookInput) { in.Events = []string{"answer.created"} })
	paused := s.Hook("Paused", nil)
	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, paused.ID))
	s.Event("waits", "Waits", nil)
	doc = b.Get(s.EventPath("waits"))
	webtest.Says(t, "the waiting event", webtest.Words(doc.Find("main")), "Not dispatched yet. It falls due on ", "60 s after it was received", "Would match now: 2", "Would not match now: 1",
		"2 of the 3 webhooks of Main site would match now.", "Will be sent", "Will be held paused since", "not yet")
}

func TestNewTriggerResultKeepsToTheRecord(t *testing.T) {
	now := time.Date(2026, 11, 21, 1, 40, 0, 0, time.UTC)
	sentAt := now.Add(-time.Minute)
	event := models.Event{Type: "question.created", Location: "main", ReceivedAt: sentAt, DispatchedAt: &sentAt, Logged: true}
	c := triggers.TriggerCase{Then: models.WebhookVersion{Name: "W", Type: "fax"}, Webhook: models.Webhook{ID: 3, Type: "fax", State: models.WebhookActive}}
	row := &models.TriggerRow{Webhook: c.Webhook, Delivery: models.Delivery{State: models.DeliveryFailed, LastError: "dns", Items: 1, FinishedAt: &sentAt, Reason: "It gave up."}}
	r := triggers.NewTriggerResult(event, c, row, true, now)
	if !r.Why.Match || r.Badge.Text != "Failed: DNS" || r.Note != "at 01:39:00: It gave up." || r.Type != "fax" {
		t.Errorf("recorded: %+v", r)
	}
	c.Format, c.Then.Type, c.Then.Location, c.Then.Events, c.Then.TagMode = webtest.Lookup(t, "generic"), "generic", "main", []string{"question.created"}, models.TagsAll
	if r = triggers.NewTriggerResult(event, c, nil, true, now); r.Badge.Text != "No longer kept" || r.Outcome != "" {
		t.Errorf("a match whose delivery was removed: %+v", r)
	}
}
