package webhooks

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/fields"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// rotatePage leads through the change of a signing secret: a new one is added,
// entered at the receiver, tested alone, and then the old one is removed. A type
// with one secret has no place for a second: the new one takes the old one's place.
type rotatePage struct {
	web.Page
	Webhook models.Webhook
	Type    string // in words
	Slots   []rotateSlot
	New     *rotateSlot // the only secret, or the one that was set later; nil: there is none, or neither was
	Old     *rotateSlot // the one that was set earlier; nil: there is none, or neither was
	Plain   string      // the new one, in the answer to the request that added it
	Paused  bool
	Held    int64
	Off     bool        // the type is switched off, so a resume sends nothing
	Result  *testShown  // of a test with one secret alone
	Tested  *rotateSlot // that secret
	Faults  web.Faults
	Fault   string // why nothing was done; empty: it was
	Version string // of the webhook
	Typed   string
	Pause   bool // a pause meanwhile was asked for
}

// rotateSlot is a place for a secret.
type rotateSlot struct {
	Number int
	Label  string
	fields.Saved
}

// Single tells a type with one secret.
func (p *rotatePage) Single() bool { return len(p.Slots) == 1 }

// Path is the address of the page.
func (p *rotatePage) RotatePath() string { return WebhookPath(p.Webhook.ID) + "/rotate" }

// Both tells that two secrets are set.
func (p *rotatePage) Both() bool { return !p.Single() && p.Slots[0].Set && p.Slots[1].Set }

// Alike tells that two secrets are set of which neither is known to be newer.
func (p *rotatePage) Alike() bool { return p.Both() && p.New == nil }

// Rotate shows how far the change of a webhook's secret is.
func (s *Pages) Rotate(c *gin.Context) error {
	w, f, err := s.rotated(c)
	if err != nil {
		return err
	}
	return s.showRotate(c, http.StatusOK, &rotatePage{Webhook: w}, f)
}

// rotated is the webhook of the address, which has a secret to rotate.
func (s *Pages) rotated(c *gin.Context) (models.Webhook, *wire.Format, error) {
	w, f, err := s.savedWebhook(c)
	if err == nil && len(f.Secrets) == 0 {
		err = web.NotFound(f.Label + " webhooks have no signing secret. To change the URL, edit the webhook.")
	}
	return w, f, err
}

// showRotate shows the page of p.Webhook.
func (s *Pages) showRotate(c *gin.Context, status int, p *rotatePage, f *wire.Format) (err error) {
	w := p.Webhook
	p.Page = web.Page{Title: "Rotate the secret of " + w.Name, Nav: "webhooks", Path: p.RotatePath()}
	p.Type, p.Paused, p.Version = f.Label, w.State == models.WebhookStopped, w.UpdatedAt.UTC().Format(time.RFC3339Nano)
	if p.Paused {
		if p.Held, err = s.Store.Webhooks.Waiting(c.Request.Context(), w.ID); err != nil {
			return err
		}
		settings, err := s.Store.Settings.Get(c.Request.Context())
		if err != nil {
			return err
		}
		p.Off = !settings.GenericEnabled && f.NeedsFeature
	}
	p.fill(f)
	c.Header("Cache-Control", "no-store")
	return s.Render(c, status, "webhook_rotate", p)
}

// fill finds the newer secret and the older one by the times at which they were
// set. Two that were set by one save, or at an unknown time, are neither.
func (p *rotatePage) fill(f *wire.Format) {
	saved := savedSecrets(p.Webhook)
	for i, secret := range f.Secrets {
		p.Slots = append(p.Slots, rotateSlot{i + 1, secret.Label, saved[i]})
	}
	first := &p.Slots[0]
	if p.Single() {
		if first.Set {
			p.New = first
		}
		return
	}
	second := &p.Slots[1]
	switch {
	case p.Both() && (first.SetAt == nil || second.SetAt == nil || first.SetAt.Equal(*second.SetAt)):
	case p.Both() && first.SetAt.After(*second.SetAt):
		p.New, p.Old = first, second
	case p.Both():
		p.New, p.Old = second, first
	case first.Set:
		p.New = first
	case second.Set:
		p.New = second
	}
}

// rotateForm is a step of the change.
type rotateForm struct {
	Do      string   `form:"do" binding:"oneof=add test remove"`
	Secret  web.Line `form:"secret"` // the new one; empty: one is generated
	Number  int      `form:"number"` // of the secret to remove, or to test with; 0: the newer one
	Pause   string   `form:"pause"`  // not empty: pause before the secret changes
	Version string   `form:"updated_at"`
}

// RotatePost carries out a step.
func (s *Pages) RotatePost(c *gin.Context) error {
	var form rotateForm
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	w, f, err := s.rotated(c)
	if err != nil {
		return err
	}
	p := &rotatePage{Webhook: w, Typed: string(form.Secret), Pause: form.Pause != ""}
	at := &rotatePage{Webhook: w}
	at.fill(f)
	r := s.request(c)
	saved, err := r.Open(w)
	if err != nil {
		return err
	}
	switch form.Do {
	case "add":
		err = s.rotateAdd(c, p, at, f, saved, form)
	case "remove":
		err = s.rotateRemove(c, p, at, f, saved, form)
	default:
		err = s.rotateTest(c, p, at, f, saved, form)
	}
	if fault, is := definition.FaultOf(err); is {
		p.Fault, err = fault.Text, nil
	}
	if err != nil {
		return err
	}
	if p.Fault != "" || len(p.Faults) > 0 {
		return s.showRotate(c, http.StatusUnprocessableEntity, p, f)
	}
	if form.Do == "remove" {
		return s.Redirect(c, WebhookPath(w.ID), web.Flash{Kind: "success", Text: fmt.Sprintf("Removed signing secret %d of %s. Only signing secret %d signs now.", form.Number, w.Name, 3-form.Number)})
	}
	return s.showRotate(c, http.StatusOK, p, f)
}

// rotateAdd stores a new secret: beside the old one, or in its place where the
// type has one.
func (s *Pages) rotateAdd(c *gin.Context, p, at *rotatePage, f *wire.Format, saved *definition.Saved, form rotateForm) error {
	if at.Both() {
		p.Fault = "Both secrets are set already. Remove one first."
		return nil
	}
	i := 0
	if !at.Single() && at.Slots[0].Set {
		i = 1
	}
	plain := string(form.Secret)
	if plain == "" {
		plain = f.NewSecret()
	} else if err := f.CheckSecret(plain); err != nil {
		p.Faults = web.Faults{"secret": wording.Sentence(err)}
		return nil
	}
	if plain == saved.Opened.Secrets[0] || plain == saved.Opened.Secrets[1] {
		p.Faults = web.Faults{"secret": "This is the secret that is saved already. Enter another, or leave this empty."}
		return nil
	}
	change := saved.Unchanged(f)
	change.Input.Secrets[i].Set, change.Input.Before = plain, &saved.Opened
	change.Input.PauseFirst = at.Single() && p.Pause
	w, err := s.Store.Webhooks.Update(c.Request.Context(), web.ActorOf(c), p.Webhook.ID, form.version(), change.Input)
	if err != nil {
		return err
	}
	p.Webhook, p.Plain, p.Typed = w, plain, ""
	s.OnChange()
	return nil
}

// rotateRemove removes the secret that the form names: the older of two, or either
// if neither is newer.
func (s *Pages) rotateRemove(c *gin.Context, p, at *rotatePage, f *wire.Format, saved *definition.Saved, form rotateForm) error {
	if !at.removable(form.Number) {
		p.Fault = "There is no older secret to remove. Add a new one first."
		return nil
	}
	change := saved.Unchanged(f)
	change.Input.Secrets[form.Number-1].Clear, change.Input.Before = true, &saved.Opened
	_, err := s.Store.Webhooks.Update(c.Request.Context(), web.ActorOf(c), p.Webhook.ID, form.version(), change.Input)
	if err == nil {
		s.OnChange()
	}
	return err
}

// removable tells whether a secret may be removed while the other goes on signing.
func (p *rotatePage) removable(number int) bool {
	if p.Alike() {
		return number == 1 || number == 2
	}
	return p.Old != nil && p.Old.Number == number
}

// rotateTest sends a test that is signed with one secret alone.
func (s *Pages) rotateTest(c *gin.Context, p, at *rotatePage, f *wire.Format, saved *definition.Saved, form rotateForm) error {
	i := form.Number - 1
	if at.New != nil {
		i = at.New.Number - 1
	}
	if i < 0 || i >= len(at.Slots) || !at.Slots[i].Set {
		p.Fault = "There is no secret to test with. Add one first."
		return nil
	}
	p.Tested = &at.Slots[i]
	alone := saved.Unchanged(f)
	alone.Effective.Secrets = [2]string{saved.Opened.Secrets[i]}
	t, err := s.request(c).Test(c.Request.Context(), alone)
	if err == nil {
		p.Result = showTest(t)
	}
	return err
}

// version is the one that the page was opened with.
func (f rotateForm) version() time.Time {
	at, _ := time.Parse(time.RFC3339Nano, f.Version) // zero conflicts with any
	return at
}

// Lower is the label of the secret inside a sentence.
func (s *rotateSlot) Lower() string { return lowerFirst(s.Label) }

func lowerFirst(label string) string { return strings.ToLower(label[:1]) + label[1:] }
