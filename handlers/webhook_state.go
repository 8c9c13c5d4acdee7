package handlers

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

type webhookDeletePage struct {
	page
	Webhook models.Webhook
	Waiting int64
}

// webhookDelete asks before deleting, and says what would be dropped.
func (s *webhooksPages) webhookDelete(c *gin.Context) error {
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	n, err := s.Store.Webhooks.Waiting(c.Request.Context(), w.ID)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "webhook_delete", &webhookDeletePage{
		page: page{Title: "Delete " + w.Name, Nav: "webhooks"}, Webhook: w, Waiting: n,
	})
}

func (s *webhooksPages) webhookDeletePost(c *gin.Context) error {
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	n, err := s.Store.Webhooks.Delete(c.Request.Context(), actorOf(c), w.ID)
	if err != nil {
		return err
	}
	s.OnChange()
	text := "Deleted " + w.Name + "."
	if n > 0 {
		text += " " + plural(n, "waiting notification was dropped.", "waiting notifications were dropped.")
	}
	return s.redirect(c, webhooksPath, Flash{Kind: "success", Text: text})
}

func (s *webhooksPages) webhookPause(c *gin.Context) error {
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	if err = s.Store.Webhooks.Pause(c.Request.Context(), actorOf(c), w.ID); err != nil {
		return err
	}
	s.OnChange()
	return s.redirect(c, webhookPath(w.ID), Flash{Kind: "success", Text: "Paused " + w.Name + ". Its notifications are held from now on."})
}

// webhookClaim makes the reader the owner of a webhook that has none.
func (s *webhooksPages) webhookClaim(c *gin.Context) error {
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	err = s.Store.Webhooks.Claim(c.Request.Context(), actorOf(c), w.ID)
	if taken, is := errors.AsType[*models.ConflictError](err); is {
		return s.redirect(c, webhookPath(w.ID), Flash{Kind: "warning", Text: w.Name + " has an owner by now: " + taken.By + "."})
	}
	if err != nil {
		return err
	}
	return s.redirect(c, webhookPath(w.ID), Flash{Kind: "success", Text: w.Name + " is yours now."})
}

// webhookResume makes a webhook active again; the field held says whether what
// waited is sent or dropped.
func (s *webhooksPages) webhookResume(c *gin.Context) error {
	if err := parseForm(c); err != nil {
		return err
	}
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	held := c.Request.PostForm.Get("held")
	if held != "send" && held != "drop" {
		return unusable("Say whether the held notifications are to be sent or dropped: held is send or drop.")
	}
	n, err := s.Store.Webhooks.Resume(c.Request.Context(), actorOf(c), w.ID, held == "drop")
	if err != nil {
		return err
	}
	s.OnChange()
	text := "Resumed " + w.Name + "."
	switch {
	case n > 0 && held == "drop":
		text += " " + plural(n, "held notification was dropped.", "held notifications were dropped.")
	case n > 0:
		text += " " + plural(n, "held notification is on its way.", "held notifications are on their way.")
	}
	return s.redirect(c, webhookPath(w.ID), Flash{Kind: "success", Text: text})
}

func webhookPath(id int64) string { return fmt.Sprintf("/admin/webhooks/%d", id) }
