package webhooks

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

type webhookDeletePage struct {
	web.Page
	Webhook models.Webhook
	Waiting int64
	Back    string // the list
	Action  string
}

// Delete asks before deleting, and says how many deliveries would be dropped.
func (s *Pages) Delete(c *gin.Context) error {
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	n, err := s.Store.Webhooks.Waiting(c.Request.Context(), w.ID)
	if err != nil {
		return err
	}
	return s.Render(c, http.StatusOK, "webhook_delete", &webhookDeletePage{
		Page: web.Page{Title: "Delete " + w.Name, Nav: "webhooks"}, Webhook: w, Waiting: n,
		Back: listBehind(c), Action: c.Request.URL.RequestURI(),
	})
}

// DeletePost deletes a webhook and drops its waiting deliveries.
func (s *Pages) DeletePost(c *gin.Context) error {
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	n, err := s.Store.Webhooks.Delete(c.Request.Context(), web.ActorOf(c), w.ID)
	if err != nil {
		return err
	}
	s.OnChange()
	text := "Deleted " + w.Name + "."
	if n > 0 {
		text += " " + web.Plural(n, "waiting notification was dropped.", "waiting notifications were dropped.")
	}
	return s.Redirect(c, listBehind(c), web.Flash{Kind: "success", Text: text})
}

// Pause stops a webhook from sending. Its deliveries are held until it is
// resumed.
func (s *Pages) Pause(c *gin.Context) error {
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	if err = s.Store.Webhooks.Pause(c.Request.Context(), web.ActorOf(c), w.ID); err != nil {
		return err
	}
	s.OnChange()
	return s.Redirect(c, WebhookPath(w.ID), web.Flash{Kind: "success", Text: "Paused " + w.Name + ". Its notifications are held from now on."})
}

// Claim makes the reader the owner of a webhook that has none.
func (s *Pages) Claim(c *gin.Context) error {
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	err = s.Store.Webhooks.Claim(c.Request.Context(), web.ActorOf(c), w.ID)
	if taken, is := errors.AsType[*models.ConflictError](err); is {
		return s.Redirect(c, WebhookPath(w.ID), web.Flash{Kind: "warning", Text: w.Name + " already has an owner: " + taken.By + "."})
	}
	if err != nil {
		return err
	}
	return s.Redirect(c, WebhookPath(w.ID), web.Flash{Kind: "success", Text: w.Name + " is yours now."})
}

// heldForm has the choice for held deliveries: send or drop.
type heldForm struct {
	Held string `form:"held" binding:"oneof=send drop"`
}

// Resume makes a webhook active again; the field held says whether waiting
// deliveries are sent or dropped.
func (s *Pages) Resume(c *gin.Context) error {
	var form heldForm
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	at, err := s.Store.Snapshot(c.Request.Context()) // an error after the change would say that nothing was changed
	if err != nil {
		return err
	}
	n, err := s.Store.Webhooks.Resume(c.Request.Context(), web.ActorOf(c), w.ID, form.Held == "drop")
	if err != nil {
		return err
	}
	s.OnChange()
	text := "Resumed " + w.Name + "."
	switch {
	case n > 0 && form.Held == "drop":
		text += " " + web.Plural(n, "held notification was dropped.", "held notifications were dropped.")
	case n > 0 && !at.Settings.GenericEnabled && web.NeedsFeature(w.Type):
		text += " " + stayHeld(n)
	case n > 0:
		text += " " + web.Plural(n, "held notification is being sent.", "held notifications are being sent.")
	}
	return s.Redirect(c, WebhookPath(w.ID), web.Flash{Kind: "success", Text: text})
}

// WebhookPath is the address of a webhook's page.
func WebhookPath(id int64) string { return fmt.Sprintf("/admin/webhooks/%d", id) }
