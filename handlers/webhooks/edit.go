package webhooks

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/fields"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// editing is one request for the form: the edited webhook and the input.
type editing struct {
	format  *wire.Format
	old     *models.Webhook // nil: a new webhook
	request *request
	saved   *definition.Saved // old, once it is opened
	form    webhookForm
	bound   web.Faults // rules of the form's tags that are broken
	faults  web.Faults
	test    *testShown
	preview *preview

	copied    bool   // a copy is created paused
	notCopied string // the parts that are not copied
}

// New shows the form for a webhook of the type that ?type names. ?from fills in
// a copy of another webhook of that type.
func (s *Pages) New(c *gin.Context) error {
	f, err := formatFromRequest(c)
	if err != nil {
		return err
	}
	typed, err := s.TypedBefore(c)
	if err != nil {
		return err
	}
	e := &editing{format: f, request: s.request(c), form: blankWebhookForm(f, s.Within(c).Default())}
	if typed != nil {
		if err = e.refill(typed); err != nil {
			return err
		}
		e.copied = c.Query("from") != ""
		return s.showWebhookForm(c, http.StatusOK, e)
	}
	if from := c.Query("from"); from != "" {
		if err = s.copyForm(c, e, from); err != nil {
			return err
		}
	}
	return s.showWebhookForm(c, http.StatusOK, e)
}

// copyForm fills the form in from another webhook, without its secrets and
// header values.
func (s *Pages) copyForm(c *gin.Context, e *editing, from string) error {
	id, _ := web.Positive(from)
	w, err := s.Store.Webhooks.Get(c.Request.Context(), s.Within(c), id)
	if err != nil {
		return err
	}
	if w.Type != e.format.Name {
		// The parts of a webhook that may be shown depend on its type.
		return web.NotFound("The webhook to copy is of another type.")
	}
	opened, err := s.Store.Webhooks.Open(w)
	if err != nil {
		return err
	}
	e.form = savedWebhookForm(e.format, w, opened)
	e.form.Name, e.form.UpdatedAt = web.Line(wording.Cut("Copy of "+w.Name, 200)), ""
	e.copied, e.notCopied = true, notCopied(e.format, w)
	return nil
}

// notCopied names the parts of a webhook that never leave the store, not even
// into a copy.
func notCopied(f *wire.Format, w models.Webhook) string {
	secrets := hasSecret(w, 0) || hasSecret(w, 1)
	var parts []string
	if f.SecretURL {
		parts = append(parts, "URLs")
	}
	if secrets {
		parts = append(parts, "secrets")
	}
	if w.Headers != "" {
		parts = append(parts, "header values")
	}
	return web.Capitalized(wording.List(parts))
}

// Duplicate leads to the form of a new webhook like this one.
func (s *Pages) Duplicate(c *gin.Context) error {
	w, _, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	return s.Redirect(c, fmt.Sprintf("/admin/webhooks/new?type=%s&from=%d", w.Type, w.ID))
}

// NewPost handles the buttons of the form for a new webhook.
func (s *Pages) NewPost(c *gin.Context) error {
	f, err := formatFromRequest(c)
	if err != nil {
		return err
	}
	return s.postWebhookForm(c, &editing{format: f, request: s.request(c), copied: c.Query("from") != ""})
}

// Edit shows the form with a saved webhook, or with the unsaved input from
// before a new login.
func (s *Pages) Edit(c *gin.Context) error {
	w, f, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	e := &editing{format: f, old: &w, request: s.request(c)}
	if err = e.open(); err != nil {
		return err
	}
	e.form = savedWebhookForm(f, w, e.saved.Opened)
	typed, err := s.TypedBefore(c)
	if err != nil {
		return err
	}
	if typed != nil {
		err = e.refill(typed)
	}
	if err != nil {
		return err
	}
	return s.showWebhookForm(c, http.StatusOK, e)
}

// EditPost handles the buttons of a saved webhook's form.
func (s *Pages) EditPost(c *gin.Context) error {
	w, f, err := s.savedWebhook(c)
	if err != nil {
		return err
	}
	return s.postWebhookForm(c, &editing{format: f, old: &w, request: s.request(c)})
}

// formatFromRequest is the type that the address of the form for a new webhook names.
func formatFromRequest(c *gin.Context) (*wire.Format, error) {
	f, ok := wire.Lookup(c.Query("type"))
	if !ok {
		return nil, web.NotFound("There is no such type of webhook.")
	}
	return f, nil
}

// savedWebhook is the webhook that the address names, with its type.
func (s *Pages) savedWebhook(c *gin.Context) (models.Webhook, *wire.Format, error) {
	id, _ := web.Positive(c.Param("id"))
	w, err := s.Store.Webhooks.Get(c.Request.Context(), s.Within(c), id)
	if err != nil {
		return w, nil, err
	}
	f, ok := wire.Lookup(w.Type)
	if !ok {
		return w, nil, fmt.Errorf("webhook %d has the unknown type %q", w.ID, w.Type)
	}
	return w, f, nil
}

// postWebhookForm carries out the action of the pressed button. Only save
// stores anything.
func (s *Pages) postWebhookForm(c *gin.Context, e *editing) error {
	var err error
	if e.bound, err = web.Bind(c, &e.form); err != nil {
		return err
	}
	e.form.complete(c.Request.PostForm, e.format)
	switch do := e.form.Do; do {
	case "generate_1", "generate_2", "clear_1", "clear_2", "undo_1", "undo_2":
		if !e.form.Press(do, len(e.format.Secrets), e.format.NewSecret, e.savedSecrets()) {
			return web.Unusable("This type has no such signing secret.")
		}
		return s.showWebhookForm(c, http.StatusOK, e)
	case "test", "preview":
		return s.checkWebhookForm(c, e)
	case "save", "":
		return s.saveWebhookForm(c, e)
	default:
		if e.chooseGroup(do) {
			return s.showWebhookForm(c, http.StatusOK, e)
		}
		return web.Unusable("The form has no button with this name.")
	}
}

// refill fills the form with the unsaved input from before a new login.
func (e *editing) refill(typed url.Values) error {
	e.form = webhookForm{}
	err := web.Fill(&e.form, typed)
	e.form.complete(typed, e.format)
	return err
}

// savedSecrets are those of a webhook.
func savedSecrets(w models.Webhook) [2]fields.Saved {
	return [2]fields.Saved{{Set: w.Secret1 != "", SetAt: w.Secret1SetAt, UsedAt: w.Secret1UsedAt}, {Set: w.Secret2 != "", SetAt: w.Secret2SetAt, UsedAt: w.Secret2UsedAt}}
}

// savedSecrets are those of the edited webhook; a new one has none.
func (e *editing) savedSecrets() (saved [2]fields.Saved) {
	if e.old != nil {
		saved = savedSecrets(*e.old)
	}
	return saved
}

func hasSecret(w models.Webhook, i int) bool {
	return savedSecrets(w)[i].Set
}

// checkWebhookForm shows the effect of the form: a test notification that is
// really sent, or a preview.
func (s *Pages) checkWebhookForm(c *gin.Context, e *editing) error {
	show := s.previewWebhookForm
	if e.form.Do == "test" {
		show = s.testWebhookForm
	}
	if err := show(c.Request.Context(), e); err != nil {
		return err
	}
	if c.GetHeader(web.FragmentHeader) == previewFragment {
		return s.RenderFragment(c, http.StatusOK, "webhook_form", &webhookFormPage{Preview: e.preview}, previewFragment)
	}
	return s.showWebhookForm(c, http.StatusOK, e)
}

func (s *Pages) testWebhookForm(ctx context.Context, e *editing) error {
	checked, wrong, err := e.check(ctx, definition.ToSave)
	if e.faults = wrong; err != nil || len(wrong) > 0 {
		return err
	}
	events, err := sampleOf(e.format, e.form.Sample, checked.Input.Events)
	if err != nil {
		return err
	}
	t, err := e.request.TestWith(ctx, checked, events)
	e.test = showTest(t)
	return err
}

func (s *Pages) previewWebhookForm(ctx context.Context, e *editing) error {
	checked, wrong, err := e.check(ctx, definition.ToPreview)
	if e.faults = wrong; err == nil {
		e.preview, err = s.previewWebhook(ctx, checked, wrong, e.form.Sample)
	}
	return err
}
