package webhooks

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// wholeForm is the "field" of faults that belong to none.
const wholeForm = "form"

// request has the records that one request for the form reads, each of them
// once.
type request struct {
	definition.Checker
	places *web.Directory
	at     *models.Snapshot // nil: not read yet
}

func (s *Pages) request(c *gin.Context) *request {
	r := &request{places: s.Directory(c)}
	r.Checker = definition.Checker{
		Webhooks: s.Store.Webhooks, Sender: s.Sender, Places: r.places, Waiting: untimed,
		Settings: func(ctx context.Context) (models.Settings, error) {
			at, err := r.snapshot(ctx, s.Store)
			return at.Settings, err
		},
	}
	return r
}

// snapshot is the state of the installation, read once.
func (r *request) snapshot(ctx context.Context, store *models.Store) (models.Snapshot, error) {
	if r.at == nil {
		at, err := store.Snapshot(ctx)
		if err != nil {
			return at, err
		}
		r.at = &at
	}
	return *r.at, nil
}

// untimed waits for a receiver, which is not the page's own time.
func untimed(ctx context.Context, wait func()) {
	web.Untimed(ctx, func() struct{} {
		wait()
		return struct{}{}
	})
}

// check looks the form through for a purpose. The error is of the system, not
// of the form.
func (e *editing) check(ctx context.Context, p definition.Purpose) (definition.Checked, web.Faults, error) {
	if err := e.open(); err != nil {
		return definition.Checked{}, nil, err
	}
	wrong := e.form.faults(e.saved)
	for field, text := range e.bound {
		wrong.Add(field, text)
	}
	checked, faults, err := e.request.Check(ctx, e.form.input(e.format, e.saved), e.saved, p)
	for _, fault := range faults {
		wrong.Add(formField(fault), fault.Text)
	}
	e.form.Location, e.form.Community = checked.Input.Location, checked.Input.Community
	return checked, wrong, err
}

// formField is where the form shows a fault.
func formField(fault definition.Fault) string {
	if fault.Field == definition.FieldType || fault.Field == definition.FieldVersion {
		return wholeForm
	}
	return fault.Field
}

// open decrypts the saved webhook, once.
func (e *editing) open() (err error) {
	if e.old != nil && e.saved == nil {
		e.saved, err = e.request.Open(*e.old)
	}
	return err
}

// faults are those that only this form can have, beside the rules in its tags.
func (f *webhookForm) faults(saved *definition.Saved) web.Faults {
	wrong := web.Faults{}
	if line := f.withoutColon(saved); line > 0 {
		wrong.Add(definition.FieldHeaders, fmt.Sprintf("Line %d has no colon. Write Name: value.", line))
	}
	if saved == nil {
		return wrong
	}
	if _, err := time.Parse(time.RFC3339Nano, f.UpdatedAt); err != nil {
		wrong.Add(wholeForm, "This form does not name the version that it was opened with. Open it again.")
	}
	return wrong
}

// withoutColon is the number of the first line of the headers that has no colon
// and is not the name of a saved header; 0: there is none.
func (f *webhookForm) withoutColon(saved *definition.Saved) (line int) {
	for text := range strings.Lines(f.Headers) {
		line++
		text = strings.TrimSpace(text)
		is := func(h models.Header) bool { return strings.EqualFold(h.Name, text) }
		if text != "" && !strings.Contains(text, ":") && (saved == nil || !slices.ContainsFunc(saved.Opened.Headers, is)) {
			return line
		}
	}
	return 0
}

// version is the one that the form was opened with.
func (f *webhookForm) version() time.Time {
	at, _ := time.Parse(time.RFC3339Nano, f.UpdatedAt) // faults has looked at it
	return at
}

// input translates the form.
func (f *webhookForm) input(format *wire.Format, saved *definition.Saved) definition.Input {
	in := definition.Input{
		Format: format, Name: (*string)(&f.Name), Location: &f.Location, Community: &f.Community, TagMode: &f.TagMode, URL: (*string)(&f.URL),
		Events: inOrder(format, f.Events), Tags: strings.Split(f.Tags, ","), Headers: splitHeaders(f.Headers), Options: f.Options, Secrets: f.Changes(),
	}
	if f.URL == "" && format.SecretURL && saved != nil {
		in.URL = nil // it is not shown, so empty keeps it
	}
	return in
}

// inOrder are activities in the order of the type's list, those that it does not
// have after them.
func inOrder(f *wire.Format, values []string) []string {
	list := []string{}
	if len(values) > definition.EventsMax {
		return values // a fault
	}
	for _, o := range f.Options {
		if slices.Contains(values, o.Value) {
			list = append(list, o.Value)
		}
	}
	return append(list, unlisted(f, values)...)
}
