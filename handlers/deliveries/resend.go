package deliveries

import (
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// Resend asks for one attempt more. It is refused, with the page and
// the way out of it, while the webhook cannot send.
func (s *Pages) Resend(c *gin.Context) error {
	ctx := c.Request.Context()
	id := c.Param("id")
	row, err := s.Store.Deliveries.Get(ctx, s.Within(c), id)
	if err != nil {
		return err
	}
	err = models.ErrNotActive
	if row.Webhook.DeletedAt == nil {
		err = s.Store.Deliveries.Resend(ctx, web.ActorOf(c), id)
	}
	switch {
	case errors.Is(err, models.ErrErased):
		return web.Unusable("The content of this delivery was erased, so there is nothing to send.")
	case errors.Is(err, models.ErrMoved):
		return web.Unusable("The webhook has since moved to another location, and deliveries never cross locations.")
	}
	if errors.Is(err, models.ErrNotActive) {
		p, err := s.deliveryPageOf(c)
		if err != nil {
			return err
		}
		p.Refused = "The delivery was not resent."
		return s.Render(c, http.StatusUnprocessableEntity, "delivery", p)
	}
	if err != nil {
		return err
	}
	s.OnChange()
	return s.Redirect(c, Path(id)+"?sending=1", web.Flash{Kind: "success", Text: "Sending again with the same ID and body."})
}

// deliveryCanResend says in words why the delivery cannot be sent once more.
func (s *Pages) deliveryCanResend(ctx context.Context, p *deliveryPage) error {
	settings, err := s.Store.Settings.Get(ctx)
	if err != nil {
		return err
	}
	w := p.Row.Webhook
	if p.Erased = p.Row.Erased(); p.Erased {
		return nil
	}
	if w.DeletedAt == nil && w.Location != p.Row.Location {
		p.CannotResend = "the webhook has since moved to another location, and deliveries never cross locations"
		p.Moved = true
		return nil
	}
	p.CannotResend = CannotSend(w, settings.GenericEnabled, p.Now)
	if p.CannotResend != "" && w.DeletedAt == nil && w.State == models.WebhookActive {
		p.Switch = models.EnableGenericWebhooks
	}
	return nil
}
