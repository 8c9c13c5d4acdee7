package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

func (s *Pages) saveWebhookForm(c *gin.Context, e *editing) error {
	ctx := c.Request.Context()
	checked, wrong, err := s.checkWebhook(ctx, e.format, &e.form, e.old)
	if err != nil {
		return err
	}
	for _, check := range []func(context.Context, *editing, web.Faults) error{s.checkFeature, s.checkMove} {
		if err = check(ctx, e, wrong); err != nil {
			return err
		}
	}
	if len(wrong) == 0 {
		if err = s.checkPing(ctx, e, checked, wrong); err != nil {
			return err
		}
	}
	if len(wrong) == 0 {
		said, err := s.storeWebhook(ctx, web.ActorOf(c), e, checked)
		conflict, stale := errors.AsType[*models.ConflictError](err)
		switch {
		case stale:
			wrong.Add(wholeForm, fmt.Sprintf("This webhook was changed by %s after you opened this form. Reload it to see the saved version, then make your changes again.", conflict.By))
		case errors.Is(err, models.ErrFull):
			wrong.Add("location", "This location has "+web.Count(models.WebhooksPerLocation)+" webhooks, the maximum. Choose another location, or delete a webhook there first.")
		case err != nil:
			return err
		default:
			s.OnChange()
			return s.Redirect(c, web.WebhooksPath, said...)
		}
	}
	e.faults = wrong
	return s.showWebhookForm(c, http.StatusUnprocessableEntity, e)
}

// checkMove asks once more before a move to another location drops what waits.
func (s *Pages) checkMove(ctx context.Context, e *editing, wrong web.Faults) error {
	if e.old == nil || e.form.Location == e.old.Location || e.form.Moving == e.form.Location || wrong["location"] != "" {
		return nil
	}
	n, err := s.Store.Webhooks.Waiting(ctx, e.old.ID)
	if err == nil && n > 0 {
		e.form.Moving = e.form.Location
		wrong.Add("location", fmt.Sprintf("Moving the webhook to another location drops %s. Save again to do so.",
			web.Plural(n, "notification that waits to be sent", "notifications that wait to be sent")))
	}
	return err
}

// checkPing asks the receiver first, where the type wants that.
func (s *Pages) checkPing(ctx context.Context, e *editing, w checkedWebhook, wrong web.Faults) error {
	if !e.format.PingOnSave || (e.old != nil && e.old.State == models.WebhookBroken) {
		return nil
	}
	t, err := s.tryWebhook(ctx, e.format, w)
	if err == nil && !t.Delivered {
		e.trial = &t
		wrong.Add("url", "The receiver did not accept the test notification: "+t.Reason)
	}
	return err
}

// storeWebhook saves and says what happened, and what to do about it.
func (s *Pages) storeWebhook(ctx context.Context, by models.Actor, e *editing, checked checkedWebhook) ([]web.Flash, error) {
	save := s.changeWebhook
	if e.old == nil {
		save = s.createWebhook
	}
	w, done, err := save(ctx, by, e, checked)
	if err != nil {
		return nil, err
	}
	if checked.Generated {
		done.Text += " A signing secret was generated for it."
		done.Link, done.Do = revealPath(w.ID, "1"), "Reveal the secret"
	}
	said := []web.Flash{done}
	warnings := filterWarnings(e.format, e.form)
	for _, field := range []string{"tags", "community"} {
		if warnings[field] != "" {
			said = append(said, web.Flash{Kind: "warning", Text: warnings[field], Link: WebhookPath(w.ID) + "/edit", Do: "Edit the webhook"})
		}
	}
	return said, nil
}

func (s *Pages) createWebhook(ctx context.Context, by models.Actor, e *editing, checked checkedWebhook) (models.Webhook, web.Flash, error) {
	checked.Input.Paused = e.copied
	w, err := s.Store.Webhooks.Create(ctx, by, checked.Input)
	done := web.Flash{Kind: "success", Text: "Created " + w.Name + "."}
	if e.copied {
		done.Text += " It is paused."
	}
	return w, done, err
}

// changeWebhook saves. Saving a broken webhook sends one test; its success
// makes the webhook active again.
func (s *Pages) changeWebhook(ctx context.Context, by models.Actor, e *editing, checked checkedWebhook) (models.Webhook, web.Flash, error) {
	w, err := s.Store.Webhooks.Update(ctx, by, e.old.ID, checked.UpdatedAt, checked.Input)
	if err != nil || w.State != models.WebhookBroken {
		return w, web.Flash{Kind: "success", Text: "Saved " + w.Name + "."}, err
	}
	t, err := s.tryWebhook(ctx, e.format, checked)
	if err != nil {
		return w, web.Flash{}, err
	}
	if !t.Delivered {
		return w, web.Flash{Kind: "warning", Text: fmt.Sprintf("Saved %s. It stays broken, because the test notification did not arrive: %s", w.Name, t.Reason)}, nil
	}
	n, err := s.Store.Webhooks.Heal(ctx, by, w.ID)
	return w, web.Flash{Kind: "success", Text: fmt.Sprintf("Saved %s. The test notification arrived, so it is active again%s.", w.Name, releasedNote(n))}, err
}

func releasedNote(n int64) string {
	if n == 0 {
		return ""
	}
	return " and sends the " + strconv.FormatInt(n, 10) + " held"
}
