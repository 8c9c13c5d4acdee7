package triggers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/triggers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

func TestWhyDidItNotFire(t *testing.T) {
	s := webtest.NewHistorySite(t)
	got := s.Hook("Got "+webtest.Nasty, nil)
	held := s.Hook("Held", nil)
	tags := s.Hook("Tags", func(in *models.WebhookInput) { in.TagMode, in.Tags = models.TagsSpecific, []string{"django"} })
	away := s.Hook("Away", func(in *models.WebhookInput) { in.Location = "devcentral" })
	gone := s.Hook("Gone", nil)
	_, err := s.Store.Webhooks.Delete(t.Context(), webtest.Boss, gone.ID)
	s.Must(err)
	odd := "e/1?" + webtest.Nasty
	s.Event(odd, "A title "+webtest.Nasty, nil)
	s.Event("older", "One", func(e *models.NewEvent) { e.MergeKey = "k" })
	s.Event("newer", "One", func(e *models.NewEvent) { e.MergeKey = "k" })
	s.Dispatch(100)
	s.Attempt(got.ID, models.DeliveryDelivered, models.Attempt{Code: 200, DurationUS: 3000}, 0, "")
	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, held.ID))
	late := s.Hook("Late", nil)
	b := s.As(models.RoleAdministrator)

	for _, test := range []struct {
		webhook models.Webhook
		event   string
		says    []string
		link    string
	}{
		{got, odd, []string{"Why did Got " + webtest.Nasty + " not fire?", "It did fire", "Delivered 200"}, "/admin/deliveries/"},
		{held, odd, []string{"It matched and is held because the webhook cannot send.", "Paused since", "It goes out once"}, "/admin/deliveries/"},
		{tags, odd, []string{"It did not match. Tags differ . The event has no tags; this webhook requires django."}, webhooks.WebhookPath(tags.ID) + "/edit#tags"},
		{away, odd, []string{"It did not match. Location differs"}, webhooks.WebhookPath(away.ID) + "/edit#location"},
		{gone, odd, []string{"It did not match. Deleted . The webhook had been deleted"}, "/admin/trigger-history?matched=any&webhook="},
		{late, odd, []string{"It did not match. Created later"}, "/admin/trigger-history?matched=any&webhook="},
		{got, "older", []string{"It was not sent on its own"}, triggers.TriggerQuestion(got.ID, s.Number("newer"))},
	} {
		doc := b.Get(triggers.TriggerQuestion(test.webhook.ID, s.Number(test.event)))
		answer := doc.Find("section[aria-labelledby=asked]")
		text := strings.ReplaceAll(webtest.Words(answer), " . ", ". ")
		for i := range test.says {
			test.says[i] = strings.ReplaceAll(test.says[i], " . ", ". ")
		}
		webtest.Says(t, "about "+test.webhook.Name, text, test.says...)
		if answer.Find(`a[href^="`+test.link+`"]`).Length() == 0 {
			t.Errorf("%s: no link to %s", test.webhook.Name, test.link)
		}
	}
	doc := b.Get("/admin/trigger-history?matched=any&webhook=" + web.FormatID(got.ID))
	webtest.Says(t, "the question", webtest.Words(doc.Find("section[aria-labelledby=asked]")), "Why did Got "+webtest.Nasty+" not fire?", "Explain")
	rows := webtest.Words(doc.Find("tbody"))
	webtest.Says(t, "the list", rows, "Dispatched matched, ", "Merged into a newer one")
	webtest.Says(t, "one that does not match", webtest.Words(b.Get("/admin/trigger-history?matched=any&webhook="+web.FormatID(tags.ID)).Find("tbody")), "not for this webhook, ")
	if other := b.Get("/admin/trigger-history?matched=any&webhook=" + web.FormatID(away.ID)); other.Find("tbody tr").Length() != 0 {
		t.Errorf("events of another location than the webhook's: %s", webtest.Words(other.Find("tbody")))
	}
	all := b.Get("/admin/trigger-history?location=&matched=any&webhook=" + web.FormatID(away.ID))
	webtest.Says(t, "events of all locations", webtest.Words(all.Find("main")), "only those of", "A title")
	webtest.Says(t, "the list of all", webtest.Words(b.Get("/admin/trigger-history?q=one").Find("tbody")), "Dispatched to Got "+webtest.Nasty+" , Held , ")
	if to := doc.Find("tbody a").First().AttrOr("href", ""); to != triggers.TriggerQuestion(got.ID, s.Number("newer")) {
		t.Errorf("a line of the list leads to %q", to)
	}
	path := "/admin/trigger-history?" + url.Values{"webhook": {web.FormatID(got.ID)}, "id": {"no " + webtest.Nasty}}.Encode()
	if b.Status(path) != http.StatusNotFound {
		t.Error("an unknown event is found")
	}
	_, doc = b.Do(http.NewRequestWithContext(t.Context(), http.MethodGet, s.Server.URL+path, nil))
	webtest.Says(t, "an unknown event", webtest.Words(doc.Find("[role=alert]")), "There is no event no "+webtest.Nasty)
	if b.Status("/admin/trigger-history?webhook=999") != http.StatusNotFound || b.Status(triggers.TriggerQuestion(999, s.Number(odd))) != http.StatusNotFound {
		t.Error("an unknown webhook is found")
	}
}

func TestEraseContent(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w := s.Hook("One", nil)
	delays := s.Hook("Waits", nil)
	odd := "e/1?" + webtest.Nasty
	s.Event(odd, "Written by Åsa "+webtest.Nasty, nil)
	b := s.As(models.RoleAdministrator)
	if got := b.Get(s.EventPath(odd)).Find("main a[href*=erase]").Length(); got != 0 {
		t.Error("what is not dispatched is offered to be erased")
	}
	if status, doc := b.Post(triggers.ErasePath(s.Number(odd)), nil); status != http.StatusUnprocessableEntity || !strings.Contains(webtest.Words(doc.Find("[role=alert]")), "not been dispatched yet") {
		t.Errorf("erased before its dispatch: %d", status)
	}
	s.Dispatch(100)
	row := s.Attempt(w.ID, models.DeliveryDelivered, models.Attempt{Code: 200, ResponseBody: []byte("thanks Åsa")}, 0, "")
	path := b.Get(s.EventPath(odd)).Find("main a[href*=erase]").AttrOr("href", "")
	doc := b.Get(path)
	webtest.Says(t, "the question", webtest.Words(doc.Find("main")), "Erase the content of this event?", "recorded responses of 1 delivery", "tags and times stay", "The bodies of these deliveries stay", "pending")
	if link := doc.Find(".bullets a").AttrOr("href", ""); b.Status(link) != http.StatusOK || !strings.Contains(link, s.NewestDelivery(delays.ID).PublicID) {
		t.Errorf("the kept one is at %q", link)
	}
	status, _ := b.Post(doc.Find("main form").AttrOr("action", ""), url.Values{})
	if status != http.StatusSeeOther || b.To != s.EventPath(odd) {
		t.Fatalf("erase: %d to %s", status, b.To)
	}
	doc = b.Get(s.EventPath(odd))
	webtest.Says(t, "the event", webtest.Words(doc.Find("main")), "Its content was erased", "Question created", "Matched: 2")
	if strings.Contains(webtest.Words(doc.Find("main")), "Åsa") || doc.Find("main a[href*=erase]").Length() > 0 {
		t.Error("something is left of it")
	}
	doc = b.Get(deliveries.Path(row.PublicID))
	webtest.Says(t, "the delivery", webtest.Words(doc.Find("main")), "content of this delivery was erased", "Delivered 200", "The body is empty")
	if doc.Find("main form").Length() > 0 || strings.Contains(webtest.Words(doc.Find("main")), "Åsa") {
		t.Error("it can be resent, or something is left")
	}
	if status, _ = b.Post(deliveries.Path(row.PublicID)+"/resend", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("resend: %d", status)
	}
	if status, _ = b.Post(triggers.ErasePath(s.Number(odd)), nil); status != http.StatusNotFound {
		t.Errorf("erased twice: %d", status)
	}
	webtest.Says(t, "the log", webtest.Words(b.Get("/admin/audit?about=event").Find("tbody")), "Erased content", odd)
	b.Get("/admin/trigger-history")
	// The preview of the form goes on without it.
	form := url.Values{"do": {"preview"}}
	b.Get(webhooks.WebhookPath(w.ID) + "/edit").Find("main form[method=post] input").Each(func(_ int, field *goquery.Selection) {
		_, checked := field.Attr("checked")
		if kind := field.AttrOr("type", ""); kind != "checkbox" && kind != "radio" || checked {
			form.Add(field.AttrOr("name", ""), field.AttrOr("value", ""))
		}
	})
	form.Set("location", "main")
	if status, doc = b.Post(webhooks.WebhookPath(w.ID)+"/edit", form); status != http.StatusOK {
		t.Errorf("preview: %d: %s", status, webtest.Words(doc.Find("main")))
	}
}
