package webhooks

import (
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
// with one secret has no second step: the new one takes the old one's place.
type rotatePage struct {
	web.Page
	Webhook models.Webhook
	Type    string // in words
	Slots   []rotateSlot
	New     *rotateSlot // the one that the receiver is to use from now on; nil: none was added
	Old     *rotateSlot // the one to be removed; nil: there is none
	Plain   string      // the new one, in the answer to the request that added it
	Paused  bool
	Held    int64
	Result  *testShown // of the test with the new one alone
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

// CanAdd tells whether there is a place for a new secret.
func (p *rotatePage) CanAdd() bool { return p.Single() || p.Old == nil }

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
	}
	p.fill(f)
	c.Header("Cache-Control", "no-store")
	return s.Render(c, status, "webhook_rotate", p)
}

// fill finds the new secret and the old one: the one that was set later is new.
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
	case first.Set && second.Set && first.SetAt != nil && second.SetAt != nil && first.SetAt.After(*second.SetAt):
		p.New, p.Old = first, second
	case first.Set && second.Set:
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
	Number  int      `form:"number"` // of the secret to remove
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
		err = s.rotateTest(c, p, at, f, saved)
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
		return s.Redirect(c, WebhookPath(w.ID), web.Flash{Kind: "success", Text: "Removed the old secret of " + w.Name + ". Only the new one signs now."})
	}
	return s.showRotate(c, http.StatusOK, p, f)
}

// rotateAdd stores a new secret: beside the old one, or in its place where the
// type has one.
func (s *Pages) rotateAdd(c *gin.Context, p, at *rotatePage, f *wire.Format, saved *definition.Saved, form rotateForm) error {
	if !at.CanAdd() {
		p.Fault = "Both secrets are set already. Remove the old one first."
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

// rotateRemove removes the old secret, which the form names.
func (s *Pages) rotateRemove(c *gin.Context, p, at *rotatePage, f *wire.Format, saved *definition.Saved, form rotateForm) error {
	if at.Old == nil || at.Old.Number != form.Number {
		p.Fault = "There is no old secret to remove. Add a new one first."
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

// rotateTest sends a test that is signed with the new secret alone.
func (s *Pages) rotateTest(c *gin.Context, p, at *rotatePage, f *wire.Format, saved *definition.Saved) error {
	if at.New == nil {
		p.Fault = "There is no secret to test with. Add one first."
		return nil
	}
	alone := saved.Unchanged(f)
	alone.Effective.Secrets = [2]string{saved.Opened.Secrets[at.New.Number-1]}
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

// NewLabel is the label of the new secret inside a sentence.
func (p *rotatePage) NewLabel() string { return lowerFirst(p.New.Label) }

// OldLabel is the label of the old secret inside a sentence.
func (p *rotatePage) OldLabel() string { return lowerFirst(p.Old.Label) }

func lowerFirst(label string) string { return strings.ToLower(label[:1]) + label[1:] }
