package triggers_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/triggers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// TestEventsAreFoundByTheirSendersID: in the location that is given, or in that
// of the webhook that is asked about; an id that several locations have leads to
// their list.
func TestEventsAreFoundByTheirSendersID(t *testing.T) {
	s := webtest.NewHistorySite(t)
	here := s.Hook("Here", nil)
	there := s.Hook("There", func(in *models.WebhookInput) { in.Location = "devcentral" })
	s.Event("one", "One", nil)
	s.Event("same", "At main", nil)
	s.Event("same", "At devcentral", func(e *models.NewEvent) { e.Location = "devcentral" })
	number := map[string]int64{"one": s.Number("one")}
	both, err := s.Store.Events.Named(t.Context(), models.AllLocations(), "same", 5)
	s.Must(err)
	for _, e := range both {
		number[e.Location] = e.ID
	}
	b := s.As(models.RoleViewer)
	for _, tc := range []struct {
		query url.Values
		to    string
	}{
		{url.Values{"id": {" one "}}, web.TriggerPath(number["one"])},
		{url.Values{"id": {"one"}, "webhook": {web.FormatID(here.ID)}}, triggers.TriggerQuestion(here.ID, number["one"])},
		{url.Values{"id": {"same"}}, "/admin/trigger-history?q=same"},
		{url.Values{"id": {"same"}, "location": {"devcentral"}}, web.TriggerPath(number["devcentral"])},
		{url.Values{"id": {"same"}, "webhook": {web.FormatID(here.ID)}}, triggers.TriggerQuestion(here.ID, number["main"])},
		{url.Values{"id": {"same"}, "webhook": {web.FormatID(there.ID)}}, triggers.TriggerQuestion(there.ID, number["devcentral"])},
	} {
		b.To = ""
		if status := b.Status("/admin/trigger-history?" + tc.query.Encode()); status != http.StatusSeeOther || b.To != tc.to {
			t.Errorf("%s: %d to %q, want %q", tc.query.Encode(), status, b.To, tc.to)
		}
	}
	if status := b.Status("/admin/trigger-history?id=same&location=nowhere"); status != http.StatusNotFound {
		t.Errorf("in a location without it: %d", status)
	}
}

// TestWhyNotInEachState: the answer says how far a match came, and before the
// dispatch what would happen.
func TestWhyNotInEachState(t *testing.T) {
	s := webtest.NewHistorySite(t)
	hook := map[string]models.Webhook{}
	for _, name := range []string{"pending", "retrying", "failed", "dropped"} {
		hook[name] = s.Hook(name, nil)
	}
	tags := s.Hook("tags", func(in *models.WebhookInput) { in.TagMode, in.Tags = models.TagsSpecific, []string{"django"} })
	s.Event("e-1", "One", nil)
	s.Dispatch(100)
	s.Attempt(hook["retrying"].ID, models.DeliveryRetrying, models.Attempt{Code: 503}, 5*time.Minute, "busy")
	s.Attempt(hook["failed"].ID, models.DeliveryFailed, models.Attempt{Code: 400}, 0, "It answered 400 Bad Request.")
	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, hook["dropped"].ID))
	_, err := s.Store.Webhooks.Resume(t.Context(), webtest.Boss, hook["dropped"].ID, true)
	s.Must(err)
	s.Event("e-2", "Not dispatched", nil)
	b := s.As(models.RoleAdministrator)
	for _, tc := range []struct {
		webhook models.Webhook
		event   string
		says    string
	}{
		{hook["pending"], "e-1", "It matched and is about to be sent."},
		{hook["retrying"], "e-1", "It matched, but has not arrived yet."},
		{hook["failed"], "e-1", "It matched, but the delivery failed."},
		{hook["dropped"], "e-1", "It matched, but the delivery was dropped before it was sent."},
		{hook["pending"], "e-2", "It matches as it is now."},
		{tags, "e-2", "It would not match as it is now."},
	} {
		answer := b.Get(triggers.TriggerQuestion(tc.webhook.ID, s.Number(tc.event))).Find("section[aria-labelledby=asked]")
		webtest.Says(t, tc.webhook.Name+" about "+tc.event, webtest.Words(answer), tc.says)
	}
}

// TestEraseNamesWhatStays: the question about an event that others were merged
// into, or that was merged itself, or that stands in one delivery with others.
func TestEraseNamesWhatStays(t *testing.T) {
	s := webtest.NewHistorySite(t)
	s.Hook("Batches", nil)
	for _, id := range []string{"older", "newer"} {
		s.Event(id, "Edited", func(e *models.NewEvent) { e.MergeKey = "k" })
	}
	s.Event("beside", "Another", nil)
	s.Dispatch(100)
	b := s.As(models.RoleAdministrator)
	question := func(id string) string { return webtest.Words(b.Get(triggers.ErasePath(s.Number(id))).Find("main")) }
	webtest.Says(t, "the newer one", question("newer"), "also from 1 earlier event that was merged into it", "The bodies of these deliveries stay", "pending, 2 events")
	webtest.Says(t, "the older one", question("older"), "A newer event about the same item was sent instead of this one.")
}
