package management

import (
	"strings"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// WebhookInput is a webhook as programs describe it. The rules for its fields are
// those of handlers/definition. Fields that are only read are ignored, so
// that a client can send back what it read.
type WebhookInput struct {
	Key       Optional[string]             `json:"key" null:"true" doc:"Slug with at least one letter; null removes it"`
	Type      Optional[string]             `json:"type" doc:"Needed for a new webhook; it cannot be changed"`
	Name      Optional[string]             `json:"name"`
	Location  Optional[string]             `json:"location" doc:"Slug; absent: as it is, and for a new webhook that of the token, or main"`
	Events    Optional[[]string]           `json:"events"`
	Tags      Optional[[]string]           `json:"tags" null:"true" doc:"null: all tags"`
	Community Optional[string]             `json:"community" null:"true" doc:"null: any"`
	URL       Optional[string]             `json:"url" null:"true" doc:"Absent or null keeps the saved one of a type whose URL is a secret"`
	Headers   Optional[Headers]            `json:"headers" null:"true" doc:"All custom headers. A null keeps the saved value; absent or null keeps all"`
	Options   Optional[map[string]*string] `json:"options" null:"true"`
	Secret1   Optional[SecretInput]        `json:"secret_1" null:"true" doc:"Absent keeps the saved one, null removes it"`
	Secret2   Optional[SecretInput]        `json:"secret_2" null:"true" doc:"Absent keeps the saved one, null removes it"`
}

// wanted is an input, checked for what only this API can get wrong.
type wanted struct {
	definition.Input
	generated [2]bool // secrets that this request makes
	faults    api.Faults
}

const emptySlug = "It must not be empty. Give it a value, or null."

// formatOf is the type of a saved webhook.
func formatOf(w models.Webhook) (*wire.Format, error) {
	f, known := wire.Lookup(w.Type)
	if !known {
		return nil, refuse(conflict, "This version of Sitehooks does not know the type “"+wording.Cut(w.Type, 60)+"”.")
	}
	return f, nil
}

// describe translates the input into one for the rules. Whole replaces all of a
// webhook; otherwise what is absent stays. Saved is nil for a new webhook.
func (in *WebhookInput) describe(c *call, saved *definition.Saved, whole bool) (wanted, error) {
	w := wanted{}
	if err := w.typeOf(in, saved); err != nil {
		return w, err
	}
	text := func(o *Optional[string]) *string {
		if whole || o.Given {
			return &o.Value // null is empty
		}
		return nil
	}
	if in.Key.Set() && in.Key.Value == "" {
		w.faults.Whole(definition.FieldKey, emptySlug)
	}
	if in.Community.Set() && in.Community.Value == "" {
		w.faults.Whole(definition.FieldCommunity, emptySlug)
	}
	w.Key = in.Key.pointerOrClear()
	w.Name, w.Community, w.URL = text(&in.Name), text(&in.Community), text(&in.URL)
	if saved != nil && w.Format.SecretURL && !in.URL.Set() {
		w.URL = nil // it is never read, so its absence keeps it
	}
	if w.Location = in.Location.pointerOrClear(); w.Location == nil && saved == nil {
		w.Location = new(c.defaultLocation())
	}
	if whole || in.Events.Given {
		w.Events = append([]string{}, in.Events.Value...)
	}
	if whole || in.Tags.Given {
		w.TagMode, w.Tags = new(models.TagsAll), []string{}
		if in.Tags.Set() {
			w.TagMode, w.Tags = new(models.TagsSpecific), append([]string{}, in.Tags.Value...)
		}
	}
	if in.Headers.Set() {
		w.Headers = in.Headers.Value
	}
	if whole || in.Options.Given {
		w.options(in.Options.Value)
	}
	w.secret(0, &in.Secret1)
	w.secret(1, &in.Secret2)
	return w, nil
}

// pointerOrClear is the value, empty for null; nil: it is absent.
func (o *Optional[T]) pointerOrClear() *T {
	if !o.Given {
		return nil
	}
	return &o.Value
}

// typeOf finds the type, which no save changes.
func (w *wanted) typeOf(in *WebhookInput, saved *definition.Saved) (err error) {
	if saved == nil {
		f, known := wire.Lookup(in.Type.Value)
		if !known {
			var names []string
			for _, f := range wire.Formats() {
				names = append(names, f.Name)
			}
			return faulty(definition.FieldType, "Choose a type: "+strings.Join(names, ", ")+".")
		}
		w.Format = f
		return nil
	}
	w.Format, err = formatOf(saved.Webhook)
	if in.Type.Given && in.Type.Value != saved.Type {
		w.faults.Whole(definition.FieldType, "The type of a webhook cannot be changed. It is %s.", saved.Type)
	}
	return err
}

// options are those of the type, all of them.
func (w *wanted) options(given map[string]*string) {
	w.Options = map[string]string{}
	for _, field := range w.Format.Fields {
		w.Options[field.Key] = ""
		if value := given[field.Key]; value != nil {
			w.Options[field.Key] = *value
		}
		delete(given, field.Key)
	}
	for key := range given {
		w.faults.Whole("options."+api.Clip(key), "%s webhooks have no such option.", w.Format.Label)
	}
}

// secret translates the change of a secret.
func (w *wanted) secret(i int, in *Optional[SecretInput]) {
	field := definition.SecretField(i)
	switch {
	case !in.Given:
		return
	case i >= len(w.Format.Secrets):
		if !in.Null {
			w.faults.Whole(field, "%s webhooks have no second signing secret.", w.Format.Label)
		}
		return
	case in.Value.Generate:
		in.Value.Value, w.generated[i] = w.Format.NewSecret(), true
	case !in.Null && in.Value.Value == "":
		if err := w.Format.CheckSecret(""); err != nil {
			w.faults.Whole(field, "%s", wording.Sentence(err))
		}
		return
	}
	w.Secrets[i] = &in.Value.Value
}
