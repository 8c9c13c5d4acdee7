package deliveries_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestQueuedResendsAreHeld: four failed deliveries are resent, and the webhook
// breaks at the first. Every page says that three are held, and Resume asks what
// to do with the three. Dropped, they are failed as they were before.
func TestQueuedResendsAreHeld(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) { queuedResendsAreHeld(t, webtest.NewHistorySiteOn(t, kind)) })
	}
}

func queuedResendsAreHeld(t *testing.T, s *webtest.HistorySite) {
	t.Helper()
	w := s.Hook("Board", nil)
	failures(s, w, 0, 4)
	b := s.As(models.RoleAdministrator)
	progress := resendFailed(t, b, w)
	s.Attempt(w.ID, models.DeliveryFailed, models.Attempt{Code: http.StatusGone}, 0, "The receiver answered 410 Gone.")
	s.Must(s.Store.Webhooks.Break(t.Context(), w.ID, "The receiver answered 410 Gone."))

	main := func(path string) string { return webtest.Words(b.Get(path).Find("main")) }
	webtest.Says(t, "the progress", main(progress), "Resending is on hold", "1 of 4 deliveries done", "3 deliveries wait because their webhooks cannot send")
	page := b.Get("/admin/webhooks/" + web.FormatID(w.ID))
	webtest.Says(t, "the webhook's page", webtest.Words(page.Find("main")), "3 notifications are held.", "Resume and send 3 held", "Resume and drop 3 held")
	webtest.Says(t, "the banner", webtest.Words(page.Find("section[aria-label='What needs attention']")), "3 notifications are held. They are dropped from ", "unless the webhook is resumed.")
	webtest.Says(t, "the list of webhooks", main("/admin/webhooks"), "3 held")
	held := b.Get("/admin/deliveries?state=held")
	if rows := held.Find("main tbody tr"); rows.Length() != 3 || strings.Count(webtest.Words(rows), "Held") != 3 {
		t.Errorf("the filter Held finds %q", webtest.Words(rows))
	}
	webtest.Says(t, "one of them", main(held.Find("main tbody a[href^='/admin/deliveries/msg_']").First().AttrOr("href", "")), "Held", "the webhook has been broken since")
	webtest.Says(t, "the System page", main("/admin/system"), "Deliveries waiting (including held) 3")
	webtest.Says(t, "the question about all selected", main("/admin/webhooks/bulk?do=resume&id="+web.FormatID(w.ID)), "3")
	webtest.Says(t, "the question before deleting", main("/admin/webhooks/"+web.FormatID(w.ID)+"/delete"), "3 notifications")

	status, _ := b.Post("/admin/webhooks/"+web.FormatID(w.ID)+"/resume", url.Values{"held": {"drop"}})
	if status != http.StatusSeeOther {
		t.Fatalf("resume: %d", status)
	}
	webtest.Says(t, "the webhook's page after Resume", main(b.To), "3 held notifications were dropped.")
	if rows := b.Get("/admin/deliveries?state=failed").Find("main tbody tr").Length(); rows != 4 {
		t.Errorf("%d are failed, want all 4 as before", rows)
	}
	for path, want := range map[string]int{"/admin/deliveries?state=held": 0, "/admin/deliveries?state=dropped": 0, "/admin/deliveries?state=waiting": 0} {
		if rows := b.Get(path).Find("main tbody tr").Length(); rows != want {
			t.Errorf("%s lists %d", path, rows)
		}
	}
	webtest.Says(t, "the System page afterwards", main("/admin/system"), "Deliveries waiting (including held) 0")

	// Sent, they wait for their turn, as failed deliveries that are resent.
	progress = resendFailed(t, b, w)
	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, w.ID))
	webtest.Says(t, "the page of the paused webhook", main("/admin/webhooks/"+web.FormatID(w.ID)), "4 notifications are held.", "Resume and send 4 held")
	if status, _ = b.Post("/admin/webhooks/"+web.FormatID(w.ID)+"/resume", url.Values{"held": {"send"}}); status != http.StatusSeeOther {
		t.Fatalf("resume: %d", status)
	}
	webtest.Says(t, "the webhook's page after Resume", main(b.To), "4 held notifications are being sent.")
	webtest.Says(t, "the progress after Resume", main(progress), "0 of 4 deliveries done", "refreshes until")
}

// resendFailed resends all failed deliveries of a webhook, and returns the
// address of the progress.
func resendFailed(t *testing.T, b *webtest.HistoryBrowser, w models.Webhook) string {
	t.Helper()
	question := b.Get("/admin/deliveries/resend?state=failed&webhook=" + web.FormatID(w.ID)).Find("main form[method=post]")
	form := url.Values{}
	question.Find("input").Each(func(_ int, field *goquery.Selection) { form.Set(field.AttrOr("name", ""), field.AttrOr("value", "")) })
	if status, _ := b.Post(question.AttrOr("action", ""), form); status != http.StatusSeeOther {
		t.Fatalf("resend: %d", status)
	}
	return b.To
}
