package triggers

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// sentPage shows how far the events of a filter are.
type sentPage struct {
	web.Page
	Send       models.ManualSend
	Webhook    models.Webhook
	Deliveries string
	models.ManualProgress
}

// Done is how many had their attempt.
func (p *sentPage) Done() int64 { return max(0, p.Send.Created-p.Left-p.Dropped) }

// Skipped is how many events there was no delivery made of.
func (p *sentPage) Skipped() int64 {
	if p.Send.EndedAt == nil {
		return 0
	}
	return max(0, p.Send.Total-p.Send.Created)
}

// Of is how many were asked for.
func (p *sentPage) Of() int64 { return max(p.Send.Total, p.Send.Created) }

// Percent is how much of it is done.
func (p *sentPage) Percent() int64 { return p.Done() * 100 / max(1, p.Of()) }

// Over tells that nothing goes on by itself.
func (p *sentPage) Over() bool { return p.Send.EndedAt != nil && (p.Left == 0 || p.Held) }

// Sentence says how far it is.
func (p *sentPage) Sentence() string {
	return wording.Count(p.Done()) + " of " + web.Plural(p.Of(), "event sent", "events sent")
}

// About is how long the rest takes at least, in words.
func (p *sentPage) About() string { return wording.PacedWords(p.Of() - p.Done() - p.Dropped) }

// SendProgress shows how far the sending of a filter is. It goes on without the page.
func (s *Pages) SendProgress(c *gin.Context) error {
	ctx := c.Request.Context()
	id, _ := web.Positive(c.Param("id"))
	m, err := s.Store.Sends.Get(ctx, id)
	if err == nil && !s.Within(c).Has(m.Location) {
		err = models.ErrNotFound
	}
	if err != nil {
		return err
	}
	p := &sentPage{
		Page: web.Page{Title: "Sending events", Nav: "triggers"}, Send: m,
		Deliveries: "/admin/deliveries?webhook=" + web.FormatID(m.WebhookID),
	}
	if p.Webhook, err = s.Store.Webhooks.GetAny(ctx, s.Within(c), m.WebhookID); err != nil {
		return err
	}
	if p.ManualProgress, err = s.Store.Sends.Progress(ctx, m); err != nil {
		return err
	}
	if !p.Over() {
		c.Header("Refresh", strconv.Itoa(sendReload))
	}
	return s.Render(c, http.StatusOK, "trigger_sent", p)
}
