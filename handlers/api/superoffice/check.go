package superoffice

import (
	"context"
	"net/http"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/models"
)

// fieldKeys are the vendor's names of the fields that these definitions have.
var fieldKeys = map[string]string{
	definition.FieldName:                     keyName,
	definition.FieldEvents:                   keyEvents,
	definition.FieldURL:                      keyTarget,
	definition.SecretField(0):                keySecret,
	definition.FieldHeaders:                  keyHeaders,
	definition.OptionField(optionEmail):      keyEmail,
	definition.OptionField(optionProperties): keyProperties,
}

// keyOf is the vendor's name of a field.
func keyOf(field string) string {
	if key := fieldKeys[field]; key != "" {
		return key
	}
	return field
}

// newRules are the rules of all webhooks, for this API.
func newRules(d Deps) definition.Checker {
	return definition.Checker{
		Webhooks: d.Store.Webhooks, Sender: d.Sender, Places: anyLocation{}, Settings: d.Store.Settings.Get, Now: d.Now,
		// Once a change is stored, the rest of it is done and the client hears of
		// it, even if its place is wanted by others.
		Finish: true, Register: d.Store.Locations.Register,
	}
}

// anyLocation takes the location of a token as it is: a new one is registered at
// first sight, as events do.
type anyLocation struct{}

func (anyLocation) FilterLocation(_ context.Context, slug string) (found, fault string, err error) {
	return slug, "", nil
}

// FindCommunity finds none, because these definitions name none.
func (anyLocation) FindCommunity(context.Context, string, string) (string, error) {
	return "", models.ErrNotFound
}

// check returns the checked definition, or a failure that names all its faults.
// Saved is nil for a new webhook.
func (s *API) check(ctx context.Context, c *call, d *givenWebhook, saved *definition.Saved, p definition.Purpose) (definition.Checked, error) {
	in := d.input()
	in.Format = s.format
	if saved == nil {
		in.Location = new(c.place())
	}
	checked, faults, err := s.rules.Check(ctx, in, saved, p)
	if err != nil {
		return checked, err
	}
	if off := faults.Of(definition.FieldType); off != "" {
		return checked, &failure{status: http.StatusForbidden, message: off}
	}
	for _, fault := range faults {
		d.wrong.add(keyOf(fault.Field), "%s", fault.Text)
	}
	return checked, d.wrong.failure()
}

// input translates the definition. Fields that are not part of it stay
// unchanged.
func (d *givenWebhook) input() definition.Input {
	in := definition.Input{
		Name: &d.Name, Events: append([]string{}, d.Events...), URL: &d.Target, Secrets: [2]*string{d.Secret},
		Options: map[string]string{optionEmail: strings.TrimSpace(d.Email), optionProperties: string(d.Properties)},
	}
	if d.HeadersGiven {
		in.Headers = append([]models.Header{}, d.Headers...)
	}
	return in
}

// sendTest sends the test event to the target of a definition. A saved
// webhook's definition may leave out its secrets, and may be tested although
// the feature is off.
func (s *API) sendTest(ctx context.Context, c *call, d *givenWebhook) (answer, error) {
	var saved *definition.Saved
	if d.WebhookID != 0 {
		w, err := s.visible(ctx, c, d.WebhookID)
		if err != nil {
			return answer{}, err
		}
		if saved, err = s.rules.Open(w); err != nil {
			return answer{}, err
		}
	}
	checked, err := s.check(ctx, c, d, saved, definition.ToTest)
	if err != nil {
		return answer{}, err
	}
	t, err := s.rules.Test(ctx, checked)
	message := answered(t.Reason, t.Code, t.ResponseHeaders, t.Result.Body)
	return answer{value: testResult{t.Delivered, message}}, err
}

// testResult is the result of a test event, as programs get it.
type testResult struct {
	Success bool
	Message string
}

// test sends the test event to the target of the definition in the body.
func (s *API) test(ctx context.Context, c *call) (answer, error) {
	d, err := readDefinition(c.body)
	if err != nil {
		return answer{}, err
	}
	return s.sendTest(ctx, c, d)
}
