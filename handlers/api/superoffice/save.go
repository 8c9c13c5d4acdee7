package superoffice

import (
	"context"
	"errors"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/models"
)

// create makes a webhook. An id in the body does not count.
func (s *API) create(ctx context.Context, c *call) (answer, error) {
	d, err := readDefinition(c.body)
	if err != nil {
		return answer{}, err
	}
	return s.insert(ctx, c, d)
}

func (s *API) insert(ctx context.Context, c *call, d *givenWebhook) (answer, error) {
	checked, err := s.check(ctx, c, d, nil, definition.ToSave)
	if err != nil {
		return answer{}, err
	}
	return s.store(ctx, c, d, checked)
}

// saving is ctx without its end: once a change is stored, the client hears of it,
// even if its place is wanted by others.
func saving(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// replace saves a webhook as the body describes it.
func (s *API) replace(ctx context.Context, c *call) (answer, error) {
	return s.update(ctx, c, func(*definition.Saved) (*givenWebhook, error) { return readDefinition(c.body) })
}

// update reads the webhook that the call names, and saves over that version the
// one that a function makes of it.
func (s *API) update(ctx context.Context, c *call, describe func(old *definition.Saved) (*givenWebhook, error)) (answer, error) {
	w, err := s.named(ctx, c)
	if err != nil {
		return answer{}, err
	}
	old, err := s.rules.Open(w)
	if err != nil {
		return answer{}, err
	}
	d, err := describe(old)
	if err != nil {
		return answer{}, err
	}
	if err := d.sameID(old.ID); err != nil {
		return answer{}, err
	}
	checked, err := s.check(ctx, c, d, old, definition.ToSave)
	if err != nil {
		return answer{}, err
	}
	a, err := s.store(ctx, c, d, checked)
	if _, late := errors.AsType[*models.ConflictError](err); late {
		// Somebody was quicker: the condition on the version may not hold now.
		if _, changed := s.named(ctx, c); changed != nil {
			err = changed
		}
	}
	return a, err
}

// store saves a checked definition, puts the webhook into the state that was
// asked for and answers with it.
func (s *API) store(ctx context.Context, c *call, d *givenWebhook, checked definition.Checked) (answer, error) {
	saved, err := s.rules.Save(ctx, c.by(), checked, d.how(checked.Saved))
	if saved.Webhook.ID != 0 {
		s.OnChange()
	}
	if err != nil {
		return answer{}, err
	}
	w, err := s.Store.Webhooks.Get(saving(ctx), c.token.Within(), saved.Webhook.ID)
	if err != nil {
		return answer{}, err
	}
	if w.UpdatedAt.Equal(saved.Webhook.UpdatedAt) {
		return outputOpen(w, checked.Effective), nil
	}
	return s.output(w)
}

// how is how the definition is saved. The target is only asked when it would get
// other requests than before, and one that is being stopped may be away.
func (d *givenWebhook) how(old *definition.Saved) definition.How {
	how := definition.How{OnlyChanges: true}
	if old != nil {
		how.Version = old.UpdatedAt
	}
	switch d.State {
	case stateActive:
		how.State = models.WebhookActive
	case stateStopped:
		how.State = models.WebhookStopped
	}
	return how
}

// remove deletes a webhook.
func (s *API) remove(ctx context.Context, c *call) (answer, error) {
	w, err := s.named(ctx, c)
	if err != nil {
		return answer{}, err
	}
	if _, err := s.Store.Webhooks.Delete(saving(ctx), c.by(), w.ID); err != nil {
		return answer{}, err
	}
	s.OnChange()
	return answer{}, nil
}
