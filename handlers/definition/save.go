package definition

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// How says how a webhook is saved.
type How struct {
	// Version is the time of the last save that the caller has seen.
	Version time.Time
	// State is models.WebhookActive or models.WebhookStopped; empty: as it is, or
	// active for a new webhook.
	State string
	// OnlyChanges leaves the receiver alone when it would get the same requests
	// as before, and when the webhook is being stopped.
	OnlyChanges bool
}

// Result is the outcome of a save.
type Result struct {
	Webhook models.Webhook
	// Test is the test that a broken webhook was sent after the save; nil: none
	// was, or it was interrupted.
	Test     *TestResult
	Healed   bool  // it is active again
	Released int64 // held notifications that are sent now
}

// RefusedError says that the receiver did not accept the test notification, so
// nothing was saved.
type RefusedError struct{ Test TestResult }

func (e *RefusedError) Error() string {
	return "The receiver did not accept the test notification: " + e.Test.Reason
}

// FaultOf puts an error of Save into words if the caller can do something about
// it: the receiver refused the test, somebody else saved meanwhile, the location
// is full, or the key is taken. Any other error is of the system.
func FaultOf(err error) (fault Fault, is bool) {
	if refused, is := errors.AsType[*RefusedError](err); is {
		return Fault{FieldURL, refused.Error()}, true
	}
	if conflict, is := errors.AsType[*models.ConflictError](err); is {
		return Fault{FieldVersion, "This webhook was changed by " + conflict.By + " in the meantime. Reload it, then make your changes again."}, true
	}
	if errors.Is(err, models.ErrFull) {
		return Fault{FieldLocation, "This location has " + wording.Count(models.WebhooksPerLocation) +
			" webhooks, the maximum. Delete one there first, or use another location."}, true
	}
	if errors.Is(err, models.ErrExists) {
		return Fault{FieldKey, "Another webhook has this key. Choose another one."}, true
	}
	return Fault{}, false
}

// Save stores a checked webhook without faults. A type that asks for it is
// tested first; a broken webhook is tested afterwards, and is active again when
// the test arrives. The result describes the stored webhook, also when there is
// an error. Errors: those of FaultOf, and
// models.ErrNotFound.
func (c *Checker) Save(ctx context.Context, by models.Actor, w Checked, how How) (Result, error) {
	if w.testedFirst(how) {
		t, err := c.Test(ctx, w)
		if err != nil {
			return Result{}, err
		}
		if !t.Delivered {
			return Result{}, &RefusedError{t}
		}
	}
	if w.Saved == nil {
		return c.create(c.storing(ctx), by, w, how)
	}
	w.Input.Before = &w.Saved.Opened
	saved, err := c.Webhooks.Update(c.storing(ctx), by, w.Saved.ID, how.Version, w.Input)
	if err != nil {
		return Result{}, err
	}
	r := Result{Webhook: saved}
	return r, c.applyState(ctx, by, w, how.State, &r)
}

// testedFirst tells whether the receiver has to accept a test before the save.
func (w *Checked) testedFirst(how How) bool {
	switch {
	case !w.Format.PingOnSave:
		return false
	case w.Saved == nil:
		return true
	case w.Saved.State == models.WebhookBroken:
		return false // it is tested after the save
	}
	return !how.OnlyChanges || how.State != models.WebhookStopped && w.changesRequests()
}

// changesRequests tells whether the receiver would get other requests than before.
func (w *Checked) changesRequests() bool {
	now, before := w.Effective, w.Saved.Opened
	return now.URL != before.URL || now.Secrets != before.Secrets || !slices.Equal(now.Headers, before.Headers)
}

func (c *Checker) create(ctx context.Context, by models.Actor, w Checked, how How) (Result, error) {
	if c.Register != nil {
		if err := c.Register(ctx, w.Input.Location); err != nil {
			return Result{}, err
		}
	}
	w.Input.Paused = how.State == models.WebhookStopped
	made, err := c.Webhooks.Create(ctx, by, w.Input)
	return Result{Webhook: made}, err
}

// applyState puts a saved webhook into the state that was asked for. A broken one of
// which nothing was asked is tested; an interrupted test leaves it as it is.
func (c *Checker) applyState(ctx context.Context, by models.Actor, w Checked, state string, r *Result) (err error) {
	id, is := r.Webhook.ID, r.Webhook.State
	switch {
	case state == "" && is == models.WebhookBroken:
		t, err := c.Test(ctx, w)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // interrupted
		}
		if err != nil {
			return err
		}
		if r.Test = &t; !t.Delivered {
			return nil
		}
		r.Healed = true // unless it was paused during the test
		r.Released, err = c.Webhooks.Heal(c.storing(ctx), by, id)
		return err
	case state == models.WebhookActive && is != state:
		r.Released, err = c.Webhooks.Resume(c.storing(ctx), by, id, false)
	case state == models.WebhookStopped && is != state:
		err = c.Webhooks.Pause(c.storing(ctx), by, id)
	}
	return err
}

// storing is the context for changes to the database.
func (c *Checker) storing(ctx context.Context) context.Context {
	if c.Finish {
		return context.WithoutCancel(ctx)
	}
	return ctx
}
