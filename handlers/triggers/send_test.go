package triggers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/triggers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// formOf are the fields of a form in a page, as a browser without scripts sends
// them.
func formOf(form *goquery.Selection) url.Values {
	v := url.Values{}
	for _, field := range form.Find("input[name]").EachIter() {
		v.Add(field.AttrOr("name", ""), field.AttrOr("value", ""))
	}
	return v
}

// TestSendToThisWebhook sends an event by hand to a webhook that did not match
// it: one delivery a form, marked with the member's name wherever it shows.
func TestSendToThisWebhook(t *testing.T) {
	s := webtest.NewHistorySite(t)
	got := s.Hook("Got it", nil)
	other := s.Hook("Other tags", func(in *models.WebhookInput) { in.TagMode, in.Tags = models.TagsSpecific, []string{"django"} })
	slack := s.Hook("Into Slack", func(in *models.WebhookInput) { in.Type = "slack" })
	s.Event("e-1", "One", nil)
	s.Event("user", "A user", func(e *models.NewEvent) {
		e.Type, e.Payload = "user.created", []byte(`{"type":"user.created","data":{}}`)
	})
	s.Dispatch(100)
	b := s.As(models.RoleAdministrator)
	page := b.Get(s.EventPath("e-1"))
	form := page.Find(`form:has(button[aria-label="Send to this webhook: Other tags"])`)
	fields := formOf(form)
	status, _ := b.Post(form.AttrOr("action", ""), fields)
	first := b.To
	if status != http.StatusSeeOther || !strings.HasPrefix(first, "/admin/deliveries/") {
		t.Fatalf("sent: %d, %s", status, first)
	}
	webtest.Says(t, "the delivery", webtest.Words(b.Get(first).Find("main")), "Sent by hand by administrator", "Other tags", "Pending")
	if status, _ = b.Post(form.AttrOr("action", ""), fields); b.To != first {
		t.Errorf("the same form made another delivery: %d, %s", status, b.To)
	}
	again := b.Get(s.EventPath("e-1"))
	webtest.Says(t, "the event", webtest.Words(again.Find("main")), "2 of the 3 webhooks of Main site matched.", "Did not match: 1",
		"Tags differ. The event has no tags; this webhook requires django. Sent by hand by administrator Pending due now")
	form = again.Find(`form:has(button[aria-label="Send to this webhook: Got it"])`)
	b.Post(form.AttrOr("action", ""), formOf(form))
	b.Post(form.AttrOr("action", ""), url.Values{"once": {"another"}, "webhook": {web.FormatID(got.ID)}})
	webtest.Says(t, "the event sent twice", webtest.Words(b.Get(s.EventPath("e-1")).Find("main")), "2 of the 3 webhooks of Main site matched.",
		"Sent by hand by administrator Pending due now Sent by hand by administrator Pending due now")
	for _, path := range []string{"/admin/deliveries", "/admin/webhooks/" + web.FormatID(other.ID)} {
		webtest.Says(t, path, webtest.Words(b.Get(path).Find("main")), "sent by hand by administrator")
	}
	csv, _ := b.Download("/admin/deliveries.csv")
	json, _ := b.Download("/admin/deliveries.json")
	if strings.Count(csv, `"administrator"`) != 3 || strings.Count(json, `"sent_by_hand_by":"administrator"`) != 3 {
		t.Errorf("the exports do not say who sent:\n%s\n%s", csv, json)
	}

	// Refused, each in a sentence.
	refused := func(path string, webhook int64, why string) {
		t.Helper()
		status, doc := b.Post(path+"/send", url.Values{"once": {"x"}, "webhook": {web.FormatID(webhook)}})
		if text := webtest.Words(doc.Find("main")); status != http.StatusUnprocessableEntity || !strings.Contains(text, why) {
			t.Errorf("%s to %d: %d, %s", path, webhook, status, text)
		}
	}
	refused(s.EventPath("user"), slack.ID, "Slack")
	s.Must(erase(s, "e-1"))
	refused(s.EventPath("e-1"), other.ID, "The content of this event was erased, so there is nothing to send.")
	elsewhere := s.Hook("Elsewhere", func(in *models.WebhookInput) { in.Location = "devcentral" })
	refused(s.EventPath("user"), elsewhere.ID, "events never cross locations")
	s.Set(models.DispatchDelay, "60")
	s.Event("waits", "Waits", nil)
	refused(s.EventPath("waits"), other.ID, "This event has not been dispatched yet.")
	viewer := s.As(models.RoleViewer)
	if doc := viewer.Get(s.EventPath("user")); doc.Find(`form[action$="/send"]`).Length() > 0 {
		t.Error("a viewer may send")
	}
	if status, _ := viewer.Post(s.EventPath("user")+"/send", url.Values{"once": {"x"}, "webhook": {"1"}}); status != http.StatusForbidden {
		t.Errorf("a viewer sends: %d", status)
	}
}

func erase(s *webtest.HistorySite, id string) error {
	_, err := s.Store.Events.Erase(s.Context(), webtest.Boss, s.Number(id))
	return err
}

// TestSendAllOfAFilter: the page counts the events that a webhook would be sent
// before it sends them, and a page of its own shows how far that is.
func TestSendAllOfAFilter(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w := s.Hook("Target", func(in *models.WebhookInput) { in.TagMode, in.Tags = models.TagsSpecific, []string{"django"} })
	s.Hook("Elsewhere", func(in *models.WebhookInput) { in.Location = "devcentral" })
	for n := range 5 {
		s.Event(fmt.Sprint("e-", n), fmt.Sprint("Question ", n), func(e *models.NewEvent) { e.Tags = []string{fmt.Sprint("tag-", n%2)} })
	}
	s.Event("user", "A user", func(e *models.NewEvent) {
		e.Type, e.Payload = "user.created", []byte(`{"type":"user.created","data":{}}`)
	})
	s.Dispatch(100)
	b := s.As(models.RoleAdministrator)
	list := b.Get("/admin/trigger-history?tag=tag-0")
	doc := b.Get(list.Find(`.s-page-title--actions a`).AttrOr("href", ""))
	webtest.Says(t, "the first question", webtest.Words(doc.Find("main")), "Selection: tag tag-0 . Only events of the webhook’s location can be sent to it.", "Send to this webhook")
	form := formOf(doc.Find(`main form[method=get]`))
	form.Set("send_to", web.FormatID(w.ID))
	doc = b.Get("/admin/trigger-history/send?" + form.Encode())
	webtest.Says(t, "the question", webtest.Words(doc.Find("main")), "Send 3 events to Target ?", "Each becomes one delivery, marked “sent by hand”", "Send 3")
	post := doc.Find(`main form[method=post]`)
	status, _ := b.Post(post.AttrOr("action", ""), formOf(post))
	progress := b.To
	if status != http.StatusSeeOther || !strings.HasPrefix(progress, triggers.SendsPath+"/") {
		t.Fatalf("sent: %d, %s", status, progress)
	}
	if b.Post(post.AttrOr("action", ""), formOf(post)); b.To != progress {
		t.Errorf("the same form sends again: %s", b.To)
	}
	webtest.Says(t, "the progress", webtest.Words(b.Get(progress).Find("main")), "Sending events", "To Target , by hand by administrator", "0 of 3 events sent", "You can leave; sending continues.")
	doc = b.Get("/admin/trigger-history/send?send_to=" + web.FormatID(w.ID))
	webtest.Says(t, "all events", webtest.Words(doc.Find("main")), "Send 5 events to Target ?", "1 event is left out, because Generic webhooks cannot carry it.")
	doc = b.Get("/admin/trigger-history/send?location=devcentral&send_to=" + web.FormatID(w.ID))
	webtest.Says(t, "another location", webtest.Words(doc.Find("main")), "Nothing to send")
	// A location that was typed by its name is the same one all the way.
	s.Must(s.Store.Locations.Describe(t.Context(), webtest.Boss, "main", models.Label{Name: "Main site"}))
	list = b.Get("/admin/trigger-history?tag=tag-0&location=MAIN+site")
	link := list.Find(`.s-page-title--actions a`).AttrOr("href", "")
	for _, path := range []string{link, "/admin/trigger-history/send?tag=tag-0&location=MAIN+site"} {
		doc = b.Get(path + "&send_to=" + web.FormatID(w.ID))
		webtest.Says(t, path, webtest.Words(doc.Find("main")), "Send 3 events to Target ?", "Selection: location Main site")
		if post = doc.Find(`main form[method=post]`); !strings.Contains(post.AttrOr("action", ""), "location=main") {
			t.Errorf("%s: it would send to %q", path, post.AttrOr("action", ""))
		}
	}
	webtest.Says(t, "no such webhook", webtest.Words(b.Get("/admin/trigger-history/send?send_to=nobody").Find("main")), "There is no such webhook.")
	if status := b.Status("/admin/trigger-history/send?from=nonsense&send_to=" + web.FormatID(w.ID)); status != http.StatusUnprocessableEntity {
		t.Errorf("a filter that means nothing: %d", status)
	}
}

// TestSendProgressIsTrue: what was dropped, or could not be sent any more, is not
// called sent.
func TestSendProgressIsTrue(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w := s.Hook("Target", nil)
	for n := range 4 {
		s.Event(fmt.Sprint("e-", n), fmt.Sprint("Question ", n), nil)
	}
	s.Dispatch(100)
	ctx := t.Context()
	query := models.EventQuery{Within: models.AllLocations(), Location: "main"}
	can, err := s.Store.Sends.Count(ctx, query, 0)
	s.Must(err)
	b := s.As(models.RoleAdministrator)
	start := func(key string) models.ManualSend {
		m, err := s.Store.Sends.Start(ctx, webtest.Boss, models.ManualSend{Key: key, WebhookID: w.ID, Query: query, Total: 4}, can, "all")
		s.Must(err)
		return m
	}
	says := func(what string, m models.ManualSend, parts ...string) {
		t.Helper()
		webtest.Says(t, what, webtest.Words(b.Get(triggers.SendsPath+"/"+web.FormatID(m.ID)).Find("main")), parts...)
	}
	m := start("one")
	s.Must(erase(s, "e-0"))
	p, err := s.Store.Sends.Next(ctx)
	s.Must(err)
	var rows []models.NewDelivery
	for _, e := range p.Events {
		rows = append(rows, models.NewDelivery{Events: []int64{e.ID}, Delivery: models.Delivery{
			PublicID: fmt.Sprint("hand-", e.ID), WebhookID: w.ID, Location: "main", EventTypes: ",question.created,", Items: 1, Body: []byte("{}"),
		}})
	}
	s.Must(s.Store.Webhooks.Pause(ctx, webtest.Boss, w.ID))
	s.Must(s.Store.Sends.Store(ctx, p, rows))
	says("held", m, "Sending is on hold", "0 of 4 events sent", "3 events wait", "1 event was not sent: its content was removed in the meantime.")
	_, err = s.Store.SQLite().Exec("delete from delivery_queue where delivery_id in (select id from deliveries where public_id = ?)", rows[0].PublicID)
	s.Must(err) // as when it was delivered
	_, err = s.Store.Webhooks.Resume(ctx, webtest.Boss, w.ID, true)
	s.Must(err)
	says("dropped", m, "Events sent", "1 of 4 events sent", "Every other event has had its attempt.", "2 events were not sent: their deliveries were dropped before the first attempt.",
		"1 event was not sent: its content was removed")
	m = start("two")
	_, err = s.Store.Webhooks.Delete(ctx, webtest.Boss, w.ID)
	s.Must(err)
	_, err = s.Store.Sends.Next(ctx)
	s.Must(err)
	says("ended early", m, "No event was sent", "It ended early. The webhook was deleted.", "0 of 4 events sent", "4 events were not sent: the sending ended early.")
	other := s.Hook("Other", nil)
	by, err := s.Store.Users.Create(ctx, models.User{Email: "dan@example.com", Name: "Dan", PasswordHash: "x", Role: models.RoleAdministrator})
	s.Must(err)
	m, err = s.Store.Sends.Start(ctx, by.Actor(), models.ManualSend{Key: "three", WebhookID: other.ID, Query: query, Total: 4}, can, "all")
	s.Must(err)
	_, err = s.Store.Users.SetRole(ctx, webtest.Boss, by.ID, models.RoleViewer)
	s.Must(err)
	_, err = s.Store.Sends.Next(ctx)
	s.Must(err)
	says("its member is a viewer", m, "No event was sent", "It ended early. The member who started it is no longer an administrator.")
	webtest.Says(t, "the audit log", webtest.Words(b.Get("/admin/audit?about=delivery").Find("main")),
		"Stopped sending by hand", "Started by Dan. The member who started it is no longer an administrator.", "Started by Mary Wilkins. The webhook was deleted.")
}

// TestSendingToOneThatCannotSend: before the button is pressed and after, every page
// that sends by hand says that the delivery is held, why, and until when.
func TestSendingToOneThatCannotSend(t *testing.T) {
	s := webtest.NewHistorySite(t)
	paused, broken, slack := s.Hook("On pause", nil), s.Hook("Broke down", nil), s.Hook("Into Slack", func(in *models.WebhookInput) { in.Type = "slack" })
	s.Event("e-1", "One", nil)
	s.Dispatch(100)
	s.Attempt(paused.ID, models.DeliveryDelivered, models.Attempt{Code: 200}, 0, "")
	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, paused.ID))
	s.Must(s.Store.Webhooks.Break(t.Context(), broken.ID, "The receiver answered 410 Gone."))
	b := s.As(models.RoleAdministrator)
	button := func(name string) *goquery.Selection {
		return b.Get(s.EventPath("e-1")).Find(`form:has(button[aria-label="Send to this webhook: ` + name + `"])`)
	}
	says := func(name string, parts ...string) {
		t.Helper()
		form := button(name)
		if form.Find("button[aria-describedby]").Length() != 1 {
			t.Errorf("the button for %s has no description", name)
		}
		webtest.Says(t, "the button for "+name, webtest.Words(form), parts...)
	}
	says("On pause", "The webhook has been paused since", "by Mary Wilkins. The delivery will be held until it is resumed.")
	// The outcome says already why it is held.
	says("Broke down", "Another delivery will be held until it is resumed.")
	webtest.Says(t, "the outcome", webtest.Words(b.Get(s.EventPath("e-1")).Find("main")), "the webhook has been broken since")
	if text := webtest.Words(button("Into Slack")); text != "Send to this webhook" {
		t.Errorf("one that can send: %q", text)
	}
	form := button("Broke down")
	b.Post(form.AttrOr("action", ""), formOf(form))
	webtest.Says(t, "the delivery", webtest.Words(b.Get(b.To).Find("body")), "Not sent to Broke down yet.", "The delivery is held until it is resumed.")
	// All of a filter.
	many := func(w models.Webhook) *goquery.Document {
		return b.Get("/admin/trigger-history/send?send_to=" + web.FormatID(w.ID))
	}
	doc := many(paused)
	webtest.Says(t, "the question", webtest.Words(doc.Find("main")), "All will be held. The webhook has been paused since", "They go out once it is resumed.", "Send 1, to be held")
	if strings.Contains(webtest.Words(doc.Find("main")), "go out per second") {
		t.Error("the question says how long the sending takes")
	}
	for value, label := range map[string]string{"On pause": "Paused", "Broke down": "Broken", "Into Slack": ""} {
		if got := doc.Find("#send_to-list option[value^='" + value + "']").Text(); got != label {
			t.Errorf("the choice %s is %q", value, got)
		}
	}
	s.Set(models.EnableGenericWebhooks, "False")
	says("On pause", "The delivery will be held until it is resumed and Webhooks.EnableGenericWebhooks is on.")
	doc = many(slack)
	webtest.Says(t, "the choice while they are off", webtest.Words(doc.Find("main")), "Webhooks.EnableGenericWebhooks is off. Deliveries to a webhook that this switches off will be held until it is on.", "Up to 20 go out per second")
	fresh := s.Hook("Fresh", nil)
	webtest.Says(t, "one of a type that is off", webtest.Words(many(fresh).Find("main")), "All will be held. Webhooks.EnableGenericWebhooks is off. They go out once Webhooks.EnableGenericWebhooks is on.")
}
