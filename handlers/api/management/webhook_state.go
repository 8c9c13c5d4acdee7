package management

import (
	"github.com/sitehooks/sitehooks/models"
)

// ResumeInput says what to do with the notifications that were held.
type ResumeInput struct {
	Held string `json:"held" binding:"omitempty,oneof=send drop" enum:"send,drop" doc:"Needed when something is held"`
}

// Resumed is a webhook that sends again.
type Resumed struct {
	Webhook
	Released int64 `json:"sent" doc:"Held notifications that are being sent"`
	Dropped  int64 `json:"dropped" doc:"Held notifications that were dropped"`
}

// TestResult is what a receiver made of a test notification.
type TestResult struct {
	Delivered bool   `json:"delivered"`
	Reason    string `json:"reason" doc:"Why not; empty if it was delivered"`
	Code      int    `json:"code" doc:"HTTP status of the response; 0: there was none"`
	Duration  int64  `json:"duration_ms"`
}

func (a *API) pauseWebhook(c *call) (answer, error) {
	w, err := a.asWanted(c)
	if err != nil {
		return answer{}, err
	}
	if err := a.store.Webhooks.Pause(c.storing(), c.by(), w.ID, c.seen(w.UpdatedAt)...); err != nil {
		return answer{}, c.savedMeanwhile("webhook", err)
	}
	return a.inNewState(c, w)
}

// inNewState answers with a webhook whose state was changed.
func (a *API) inNewState(c *call, w models.Webhook) (answer, error) {
	a.Site.OnChange()
	w, err := a.store.Webhooks.Get(c.storing(), c.token.Within(), w.ID)
	if err != nil {
		return answer{}, found("webhook", err)
	}
	return a.shown(c, ok, w)
}

func (a *API) resumeWebhook(c *call) (answer, error) {
	var in ResumeInput
	if err := c.bind(&in, nil); err != nil {
		return answer{}, err
	}
	w, err := a.asWanted(c)
	if err != nil {
		return answer{}, err
	}
	if in.Held == "" && w.State != models.WebhookActive {
		held, err := a.store.Webhooks.Waiting(c.ctx, w.ID)
		if err != nil {
			return answer{}, err
		}
		if held > 0 {
			return answer{}, faulty("held", "Choose whether to send or drop the held notifications: held must be send or drop.")
		}
	}
	n, err := a.store.Webhooks.Resume(c.storing(), c.by(), w.ID, in.Held == "drop", c.seen(w.UpdatedAt)...)
	if err != nil {
		return answer{}, c.savedMeanwhile("webhook", err)
	}
	reply, err := a.inNewState(c, w)
	if err != nil {
		return answer{}, err
	}
	v, _ := reply.value.(Webhook)
	out := Resumed{Webhook: v, Released: n}
	if in.Held == "drop" {
		out.Released, out.Dropped = 0, n
	}
	reply.value = out
	return reply, nil
}

func (a *API) testWebhook(c *call) (answer, error) {
	w, err := a.webhook(c)
	if err != nil {
		return answer{}, err
	}
	f, err := formatOf(w)
	if err != nil {
		return answer{}, err
	}
	r := a.rules(c)
	saved, err := r.Open(w)
	if err != nil {
		return answer{}, err
	}
	t, err := r.Test(c.ctx, saved.Unchanged(f))
	if err != nil {
		return answer{}, err
	}
	out := TestResult{Delivered: t.Delivered, Code: t.Code, Duration: t.Duration.Milliseconds()}
	if !t.Delivered {
		out.Reason = t.Reason
	}
	return answer{status: ok, value: out}, nil
}
