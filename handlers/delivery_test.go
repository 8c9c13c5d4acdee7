package handlers

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// tried is a delivery of one event whose first attempt timed out and whose
// second was answered 503.
func tried(s *historySite) (models.Webhook, models.DeliveryRow) {
	s.Helper()
	w := s.hook("Board "+nasty, nil)
	s.event("e/1?#"+nasty, "A question "+nasty, nil)
	s.dispatch(100)
	s.attempt(w.ID, models.DeliveryRetrying, models.Attempt{ErrorClass: "timeout", Error: "no answer " + nasty, DurationUS: 15_000_000}, time.Minute, "")
	row := s.attempt(w.ID, models.DeliveryRetrying, models.Attempt{
		Code: 503, DurationUS: 212_000,
		RequestHeaders:  []byte(`[["webhook-id","msg_1"],["webhook-timestamp","1795225466"],["webhook-signature","***"]]`),
		ResponseHeaders: []byte(`[["Retry-After","1800"],["X-Odd","<img src=x onerror=alert(1)>"]]`),
		ResponseBody:    []byte("restarting " + nasty + "\xff"), Truncated: true,
	}, 5*time.Minute, "busy")
	return w, row
}

func TestDeliveryShown(t *testing.T) {
	s := newHistorySite(t)
	w, row := tried(s)
	b := s.as(models.RoleAdministrator)
	path := "/admin/deliveries/" + row.PublicID
	main := b.get(path).Find("main")
	text := words(main)
	says(t, "the page", text, "Delivery of ", "Retrying 503", "Board "+nasty, row.PublicID, "2 of 8", "503 Service Unavailable", "Gives up",
		"Attempt 1 Timed out", "at once · 15,000 ms", "What to do: Let the receiver answer first",
		"Attempt 2 503", "What to do: The receiver failed", "Attempt 3 Next", "in 4 min", "5 more after it", "A question "+nasty)
	if main.Find("img").Length() != 0 {
		t.Error("a header became markup")
	}
	request := main.Find("#p-req")
	says(t, "the request", words(request), "POST https://hooks.example/x", "webhook-id msg_1", "1795225466 (01:44:26 UTC)", "starred, sensitive", `"questions"`)
	if request.Find(".hljs-attr").Length() == 0 || request.HasClass("d-none") || !main.Find("#p-res").HasClass("d-none") {
		t.Error("the request is not shown in colours, alone")
	}
	if to := main.Find("table a").AttrOr("href", ""); b.status(to) != http.StatusOK {
		t.Errorf("the event's page is not at %q", to)
	}
	main = b.get(path + "?attempt=2&tab=response").Find("main")
	response := main.Find("#p-res")
	says(t, "the response", words(response), "503 Service Unavailable", "Retry-After 1800", "restarting "+nasty+"\uFFFD", "longer than what is kept", "<img src=x onerror=alert(1)>")
	if response.HasClass("d-none") {
		t.Error("the response is hidden although asked for")
	}
	says(t, "the first attempt", words(b.get(path+"?attempt=1&tab=response").Find("#p-res")), "No answer came. It did not answer within 15 seconds.", "no answer "+nasty)
	raw := b.get(path + "?attempt=2&raw=1").Find("#req-body")
	if raw.Text() != string(row.Body) && raw.Find("span").Length() != 0 {
		t.Errorf("raw body: %q", raw.Text())
	}
	if b.status("/admin/deliveries/msg_unknown") != http.StatusNotFound {
		t.Error("an unknown delivery has a page")
	}
	_, err := s.store.Webhooks.Delete(t.Context(), boss, w.ID)
	s.must(err)
	text = words(b.get(path).Find("main"))
	says(t, "the page of a deleted webhook", text, "Dropped", "the webhook was deleted", "Why it ended")
	if strings.Contains(text, "Resend now") {
		t.Error("it can be sent again although its webhook was deleted")
	}
}

func TestDeliveryWithoutAttempts(t *testing.T) {
	s := newHistorySite(t)
	w := s.hook("One", nil)
	s.event("e-1", "One", nil)
	s.dispatch(100)
	b := s.as(models.RoleAdministrator)
	path := "/admin/deliveries/" + s.newestDelivery(w.ID).PublicID
	says(t, "the pending page", words(b.get(path).Find("main")), "Pending", "Attempt 1 Next", "What is going to be sent", "7 more after it")
	s.must(s.store.Webhooks.Pause(t.Context(), boss, w.ID))
	text := words(b.get(path).Find("main"))
	says(t, "the held page", text, "Held", "paused by Mary Wilkins", "First attempt")
	if strings.Contains(text, "Gives up") || strings.Contains(text, "Attempt 1 Next") {
		t.Errorf("a held delivery announces an attempt: %s", text)
	}
}

func TestDeliveryHidesBodiesFromViewers(t *testing.T) {
	s := newHistorySite(t)
	_, row := tried(s)
	b := s.as(models.RoleViewer)
	for _, query := range []string{"", "?raw=1", "?attempt=2&tab=response", "?attempt=2&tab=response&raw=1"} {
		text := words(b.get("/admin/deliveries/" + row.PublicID + query).Find("main"))
		says(t, "the viewer's page", text, "Bodies are shown to administrators only", "Retry-After")
		if strings.Contains(text, `"questions"`) || strings.Contains(text, "restarting") || strings.Contains(text, "Resend") {
			t.Errorf("a viewer sees a body or a button: %s", text)
		}
	}
	if status, _ := b.post("/admin/deliveries/"+row.PublicID+"/resend", nil); status != http.StatusForbidden {
		t.Errorf("a viewer resends: %d", status)
	}
	s.event("e-2", "Secret plan", nil)
	if text := words(b.get(s.eventPath("e-2")).Find("main")); strings.Contains(text, `"question_id"`) {
		t.Error("a viewer sees what the site sent")
	}
}

func TestDeliveryResent(t *testing.T) {
	s := newHistorySite(t)
	w := s.hook("One", nil)
	s.event("e-1", "One", nil)
	s.dispatch(100)
	row := s.attempt(w.ID, models.DeliveryDelivered, models.Attempt{Code: 200}, 0, "")
	b := s.as(models.RoleAdministrator)
	path := "/admin/deliveries/" + row.PublicID
	if b.get(path).Find(`form[action="`+path+`/resend"] button`).Text() != "Resend now" {
		t.Error("there is no button")
	}
	if status, _ := b.post(path+"/resend", nil); status != http.StatusSeeOther || b.to != path {
		t.Fatalf("resend: %d to %s", status, b.to)
	}
	says(t, "the page afterwards", words(b.get(path).Find("main")), "It is being sent again")
	if row = s.newestDelivery(w.ID); row.DueAt == nil || !row.Resend || s.woken != 1 {
		t.Errorf("due %v, resend %v, jobs told %d times", row.DueAt, row.Resend, s.woken)
	}
	s.attempt(w.ID, models.DeliveryDelivered, models.Attempt{Code: 200, Manual: true}, 0, "")
	says(t, "the timeline", words(b.get(path).Find(".timeline")), "Attempt 2 200", "by hand")

	s.must(s.store.Webhooks.Pause(t.Context(), boss, w.ID))
	doc := b.get(path)
	if doc.Find(`form[action$="/resend"]`).Length() != 0 {
		t.Error("there is a button although the webhook is paused")
	}
	status, doc := b.post(path+"/resend", nil)
	notice := doc.Find(".s-notice__danger")
	if status != http.StatusUnprocessableEntity || notice.Find("a").AttrOr("href", "") != "/admin/webhooks/"+formatID(w.ID) {
		t.Errorf("resend while paused: %d, %s", status, words(notice))
	}
	says(t, "the refusal", words(notice), "It was not sent again.", "paused by Mary Wilkins", "Resume One")
	s.set(models.EnableGenericWebhooks, "False")
	_, err := s.store.Webhooks.Resume(t.Context(), boss, w.ID, false)
	s.must(err)
	_, doc = b.post(path+"/resend", nil)
	if to := doc.Find(".s-notice__danger a").AttrOr("href", ""); !strings.HasSuffix(to, models.EnableGenericWebhooks) {
		t.Errorf("while the feature is off the way leads to %q", to)
	}
	_, err = s.store.Webhooks.Delete(t.Context(), boss, w.ID)
	s.must(err)
	if status, doc = b.post(path+"/resend", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("resend to a deleted webhook: %d", status)
	}
	says(t, "that refusal", words(doc.Find(".s-notice__danger")), "the webhook was deleted")
	if status, _ = b.post("/admin/deliveries/msg_unknown/resend", nil); status != http.StatusNotFound {
		t.Errorf("resend of an unknown delivery: %d", status)
	}
	if row = s.newestDelivery(w.ID); row.Tries != 2 || row.DueAt != nil {
		t.Errorf("a refused resend changed the delivery: %+v", row.Delivery)
	}
}
