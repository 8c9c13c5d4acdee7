package triggers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/triggers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// reported is a console with events of several outcomes: those with the ids one and
// two arrived at the webhook got, old was merged into new, and waiting has not been
// dispatched. There is another event two at python-wranglers.
func reported(t *testing.T) (c *webtest.Console, s *webtest.HistorySite, got, elsewhere models.Webhook) {
	t.Helper()
	c = webtest.NewConsole(t)
	s = &webtest.HistorySite{T: t, Store: c.Store, Server: c.Server}
	s.Set(models.DispatchInterval, "0")
	s.Set(models.DispatchDelay, "0")
	got = s.Hook("Got it", nil)
	s.Hook("Other tags", func(in *models.WebhookInput) { in.TagMode, in.Tags = models.TagsSpecific, []string{"django"} })
	elsewhere = s.Hook("Elsewhere", func(in *models.WebhookInput) { in.Location = "python-wranglers" })
	s.Event("one", "One", func(e *models.NewEvent) { e.Community = "guild" })
	s.Event("two", "Two", nil)
	s.Event("two", "Two", func(e *models.NewEvent) { e.Location = "python-wranglers" })
	for _, id := range []string{"old", "new"} {
		s.Event(id, "Edited", func(e *models.NewEvent) { e.MergeKey = "main question.created 9" })
	}
	s.Dispatch(100)
	s.Event("waiting", "Waiting", nil)
	return c, s, got, elsewhere
}

// TestTriggersAreExplainedWhileTheDatabaseFails: every page says so, whichever of its
// queries fails, and explains nothing by halves.
func TestTriggersAreExplainedWhileTheDatabaseFails(t *testing.T) {
	c, s, got, elsewhere := reported(t)
	about := "webhook=" + web.FormatID(got.ID)
	one := s.EventPath("one")
	for _, path := range []string{
		web.TriggersPath, web.TriggersPath + "?q=edit&location=main", web.TriggersPath + "?community=guild&matched=any&" + about,
		one, one + "?" + about, one + "?webhook=" + web.FormatID(elsewhere.ID), s.EventPath("old") + "?" + about, s.EventPath("waiting"), one + "/erase",
		triggers.SendManyPath, triggers.SendManyPath + "?send_to=" + web.FormatID(got.ID) + "&location=main&q=edit",
	} {
		c.Faults(http.MethodGet, path, nil).Want(http.StatusOK)
	}
	c.Faults(http.MethodGet, web.TriggersPath+"?id=one", nil).GoesTo(one)
	c.Faults(http.MethodGet, web.TriggersPath+"?id=one&"+about, nil).GoesTo(one + "?" + about)
	c.Faults(http.MethodGet, web.TriggersPath+"?id=two", nil).GoesTo(web.TriggersPath + "?q=two")
	c.Faults(http.MethodGet, web.TriggersPath+"?webhook=Elsewhere", nil).GoesTo(web.TriggersPath + "?webhook=" + web.FormatID(elsewhere.ID))
	c.Faults(http.MethodGet, web.TriggersPath+"?id=never&"+about, nil).Want(http.StatusNotFound)
	c.Faults(http.MethodGet, web.TriggersPath+"?id=never", nil).Want(http.StatusNotFound)
}

// TestEventsAreSentAndErasedWhileTheDatabaseFails: whichever query of a change fails,
// the page says that nothing was changed, and that is so.
func TestEventsAreSentAndErasedWhileTheDatabaseFails(t *testing.T) {
	c, s, got, _ := reported(t)
	one := s.EventPath("one")
	a := c.Faults(http.MethodPost, one+"/send", url.Values{"once": {"x"}, "webhook": {web.FormatID(got.ID)}}).Want(http.StatusSeeOther)
	if to := a.Header.Get("Location"); to != "/admin/deliveries/"+s.NewestDelivery(got.ID).PublicID+"?sending=1" {
		t.Errorf("sent, and goes to %s", to)
	}
	question := c.Get(triggers.SendManyPath + "?send_to=" + web.FormatID(got.ID) + "&location=main&q=edit").Want(http.StatusOK)
	form := question.Find("main form[method=post]").First()
	a = c.Faults(http.MethodPost, form.AttrOr("action", ""), question.Form()).Want(http.StatusSeeOther)
	progress := a.Header.Get("Location")
	if !strings.HasPrefix(progress, triggers.SendsPath+"/") {
		t.Fatalf("sent, and goes to %s", progress)
	}
	c.Faults(http.MethodGet, progress, nil).Want(http.StatusOK)
	c.Faults(http.MethodPost, s.EventPath("waiting")+"/erase", nil).Want(http.StatusUnprocessableEntity)
	c.Faults(http.MethodPost, one+"/erase", nil).GoesTo(one)
	if n := c.Change; n != 2 {
		t.Errorf("the jobs were woken %d times, want once for each thing that was sent", n)
	}
}
