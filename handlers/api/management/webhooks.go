package management

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/models"
)

// WebhookFilter selects webhooks; empty: any.
type WebhookFilter struct {
	Search   string `form:"q" binding:"max=200,line" doc:"Part of the name or of the shown part of the URL"`
	Type     string `form:"type" binding:"omitempty,webhook_type"`
	Location string `form:"location" binding:"omitempty,slug"`
	State    string `form:"state" binding:"omitempty,oneof=active failing stopped broken"`
	paging
}

// DryRun asks what a save would change.
type DryRun struct {
	DryRun string `form:"dry_run" binding:"omitempty,oneof=true false" doc:"true: the names of the fields that would change, and nothing is stored"`
}

// Changes is the answer to a dry run.
type Changes struct {
	Creates bool     `json:"creates" doc:"There is no such webhook yet"`
	Changes []string `json:"changes" doc:"Names of the fields that would change"`
}

// webhook is the one that the address names, if the token may see it.
func (a *API) webhook(c *call) (w models.Webhook, err error) {
	name := c.param("webhook")
	if id, isID := rules.Positive(name); isID {
		w, err = a.store.Webhooks.Get(c.ctx, c.token.Within(), id)
	} else {
		w, err = a.store.Webhooks.ByKey(c.ctx, name)
	}
	if err == nil && !c.token.Within().Has(w.Location) {
		err = models.ErrNotFound
	}
	return w, found("webhook", err)
}

func (a *API) listWebhooks(c *call) (answer, error) {
	var in WebhookFilter
	if err := c.query(&in); err != nil {
		return answer{}, err
	}
	location, visible := c.location(in.Location)
	if !visible {
		return answer{status: ok, value: Page[Webhook]{Data: []Webhook{}}}, nil
	}
	q := models.WebhookQuery{Within: c.token.Within(), Search: in.Search, Type: in.Type, Location: location, State: in.State, Sort: "created", After: in.Cursor, Limit: in.limit()}
	if !q.HasPlace() {
		return answer{}, badCursor
	}
	page, err := a.store.Webhooks.List(c.ctx, q)
	if err != nil {
		return answer{}, err
	}
	list := Page[Webhook]{Data: make([]Webhook, len(page.Rows)), Next: orNull(page.Next)}
	for i, row := range page.Rows {
		if list.Data[i], err = a.viewOf(c, row.Webhook); err != nil {
			return answer{}, err
		}
	}
	return answer{status: ok, value: list}, nil
}

func (a *API) getWebhook(c *call) (answer, error) {
	w, err := a.webhook(c)
	if err != nil {
		return answer{}, err
	}
	return a.shown(c, ok, w)
}

// shown answers with a webhook.
func (a *API) shown(c *call, status int, w models.Webhook) (answer, error) {
	v, err := a.viewOf(c, w)
	return answer{status: status, value: v, tag: tagOf(v)}, err
}

func (a *API) createWebhook(c *call) (answer, error) {
	var in WebhookInput
	if err := c.bind(&in, Webhook{}); err != nil {
		return answer{}, err
	}
	return a.save(c, &in, nil, true)
}

// putWebhook replaces the webhook of the address, or creates one with the key
// that is there.
func (a *API) putWebhook(c *call) (answer, error) {
	var in WebhookInput
	if err := c.bind(&in, Webhook{}); err != nil {
		return answer{}, err
	}
	w, err := a.webhook(c)
	key := c.param("webhook")
	if _, isID := rules.Positive(key); !isID && !likeNumber(key) {
		if in.Key.Given && (in.Key.Null || in.Key.Value != key) {
			return answer{}, faulty(definition.FieldKey, "The address names the webhook “"+api.Clip(key)+"”. Change the key with PATCH.")
		}
		in.Key = Optional[string]{Given: true, Value: key}
		if p, is := errors.AsType[*problem](err); is && p.status == missing {
			return a.save(c, &in, nil, true)
		}
	}
	if err != nil {
		return answer{}, err
	}
	return a.save(c, &in, &w, true)
}

// likeNumber tells whether a key has only digits and signs. No webhook has such a
// key, because a key needs a letter.
func likeNumber(key string) bool { return key != "" && strings.Trim(key, "+-0123456789") == "" }

func (a *API) patchWebhook(c *call) (answer, error) {
	var in WebhookInput
	if err := c.bind(&in, Webhook{}); err != nil {
		return answer{}, err
	}
	w, err := a.webhook(c)
	if err != nil {
		return answer{}, err
	}
	return a.save(c, &in, &w, false)
}

// save checks the input and stores it over w, or as a new webhook when w is nil.
func (a *API) save(c *call, in *WebhookInput, w *models.Webhook, whole bool) (answer, error) {
	var dry DryRun
	if err := c.query(&dry); err != nil {
		return answer{}, err
	}
	r := a.rules(c)
	saved, err := a.saved(c, r, w)
	if err != nil {
		return answer{}, err
	}
	wanted, err := in.describe(c, saved, whole)
	if err != nil {
		return answer{}, err
	}
	checked, faults, err := r.Check(c.ctx, wanted.Input, saved, definition.ToSave)
	if err != nil {
		return answer{}, err
	}
	for _, fault := range faults {
		wanted.faults.Whole(fieldOf(fault), "%s", fault.Text)
	}
	if len(wanted.faults) > 0 {
		return answer{}, &problem{status: unprocessable, reason: api.ReasonInvalid, faults: wanted.faults}
	}
	if err := a.keyTaken(c, checked.Input.Key, w); err != nil {
		return answer{}, err
	}
	changed := checked.Reduce()
	switch {
	case dry.DryRun == "true":
		return answer{status: ok, value: Changes{Creates: w == nil, Changes: append([]string{}, changed...)}}, nil
	case len(changed) == 0:
		return a.shown(c, ok, *w)
	}
	return a.storeWebhook(c, r, checked, wanted.generated)
}

// keyTaken refuses a key that another webhook has, also one that the token does not
// see; w is the webhook that is saved, nil: a new one.
func (a *API) keyTaken(c *call, key string, w *models.Webhook) error {
	other, err := a.store.Webhooks.ByKey(c.storing(), key)
	switch {
	case errors.Is(err, models.ErrNotFound), err == nil && w != nil && other.ID == w.ID:
		return nil
	case err != nil:
		return err
	case w == nil && c.conditional() && c.token.Within().Has(other.Location):
		return errChanged // it was created in the meantime
	}
	return models.ErrExists
}

// saved is the webhook to save over, opened, if it is still as the request wants
// it.
func (a *API) saved(c *call, r *definition.Checker, w *models.Webhook) (*definition.Saved, error) {
	if w == nil {
		return nil, c.unchanged("")
	}
	v, err := a.viewOf(c, *w)
	if err != nil {
		return nil, err
	}
	if err := c.unchanged(tagOf(v)); err != nil {
		return nil, err
	}
	return r.Open(*w)
}

// storeWebhook saves a checked webhook and answers with it. Secrets that this
// request made are in the answer.
func (a *API) storeWebhook(c *call, r *definition.Checker, checked definition.Checked, generated [2]bool) (answer, error) {
	how := definition.How{OnlyChanges: true}
	var old *models.Webhook
	if checked.Saved != nil {
		how.Version, old = checked.Saved.UpdatedAt, &checked.Saved.Webhook
	}
	result, err := r.Save(c.ctx, c.by(), checked, how)
	if result.Webhook.ID != 0 {
		a.Site.OnChange()
	}
	if errors.Is(err, models.ErrExists) { // another request was quicker
		err = cmp.Or(a.keyTaken(c, checked.Input.Key, old), err)
	}
	if err != nil {
		return answer{}, c.savedMeanwhile("webhook", err)
	}
	w, err := a.store.Webhooks.Get(c.storing(), c.token.Within(), result.Webhook.ID) // a test may have healed it
	if err != nil {
		return answer{}, err
	}
	v, err := a.viewOf(c, w)
	out := SavedWebhook{Webhook: v}
	for i, secret := range []**string{&out.Secret1, &out.Secret2} {
		if generated[i] || i == 0 && checked.Generated {
			*secret = &checked.Effective.Secrets[i]
		}
	}
	reply := answer{status: ok, value: out, tag: tagOf(v)}
	if checked.Saved == nil {
		reply.status, reply.at = created, Prefix+"/webhooks/"+strconv.FormatInt(w.ID, 10)
	}
	return reply, err
}

// savedMeanwhile is the error of a change of a thing that somebody else was quicker
// than. A request for one version is refused by its condition.
func (c *call) savedMeanwhile(thing string, err error) error {
	_, late := errors.AsType[*models.ConflictError](err)
	if late && c.conditional() {
		return errChanged
	}
	return found(thing, err)
}

func (a *API) deleteWebhook(c *call) (answer, error) {
	w, err := a.asWanted(c)
	if err != nil {
		return answer{}, err
	}
	if _, err := a.store.Webhooks.Delete(c.storing(), c.by(), w.ID, c.seen(w.UpdatedAt)...); err != nil {
		return answer{}, c.savedMeanwhile("webhook", err)
	}
	a.Site.OnChange()
	return answer{status: noBody}, nil
}

// asWanted is the webhook of the address, if it is still as the request wants it.
func (a *API) asWanted(c *call) (models.Webhook, error) {
	w, err := a.webhook(c)
	if err != nil {
		return w, err
	}
	v, err := a.viewOf(c, w)
	if err != nil {
		return w, err
	}
	return w, c.unchanged(tagOf(v))
}
