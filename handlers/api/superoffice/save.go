package superoffice

import (
	"context"
	"errors"
	"slices"

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

func (s *API) insert(ctx context.Context, c *call, d *definition) (answer, error) {
	if err := s.enabled(ctx); err != nil {
		return answer{}, err
	}
	checked, err := s.check(ctx, d, nil, models.Opened{}, c.place(), false)
	if err != nil {
		return answer{}, err
	}
	if err := s.mustAnswer(ctx, checked); err != nil {
		return answer{}, err
	}
	if err := s.knownLocation(ctx, c.place()); err != nil {
		return answer{}, err
	}
	w, err := s.Store.Webhooks.Create(saving(ctx), c.by(), checked.input)
	if err != nil {
		return answer{}, err
	}
	return s.finish(ctx, c, w, d.State, checked)
}

// saving is ctx without its end: once a change is stored, the rest of it is
// done and the client hears of it, even if its place is wanted by others.
func saving(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// knownLocation registers a location at first sight, as events do.
func (s *API) knownLocation(ctx context.Context, slug string) error {
	if _, err := s.Store.Locations.Get(ctx, slug); !errors.Is(err, models.ErrNotFound) {
		return err
	}
	return s.Store.Locations.Ensure(ctx, slug, models.NameOf(slug))
}

// replace saves a webhook as the body describes it.
func (s *API) replace(ctx context.Context, c *call) (answer, error) {
	w, err := s.named(ctx, c)
	if err != nil {
		return answer{}, err
	}
	d, err := readDefinition(c.body)
	if err != nil {
		return answer{}, err
	}
	return s.update(ctx, c, w, d)
}

// update saves a webhook over the version that was read.
func (s *API) update(ctx context.Context, c *call, old models.Webhook, d *definition) (answer, error) {
	if err := d.sameID(old.ID); err != nil {
		return answer{}, err
	}
	stored, err := s.Store.Webhooks.Open(old)
	if err != nil {
		return answer{}, err
	}
	checked, err := s.check(ctx, d, &old, stored, old.Location, false)
	if err != nil {
		return answer{}, err
	}
	if asksAnew(old, stored, d, checked) {
		if err := s.mustAnswer(ctx, checked); err != nil {
			return answer{}, err
		}
	}
	w, err := s.Store.Webhooks.Update(saving(ctx), c.by(), old.ID, old.UpdatedAt, checked.input)
	if _, late := errors.AsType[*models.ConflictError](err); late {
		// Somebody was quicker: the condition on the version may not hold now.
		if _, changed := s.named(ctx, c); changed != nil {
			err = changed
		}
	}
	if err != nil {
		return answer{}, err
	}
	return s.finish(ctx, c, w, d.State, checked)
}

// asksAnew tells whether a saved webhook's target has to answer before the
// save: when it would get other requests than before. One that is being
// stopped may be away, and a broken one is asked after the save.
func asksAnew(old models.Webhook, stored models.Opened, d *definition, c checked) bool {
	if old.State == models.WebhookBroken || d.State == stateStopped {
		return false
	}
	return c.effective.URL != stored.URL || c.effective.Secrets != stored.Secrets || !slices.Equal(c.effective.Headers, stored.Headers)
}

// mustAnswer refuses a save whose target does not take the test event.
func (s *API) mustAnswer(ctx context.Context, c checked) error {
	if !s.format.PingOnSave {
		return nil
	}
	p, err := s.ping(ctx, c)
	if err == nil && !p.ok {
		err = badKey(keyTarget, "The target did not accept the test event. %s", p.reason)
	}
	return err
}

// finish puts a saved webhook into the state that was asked for and answers
// with it. A broken one of which nothing was asked is tested, as everywhere:
// success makes it active again, and an interrupted test leaves it as it is.
func (s *API) finish(ctx context.Context, c *call, w models.Webhook, state string, checked checked) (answer, error) {
	defer s.OnChange()
	healed := false
	if w.State == models.WebhookBroken && state != stateActive && state != stateStopped {
		p, err := s.ping(ctx, checked)
		if err != nil && ctx.Err() == nil {
			return answer{}, err
		}
		healed = p.ok
	}
	ctx = saving(ctx)
	var err error
	switch {
	case healed: // unless somebody paused it during the test
		_, err = s.Store.Webhooks.Heal(ctx, c.by(), w.ID)
	case state == stateActive && w.State != models.WebhookActive:
		_, err = s.Store.Webhooks.Resume(ctx, c.by(), w.ID, false)
	case state == stateStopped && w.State != models.WebhookStopped:
		err = s.Store.Webhooks.Pause(ctx, c.by(), w.ID)
	}
	if err != nil {
		return answer{}, err
	}
	if w, err = s.Store.Webhooks.Get(ctx, w.ID); err != nil {
		return answer{}, err
	}
	return s.output(w)
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
