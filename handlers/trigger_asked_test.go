package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/models"
)

func TestWhyDidItNotFire(t *testing.T) {
	s := newHistorySite(t)
	got := s.hook("Got "+nasty, nil)
	held := s.hook("Held", nil)
	tags := s.hook("Tags", func(in *models.WebhookInput) { in.TagMode, in.Tags = models.TagsSpecific, []string{"django"} })
	away := s.hook("Away", func(in *models.WebhookInput) { in.Location = "devcentral" })
	gone := s.hook("Gone", nil)
	_, err := s.store.Webhooks.Delete(t.Context(), boss, gone.ID)
	s.must(err)
	odd := "e/1?" + nasty
	s.event(odd, "A title "+nasty, nil)
	s.event("older", "One", func(e *models.NewEvent) { e.MergeKey = "k" })
	s.event("newer", "One", func(e *models.NewEvent) { e.MergeKey = "k" })
	s.dispatch(100)
	s.attempt(got.ID, models.DeliveryDelivered, models.Attempt{Code: 200, DurationUS: 3000}, 0, "")
	s.must(s.store.Webhooks.Pause(t.Context(), boss, held.ID))
	late := s.hook("Late", nil)
	b := s.as(models.RoleAdministrator)

	for _, test := range []struct {
		webhook models.Webhook
		event   string
		says    []string
		link    string
	}{
		{got, odd, []string{"Why did Got " + nasty + " not fire?", "It did fire", "Delivered 200"}, "/admin/deliveries/"},
		{held, odd, []string{"It matched, and is held: the webhook cannot send.", "Paused by Mary Wilkins since", "It goes out once"}, "/admin/deliveries/"},
		{tags, odd, []string{"It did not match. Tags differ . The event has no tags; it wants django."}, webhookPath(tags.ID) + "/edit#tags"},
		{away, odd, []string{"It did not match. Location differs"}, webhookPath(away.ID) + "/edit#location"},
		{gone, odd, []string{"It did not match. Deleted . The webhook had been deleted"}, "/admin/trigger-history?webhook="},
		{late, odd, []string{"It did not match. Created later"}, "/admin/trigger-history?webhook="},
		{got, "older", []string{"It was not sent by itself"}, triggerQuestion(got.ID, s.number("newer"))},
	} {
		doc := b.get(triggerQuestion(test.webhook.ID, s.number(test.event)))
		answer := doc.Find("section[aria-labelledby=asked]")
		text := strings.ReplaceAll(words(answer), " . ", ". ")
		for i := range test.says {
			test.says[i] = strings.ReplaceAll(test.says[i], " . ", ". ")
		}
		says(t, "about "+test.webhook.Name, text, test.says...)
		if answer.Find(`a[href^="`+test.link+`"]`).Length() == 0 {
			t.Errorf("%s: no link to %s", test.webhook.Name, test.link)
		}
	}
	doc := b.get("/admin/trigger-history?webhook=" + formatID(got.ID))
	says(t, "the question", words(doc.Find("section[aria-labelledby=asked]")), "Why did Got "+nasty+" not fire?", "Explain")
	rows := words(doc.Find("tbody"))
	says(t, "the list", rows, "Dispatched matched, ", "Merged into a newer one")
	says(t, "one that does not match", words(b.get("/admin/trigger-history?webhook="+formatID(tags.ID)).Find("tbody")), "not for this webhook, ")
	if other := b.get("/admin/trigger-history?webhook=" + formatID(away.ID)); other.Find("tbody tr").Length() != 0 {
		t.Errorf("events of another location than the webhook's: %s", words(other.Find("tbody")))
	}
	all := b.get("/admin/trigger-history?location=&webhook=" + formatID(away.ID))
	says(t, "events of all locations", words(all.Find("main")), "only those of", "A title")
	says(t, "the list of all", words(b.get("/admin/trigger-history?q=one").Find("tbody")), "Dispatched 2 matched, ")
	if to := doc.Find("tbody a").First().AttrOr("href", ""); to != triggerQuestion(got.ID, s.number("newer")) {
		t.Errorf("a line of the list leads to %q", to)
	}
	path := "/admin/trigger-history?" + url.Values{"webhook": {formatID(got.ID)}, "id": {"no " + nasty}}.Encode()
	if b.status(path) != http.StatusNotFound {
		t.Error("an unknown event is found")
	}
	_, doc = b.do(http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+path, nil))
	says(t, "an unknown event", words(doc.Find("[role=alert]")), "There is no event no "+nasty)
	if b.status("/admin/trigger-history?webhook=999") != http.StatusNotFound || b.status(triggerQuestion(999, s.number(odd))) != http.StatusNotFound {
		t.Error("an unknown webhook is found")
	}
}

func TestEraseContent(t *testing.T) {
	s := newHistorySite(t)
	w := s.hook("One", nil)
	waits := s.hook("Waits", nil)
	odd := "e/1?" + nasty
	s.event(odd, "Written by Åsa "+nasty, nil)
	b := s.as(models.RoleAdministrator)
	if got := b.get(s.eventPath(odd)).Find("main a[href*=erase]").Length(); got != 0 {
		t.Error("what is not dispatched is offered to be erased")
	}
	if status, doc := b.post(erasePath(s.number(odd)), nil); status != http.StatusUnprocessableEntity || !strings.Contains(words(doc.Find("[role=alert]")), "not dispatched yet") {
		t.Errorf("erased before its dispatch: %d", status)
	}
	s.dispatch(100)
	row := s.attempt(w.ID, models.DeliveryDelivered, models.Attempt{Code: 200, ResponseBody: []byte("thanks Åsa")}, 0, "")
	path := b.get(s.eventPath(odd)).Find("main a[href*=erase]").AttrOr("href", "")
	doc := b.get(path)
	says(t, "the question", words(doc.Find("main")), "Erase the content of this event?", "recorded answers of 1 delivery", "What stays", "The bodies of these deliveries stay", "pending")
	if kept := doc.Find(".bullets a").AttrOr("href", ""); b.status(kept) != http.StatusOK || !strings.Contains(kept, s.newestDelivery(waits.ID).PublicID) {
		t.Errorf("the kept one is at %q", kept)
	}
	status, _ := b.post(doc.Find("main form").AttrOr("action", ""), url.Values{})
	if status != http.StatusSeeOther || b.to != s.eventPath(odd) {
		t.Fatalf("erase: %d to %s", status, b.to)
	}
	doc = b.get(s.eventPath(odd))
	says(t, "the event", words(doc.Find("main")), "Its content was erased", "Question created", "Matched: 2")
	if strings.Contains(words(doc.Find("main")), "Åsa") || doc.Find("main a[href*=erase]").Length() > 0 {
		t.Error("something is left of it")
	}
	doc = b.get(deliveryPath(row.PublicID))
	says(t, "the delivery", words(doc.Find("main")), "Its content was erased.", "Delivered 200", "It is empty")
	if doc.Find("main form").Length() > 0 || strings.Contains(words(doc.Find("main")), "Åsa") {
		t.Error("it can be resent, or something is left")
	}
	if status, _ = b.post(deliveryPath(row.PublicID)+"/resend", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("resend: %d", status)
	}
	if status, _ = b.post(erasePath(s.number(odd)), nil); status != http.StatusNotFound {
		t.Errorf("erased twice: %d", status)
	}
	says(t, "the log", words(b.get("/admin/audit?about=event").Find("tbody")), "Erased content", odd)
	b.get("/admin/trigger-history")
	// The preview of the form goes on without it.
	form := url.Values{"do": {"preview"}}
	b.get(webhookPath(w.ID) + "/edit").Find("main form[method=post] input").Each(func(_ int, field *goquery.Selection) {
		_, checked := field.Attr("checked")
		if kind := field.AttrOr("type", ""); kind != "checkbox" && kind != "radio" || checked {
			form.Add(field.AttrOr("name", ""), field.AttrOr("value", ""))
		}
	})
	form.Set("location", "main")
	if status, doc = b.post(webhookPath(w.ID)+"/edit", form); status != http.StatusOK {
		t.Errorf("preview: %d: %s", status, words(doc.Find("main")))
	}
}
