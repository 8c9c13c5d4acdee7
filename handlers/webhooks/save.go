package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

func (s *Pages) saveWebhookForm(c *gin.Context, e *editing) error {
	ctx := c.Request.Context()
	checked, wrong, err := e.check(ctx, definition.ToSave)
	if err != nil {
		return err
	}
	if err = s.checkMove(ctx, e, wrong); err != nil {
		return err
	}
	e.checkSwap(checked, wrong)
	if len(wrong) == 0 {
		said, err := s.storeWebhook(ctx, web.ActorOf(c), e, checked)
		if err == nil {
			s.OnChange()
			return s.Redirect(c, listBehind(c), said...)
		}
		if !e.notSaved(err, wrong) {
			return err
		}
	}
	e.faults = wrong
	return s.showWebhookForm(c, http.StatusUnprocessableEntity, e)
}

// notSaved says beside its field why nothing was saved; false: the error is of
// the system.
func (e *editing) notSaved(err error, wrong web.Faults) bool {
	if refused, is := errors.AsType[*definition.RefusedError](err); is {
		e.test = showTest(refused.Test)
	}
	fault, is := definition.FaultOf(err)
	if is {
		wrong.Add(formField(fault), fault.Text)
	}
	return is
}

// checkMove asks once more before a move to another location drops the waiting
// deliveries.
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

// checkSwap asks once more before one save replaces one secret and removes the
// other, after which no receiver knows the secret that signs.
func (e *editing) checkSwap(checked definition.Checked, wrong web.Faults) {
	if e.old == nil || e.form.Swapping != "" || !hasSecret(*e.old, 0) || !hasSecret(*e.old, 1) {
		return
	}
	if checked.Moved() {
		return // another receiver, which knows neither
	}
	for i := range e.form.Secrets {
		if e.form.Secrets[i] != "" && e.form.Removed[1-i] && len(wrong) == 0 {
			e.form.Swapping = "1"
			wrong.Add(definition.SecretField(i), "This replaces one secret and removes the other, so the receiver rejects everything until it has the new one. "+
				"To change it without a gap, use Rotate on the webhook's page. Save again to do it at once.")
		}
	}
}

// storeWebhook saves, and returns a message with the outcome and advice.
func (s *Pages) storeWebhook(ctx context.Context, by models.Actor, e *editing, checked definition.Checked) ([]web.Flash, error) {
	how := definition.How{Version: e.form.version()}
	if e.copied && e.old == nil {
		how.State = models.WebhookStopped
	}
	saved, err := e.request.Save(ctx, by, checked, how)
	if err != nil {
		return nil, err
	}
	done := e.savedFlash(saved)
	if checked.Generated {
		done.Text += " A signing secret was generated for it."
		done.Link, done.Do = reveal.Path(WebhookPath(saved.Webhook.ID), "1"), "Reveal the secret"
	}
	said := []web.Flash{done}
	warnings := filterWarnings(e.format, e.form)
	for _, field := range []string{"tags", "community"} {
		if warnings[field] != "" {
			said = append(said, web.Flash{Kind: "warning", Text: warnings[field], Link: WebhookPath(saved.Webhook.ID) + "/edit", Do: "Edit the webhook"})
		}
	}
	return said, nil
}

// savedFlash is the message about a save.
func (e *editing) savedFlash(r definition.Result) web.Flash {
	done := web.Flash{Kind: "success", Text: "Saved " + r.Webhook.Name + "."}
	switch {
	case e.old == nil && e.copied:
		done.Text = "Created " + r.Webhook.Name + ". It is paused."
	case e.old == nil:
		done.Text = "Created " + r.Webhook.Name + "."
	case r.Healed:
		done.Text += fmt.Sprintf(" The test notification arrived, so it is active again%s.", releasedNote(r.Released))
	case r.Test != nil:
		done.Kind, done.Text = "warning", done.Text+" It stays broken, because the test notification did not arrive: "+r.Test.Reason
	}
	return done
}

func releasedNote(n int64) string {
	if n == 0 {
		return ""
	}
	return " and sends the " + strconv.FormatInt(n, 10) + " held"
}
