package deliveries_test

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// tried is a delivery of one event whose first attempt timed out and whose
// second was answered 503.
func tried(s *webtest.HistorySite) (models.Webhook, models.DeliveryRow) {
	s.Helper()
	w := s.Hook("Board "+webtest.Nasty, nil)
	s.Event("e/1?#"+webtest.Nasty, "A question "+webtest.Nasty, nil)
	s.Dispatch(100)
	s.Attempt(w.ID, models.DeliveryRetrying, models.Attempt{ErrorClass: "timeout", Error: "no answer " + webtest.Nasty, DurationUS: 15_000_000}, time.Minute, "")
	row := s.Attempt(w.ID, models.DeliveryRetrying, models.Attempt{
		Code: 503, DurationUS: 212_000,
		RequestHeaders:  []byte(`[["webhook-id","msg_1"],["webhook-timestamp","1795225466"],["webhook-signature","***"]]`),
		ResponseHeaders: []byte(`[["Retry-After","1800"],["X-Odd","<img src=x onerror=alert(1)>"]]`),
		ResponseBody:    []byte("restarting " + webtest.Nasty + "\xff"), Truncated: true,
	}, 5*time.Minute, "busy")
	return w, row
}

func TestDeliveryShown(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w, row := tried(s)
	b := s.As(models.RoleAdministrator)
	path := "/admin/deliveries/" + row.PublicID
	main := b.Get(path).Find("main")
	text := webtest.Words(main)
	webtest.Says(t, "the page", text, "Delivery of ", "Retrying 503", "Board "+webtest.Nasty, row.PublicID, "2 of 8", "503 Service Unavailable", "Gives up",
		"Attempt 1 Timed out", "immediately · 15,000 ms", "What to do: Have the receiver respond first",
		"Attempt 2 503", "What to do: The receiver failed", "Attempt 3 Next", "in 4 min", "5 more after it", "A question "+webtest.Nasty)
	if main.Find("img").Length() != 0 {
		t.Error("a header became markup")
	}
	request := main.Find("#p-req")
	webtest.Says(t, "the request", webtest.Words(request), "POST https://hooks.example/x", "webhook-id msg_1", "1795225466 (01:44:26 UTC)", "hidden (sensitive)", `"questions"`)
	if !request.HasClass("d-none") || main.Find("#p-res").HasClass("d-none") {
		t.Error("a failed attempt does not open on its response")
	}
	asked := b.Get(path + "?attempt=2&tab=request").Find("main")
	if request = asked.Find("#p-req"); request.Find(".hljs-attr").Length() == 0 || request.HasClass("d-none") || !asked.Find("#p-res").HasClass("d-none") {
		t.Error("the request is not shown in colours, alone")
	}
	if to := main.Find("table a").AttrOr("href", ""); b.Status(to) != http.StatusOK {
		t.Errorf("the event's page is not at %q", to)
	}
	main = b.Get(path + "?attempt=2&tab=response").Find("main")
	response := main.Find("#p-res")
	webtest.Says(t, "the response", webtest.Words(response), "503 Service Unavailable", "Retry-After 1800", "restarting "+webtest.Nasty+"\uFFFD", "truncated", "<img src=x onerror=alert(1)>")
	if response.HasClass("d-none") {
		t.Error("the response is hidden although asked for")
	}
	webtest.Says(t, "the first attempt", webtest.Words(b.Get(path+"?attempt=1&tab=response").Find("#p-res")), "No response. The receiver did not answer within 15 seconds.", "no answer "+webtest.Nasty)
	raw := b.Get(path + "?attempt=2&raw=1").Find("#req-body")
	if raw.Text() != string(row.Body) && raw.Find("span").Length() != 0 {
		t.Errorf("raw body: %q", raw.Text())
	}
	if b.Status("/admin/deliveries/msg_unknown") != http.StatusNotFound {
		t.Error("an unknown delivery has a page")
	}
	_, err := s.Store.Webhooks.Delete(t.Context(), webtest.Boss, w.ID)
	s.Must(err)
	text = webtest.Words(b.Get(path).Find("main"))
	webtest.Says(t, "the page of a deleted webhook", text, "Dropped", "the webhook was deleted", "Reason")
	if strings.Contains(text, "Resend now") {
		t.Error("it can be sent again although its webhook was deleted")
	}
}

// TestSizeOfABodyInCommon: the page gives the length of what is sent, also when
// the body is stored once for several deliveries.
func TestSizeOfABodyInCommon(t *testing.T) {
	c := webtest.NewConsole(t)
	c.AddDelivery(c.AddWebhook(func(in *models.WebhookInput) { in.Name = "First" }))
	c.Exec("insert into bodies (id, body) values (77, ?)", []byte(`{"title":"It is in common"}`))
	c.Exec("update deliveries set public_id = 'msg_common', body_id = 77, body = x''")
	page := c.Get("/admin/deliveries/msg_common").Want(http.StatusOK)
	webtest.Says(t, "the body", page.Text("main"), "It is in common")
	if got := page.Text("dt:contains('Body') + dd"); got != "27 bytes" {
		t.Errorf("the page says %s", got)
	}
}

func TestDeliveryWithoutAttempts(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w := s.Hook("One", nil)
	s.Event("e-1", "One", nil)
	s.Dispatch(100)
	b := s.As(models.RoleAdministrator)
	path := "/admin/deliveries/" + s.NewestDelivery(w.ID).PublicID
	webtest.Says(t, "the pending page", webtest.Words(b.Get(path).Find("main")), "Pending", "Attempt 1 Next", "Request to be sent", "7 more after it")
	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, w.ID))
	text := webtest.Words(b.Get(path).Find("main"))
	webtest.Says(t, "the held page", text, "Held", "has been paused since", "by Mary Wilkins", "First attempt")
	if strings.Contains(text, "Gives up") || strings.Contains(text, "Attempt 1 Next") {
		t.Errorf("a held delivery announces an attempt: %s", text)
	}
}

func TestDeliveryHidesBodiesFromViewers(t *testing.T) {
	s := webtest.NewHistorySite(t)
	_, row := tried(s)
	b := s.As(models.RoleViewer)
	for _, query := range []string{"", "?raw=1", "?attempt=2&tab=response", "?attempt=2&tab=response&raw=1"} {
		text := webtest.Words(b.Get("/admin/deliveries/" + row.PublicID + query).Find("main"))
		webtest.Says(t, "the viewer's page", text, "Bodies are shown to administrators only", "Retry-After")
		if strings.Contains(text, `"questions"`) || strings.Contains(text, "restarting") || strings.Contains(text, "Resend") {
			t.Errorf("a viewer sees a body or a button: %s", text)
		}
	}
	if status, _ := b.Post("/admin/deliveries/"+row.PublicID+"/resend", nil); status != http.StatusForbidden {
		t.Errorf("a viewer resends: %d", status)
	}
	s.Event("e-2", "Secret plan", nil)
	if text := webtest.Words(b.Get(s.EventPath("e-2")).Find("main")); strings.Contains(text, `"question_id"`) {
		t.Error("a viewer sees what the site sent")
	}
}

func TestDeliveryResent(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w := s.Hook("One", nil)
	s.Event("e-1", "One", nil)
	s.Dispatch(100)
	row := s.Attempt(w.ID, models.DeliveryDelivered, models.Attempt{Code: 200}, 0, "")
	b := s.As(models.RoleAdministrator)
	path := "/admin/deliveries/" + row.PublicID
	if b.Get(path).Find(`form[action="`+path+`/resend"] button`).Text() != "Resend now" {
		t.Error("there is no button")
	}
	if status, _ := b.Post(path+"/resend", nil); status != http.StatusSeeOther || b.To != path+"?sending=1" {
		t.Fatalf("resend: %d to %s", status, b.To)
	}
	webtest.Says(t, "the page afterwards", webtest.Words(b.Get(path+"?sending=1").Find("main")), "Sending again", "This page refreshes until the attempt is recorded.")
	if again := b.Get(path).Find("main"); strings.Contains(webtest.Words(again), "This page refreshes") {
		t.Error("a page that does not refresh says so")
	}
	if row = s.NewestDelivery(w.ID); row.DueAt == nil || !row.Resend || s.Woken != 1 {
		t.Errorf("due %v, resend %v, jobs told %d times", row.DueAt, row.Resend, s.Woken)
	}
	s.Attempt(w.ID, models.DeliveryDelivered, models.Attempt{Code: 200, Manual: true}, 0, "")
	webtest.Says(t, "the timeline", webtest.Words(b.Get(path).Find(".timeline")), "Attempt 2 200", "manual")

	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, w.ID))
	doc := b.Get(path)
	if doc.Find(`form[action$="/resend"]`).Length() != 0 {
		t.Error("there is a button although the webhook is paused")
	}
	status, doc := b.Post(path+"/resend", nil)
	notice := doc.Find(".s-notice__danger")
	if status != http.StatusUnprocessableEntity || notice.Find("a").AttrOr("href", "") != "/admin/webhooks/"+web.FormatID(w.ID) {
		t.Errorf("resend while paused: %d, %s", status, webtest.Words(notice))
	}
	webtest.Says(t, "the refusal", webtest.Words(notice), "The delivery was not resent.", "has been paused since", "by Mary Wilkins", "Resume One")
	s.Set(models.EnableGenericWebhooks, "False")
	_, err := s.Store.Webhooks.Resume(t.Context(), webtest.Boss, w.ID, false)
	s.Must(err)
	_, doc = b.Post(path+"/resend", nil)
	if to := doc.Find(".s-notice__danger a").AttrOr("href", ""); !strings.HasSuffix(to, models.EnableGenericWebhooks) {
		t.Errorf("while the feature is off the way leads to %q", to)
	}
	_, err = s.Store.Webhooks.Delete(t.Context(), webtest.Boss, w.ID)
	s.Must(err)
	if status, doc = b.Post(path+"/resend", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("resend to a deleted webhook: %d", status)
	}
	webtest.Says(t, "that refusal", webtest.Words(doc.Find(".s-notice__danger")), "the webhook was deleted")
	if status, _ = b.Post("/admin/deliveries/msg_unknown/resend", nil); status != http.StatusNotFound {
		t.Errorf("resend of an unknown delivery: %d", status)
	}
	if row = s.NewestDelivery(w.ID); row.Tries != 2 || row.DueAt != nil {
		t.Errorf("a refused resend changed the delivery: %+v", row.Delivery)
	}
}

// TestCopyAsCurl runs the command that the page shows: the same body and headers
// arrive, but for values that are sensitive.
func TestCopyAsCurl(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w := s.Hook("One", nil)
	s.Event("e-1", "It's $HOME `x` "+webtest.Nasty, nil)
	s.Dispatch(100)
	r := webtest.NewReceiver(t)
	row := s.Attempt(w.ID, models.DeliveryDelivered, models.Attempt{
		Code: 200, URL: r.URL + "/hook", ResponseHeaders: []byte("[]"),
		RequestHeaders: []byte(`[["Content-Type","application/json"],["webhook-id","it's one"],["Authorization","********"],["Content-Length","1"]]`),
	}, 0, "")
	path := "/admin/deliveries/" + row.PublicID
	main := s.As(models.RoleAdministrator).Get(path).Find("main")
	command := main.Find("#curl").Text()
	webtest.Says(t, "the note", webtest.Words(main.Find("details.as-table").First()), "The signature is the one of this attempt", "its value is sensitive: Authorization")
	if words, err := exec.CommandContext(t.Context(), "sh", "-c", "printf '<%s>' "+command).Output(); err != nil || !strings.Contains(string(words), "<webhook-id: it's one>") {
		t.Fatalf("a shell reads it as %s: %v", words, err)
	}
	out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, command)
	}
	got := r.Requests()
	whole, err := s.Store.Deliveries.Get(t.Context(), models.AllLocations(), row.PublicID)
	s.Must(err)
	if len(got) != 1 || got[0].Body != string(wire.JoinBody(whole.SharedBytes(), whole.Body)) || got[0].Header.Get("webhook-id") != "it's one" || got[0].Header.Get("Authorization") != "" {
		t.Errorf("arrived: %+v", got)
	}
	if s.As(models.RoleViewer).Get(path).Find("#curl").Length() != 0 {
		t.Error("a viewer gets the body")
	}
}
