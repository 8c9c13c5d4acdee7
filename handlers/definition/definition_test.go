package definition_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// TestOneSetOfRules: the form, the API of SuperOffice and the management API
// refuse the same for the same reason, in the same words, and store nothing of it.
func TestOneSetOfRules(t *testing.T) {
	const moved = "The URL is on another host, so the saved "
	manyHeaders := make([]models.Header, definition.HeadersMax+1)
	for i := range manyHeaders {
		manyHeaders[i] = models.Header{Name: fmt.Sprint("X-", i), Value: "v"}
	}
	manyTags := make([]string, definition.TagsMax+1)
	for i := range manyTags {
		manyTags[i] = fmt.Sprint("tag-", i)
	}
	for name, tc := range map[string]struct {
		saved bool // a change of a saved webhook, with a secret and a header
		// The API of SuperOffice cannot say it.
		elsewhere bool
		change    func(d *desk, w *wish)
		status    int // of the receiver; 0: 200
		field     string
		says      string // begins so
	}{
		"nothing is wrong":        {},
		"nothing is changed":      {saved: true},
		"name missing":            {change: func(_ *desk, w *wish) { w.name = " " }, field: "name", says: "Enter a name"},
		"name too long":           {change: func(_ *desk, w *wish) { w.name = strings.Repeat("é", 201) }, field: "name", says: "This is longer than 200 characters."},
		"name of the most":        {change: func(_ *desk, w *wish) { w.name = strings.Repeat("é", 200) }},
		"name on two lines":       {change: func(_ *desk, w *wish) { w.name = "a\nb" }, field: "name", says: "This contains line breaks"},
		"no activity":             {change: func(_ *desk, w *wish) { w.events = nil }, field: "events", says: "Choose at least one activity."},
		"unknown activity":        {change: func(_ *desk, w *wish) { w.events = []string{"contact.exploded"} }, field: "events", says: "“contact.exploded”"},
		"an activity of others":   {change: func(_ *desk, w *wish) { w.events = []string{"contact.created", "user.created"} }, field: "events", says: "“user.created”"},
		"an activity of the site": {change: func(_ *desk, w *wish) { w.events = []string{"lead.scored"} }},
		"too many activities": {change: func(_ *desk, w *wish) {
			w.events = nil
			for i := range definition.EventsMax + 1 {
				w.events = append(w.events, fmt.Sprint("lead.scored_", i))
			}
		}, field: "events", says: "A webhook can have up to 500 activities."},
		"URL missing":          {change: func(_ *desk, w *wish) { w.url = "" }, field: "url", says: "Enter the URL"},
		"URL not https":        {change: func(_ *desk, w *wish) { w.url = "http://example.com/" }, field: "url", says: "This type sends to https addresses only."},
		"URL too long":         {change: func(d *desk, w *wish) { w.url = d.here + "/" + strings.Repeat("x", 2048) }, field: "url", says: "This is longer than 2,048 characters."},
		"URL with a password":  {change: func(_ *desk, w *wish) { w.url = "https://user:pass@example.com/" }, field: "url", says: "The URL must not contain a user name"},
		"URL that is none":     {change: func(_ *desk, w *wish) { w.url = "https://" }, field: "url", says: "The URL needs a valid host name."},
		"blocked target":       {change: func(_ *desk, w *wish) { w.url = "https://10.0.0.1/" }, field: "url", says: "Sitehooks "},
		"secret too long":      {change: func(_ *desk, w *wish) { w.secret = new(strings.Repeat("x", 257)) }, field: "secret_1", says: "Use 1 to 256 characters on one line."},
		"secret not printable": {change: func(_ *desk, w *wish) { w.secret = new("a\tb") }, field: "secret_1", says: "Use 1 to 256 characters on one line."},
		"too many headers":     {change: func(_ *desk, w *wish) { w.headers = manyHeaders }, field: "headers", says: "There are 21 headers; a webhook can have up to 20."},
		"headers of the most":  {change: func(_ *desk, w *wish) { w.headers = manyHeaders[1:] }},
		"header twice": {change: func(_ *desk, w *wish) {
			w.headers = []models.Header{{Name: "X-A", Value: "1"}, {Name: "x-a", Value: "2"}}
		}, field: "headers", says: "x-a appears twice."},
		"header of the type": {change: func(_ *desk, w *wish) {
			w.headers = []models.Header{{Name: "X-SuperOffice-Signature", Value: "forged"}}
		}, field: "headers", says: "The header X-SuperOffice-Signature is set"},
		"header without a value":  {change: func(_ *desk, w *wish) { w.headers = []models.Header{{Name: "X-New"}} }, field: "headers", says: "The header X-New has no value."},
		"header not in ASCII":     {change: func(_ *desk, w *wish) { w.headers = []models.Header{{Name: "X-A", Value: "é"}} }, field: "headers", says: "The value of the header X-A"},
		"a part of the message":   {change: func(_ *desk, w *wish) { w.properties = `{"Event":1}` }, field: "option_properties", says: "“Event”"},
		"properties too long":     {change: func(_ *desk, w *wish) { w.properties = `{"a":"` + strings.Repeat("x", 4096) + `"}` }, field: "option_properties", says: "This is too long"},
		"an address for errors":   {change: func(_ *desk, w *wish) { w.email = " crm@example.com " }},
		"two addresses":           {change: func(_ *desk, w *wish) { w.email = "crm@example.com, ops@example.com" }, field: "option_errors_email", says: "Enter one e-mail address"},
		"an address in two lines": {change: func(_ *desk, w *wish) { w.email = "crm\u2028@example.com" }, field: "option_errors_email", says: "Enter one e-mail address"},
		"no address":              {change: func(_ *desk, w *wish) { w.email = "Mary" }, field: "option_errors_email", says: "Enter one e-mail address"},
		"unknown location":        {elsewhere: true, change: func(_ *desk, w *wish) { w.location = "nowhere" }, field: "location", says: "There is no location with the slug or name “nowhere”."},
		"a hidden location":       {elsewhere: true, change: func(d *desk, w *wish) { d.hide(); w.location = closed }},
		"unknown community":       {elsewhere: true, change: func(_ *desk, w *wish) { w.community = "nobody" }, field: "community", says: "This location has no such community."},
		"another's community": {elsewhere: true, change: func(d *desk, w *wish) {
			d.AddCommunity("python-wranglers", "data")
			w.community = "data"
		}, field: "community", says: "This location has no such community."},
		"a hidden community":      {elsewhere: true, change: func(d *desk, w *wish) { d.hide(); w.location, w.community = closed, "data" }},
		"no tag":                  {elsewhere: true, change: func(_ *desk, w *wish) { w.tags = []string{} }, field: "tags", says: "Add at least one tag"},
		"blank tags":              {elsewhere: true, change: func(_ *desk, w *wish) { w.tags = []string{" ", ""} }, field: "tags", says: "Add at least one tag"},
		"too many tags":           {elsewhere: true, change: func(_ *desk, w *wish) { w.tags = manyTags }, field: "tags", says: "There are 101 tags; a webhook can have up to 100."},
		"tags of the most":        {elsewhere: true, change: func(_ *desk, w *wish) { w.tags = slices.Concat(manyTags[1:], []string{"TAG-1"}) }},
		"a long tag":              {elsewhere: true, change: func(_ *desk, w *wish) { w.tags = []string{strings.Repeat("é", 65)} }, field: "tags", says: "“éé"},
		"a tag of odd characters": {elsewhere: true, change: func(_ *desk, w *wish) { w.tags = []string{"a\x1bb"} }, field: "tags", says: "“a"},
		"a test that is refused":  {status: http.StatusNoContent, field: "url", says: "The receiver did not accept the test notification: "},
		"another receiver refuses": {
			saved: true, status: http.StatusInternalServerError, field: "url", says: "The receiver did not accept the test notification: ",
			change: func(_ *desk, w *wish) { w.url += "/new" },
		},
		"moved to another host": {
			saved: true, field: "secret_1", says: moved + "secret is not used.",
			change: func(d *desk, w *wish) { w.url = d.there },
		},
		"moved with a new secret": {
			saved: true, field: "headers", says: moved + "values are not used. Enter them again: X-Key.",
			change: func(d *desk, w *wish) { w.url, w.secret = d.there, new("again") },
		},
		"moved with all entered again": {
			saved: true, status: http.StatusTeapot, field: "url", says: "The receiver did not accept the test notification: ",
			change: func(d *desk, w *wish) {
				w.url, w.secret = strings.Replace(d.here, "127.0.0.1", "127.0.0.2", 1), new("again")
				w.headers[0].Value = "again"
			},
		},
		"moved without what was secret": {
			saved: true, status: http.StatusTeapot, field: "url", says: "The receiver did not accept the test notification: ",
			change: func(d *desk, w *wish) {
				w.url, w.secret, w.headers = strings.Replace(d.here, "127.0.0.1", "127.0.0.2", 1), new(""), nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			var verdicts []verdict
			for by, save := range ways {
				if tc.elsewhere && by == "API" {
					continue
				}
				wanted, w := d.usual(), (*models.Webhook)(nil)
				if tc.saved {
					w = d.saved()
					wanted.headers = []models.Header{{Name: "X-Key"}}
				}
				if tc.change != nil {
					tc.change(d, &wanted)
				}
				d.receiver.Answers(cmp.Or(tc.status, http.StatusOK))
				before := d.Stored()
				got := save(d, w, wanted)
				if !strings.HasPrefix(got[tc.field], tc.says) || (len(got) == 0) != (tc.field == "") {
					t.Errorf("the %s says %q, want %s: %q", by, got, tc.field, tc.says)
				}
				stores := tc.field == "" && (tc.change != nil || !tc.saved || by != "management API") // which stores no save without a change
				if changed := webtest.Difference(before, d.Stored()); (changed != "") != stores {
					t.Errorf("the %s stored: %s", by, changed)
				}
				verdicts = append(verdicts, got)
			}
			for _, other := range verdicts[1:] {
				if !maps.Equal(verdicts[0], other) {
					t.Errorf("one says %q, another %q", verdicts[0], other)
				}
			}
		})
	}
}

// TestSwitchedOffTypeIsRefusedAlike: no webhook of a type that is switched off
// can be created.
func TestSwitchedOffTypeIsRefusedAlike(t *testing.T) {
	d := newDesk(t)
	d.SetFeature("False")
	api, form := d.byAPI(nil, d.usual())[""], d.byForm(nil, d.usual())[""]
	if !strings.Contains(api, models.EnableGenericWebhooks) || !strings.Contains(form, api) {
		t.Errorf("the API says %q, the form %q", api, form)
	}
	w := d.saved()
	for by, save := range ways {
		if got := save(d, w, d.usual()); len(got) > 0 {
			t.Errorf("by the %s a saved one cannot be changed: %q", by, got)
		}
	}
}

// TestSavingABrokenWebhookHealsIt: whichever way it is saved, one test decides
// whether it is active again.
func TestSavingABrokenWebhookHealsIt(t *testing.T) {
	for by, save := range ways {
		t.Run(by, func(t *testing.T) {
			d := newDesk(t)
			w := d.saved()
			webtest.OK(t, d.Store.Webhooks.Break(t.Context(), w.ID, "It was gone."))
			for i, tc := range []struct {
				status int
				state  string
			}{{http.StatusBadGateway, models.WebhookBroken}, {http.StatusOK, models.WebhookActive}} {
				d.receiver.Answers(tc.status)
				wanted := d.usual()
				wanted.name = fmt.Sprint("CRM ", i) // the management API saves changes alone
				if got := save(d, w, wanted); len(got) > 0 {
					t.Errorf("it is refused: %q", got)
				}
				if now := d.Only(); now.State != tc.state || len(d.receiver.Requests()) != i+1 {
					t.Errorf("after %d it is %s and was tested %d times", tc.status, now.State, len(d.receiver.Requests()))
				}
			}
		})
	}
}

// TestAbsentKeepsWhatIsSaved: a caller that gives one field changes that field
// alone.
func TestAbsentKeepsWhatIsSaved(t *testing.T) {
	d := newDesk(t)
	w := d.saved()
	f, _ := wire.Lookup(w.Type)
	c := definition.Checker{Webhooks: d.Store.Webhooks, Sender: send.New(send.Config{}), Places: web.NewDirectory(d.Store.Locations, models.AllLocations()), Settings: d.Store.Settings.Get}
	saved, err := c.Open(*w)
	webtest.OK(t, err)
	checked, faults, err := c.Check(t.Context(), definition.Input{Format: f, Community: new("")}, saved, definition.ToSave)
	webtest.OK(t, err)
	if blocked := faults.Of(definition.FieldURL); len(faults) != 1 || !strings.Contains(blocked, "SITEHOOKS_ALLOW_TARGETS") { // no exception for this sender
		t.Errorf("it finds %v", faults)
	}
	before := saved.Opened
	if o := checked.Effective; o.URL != before.URL || o.Secrets != before.Secrets || !slices.Equal(o.Headers, before.Headers) {
		t.Errorf("it would use %+v", o)
	}
	in := checked.Input
	if in.Name != w.Name || in.Location != w.Location || !slices.Equal(in.Events, w.Events) || in.Options["properties"] != w.Options["properties"] ||
		in.Headers != nil || in.Secrets != [2]models.SecretChange{} {
		t.Errorf("it would store %+v", in)
	}
}

// TestErrorsOfASaveInWords: form and APIs show the same sentence about a save
// that the caller can mend; other errors are the system's.
func TestErrorsOfASaveInWords(t *testing.T) {
	refused := &definition.RefusedError{Test: definition.TestResult{Reason: "It answered 410 Gone."}}
	for _, tc := range []struct {
		err         error
		field, says string
	}{
		{refused, definition.FieldURL, "The receiver did not accept the test notification: It answered 410 Gone."},
		{&models.ConflictError{By: "Tony"}, definition.FieldVersion, "This webhook was changed by Tony in the meantime. Reload it, then make your changes again."},
		{models.ErrFull, definition.FieldLocation, "This location has 20,000 webhooks, the maximum. Delete one there first, or use another location."},
		{models.ErrNotFound, "", ""},
	} {
		fault, is := definition.FaultOf(fmt.Errorf("save: %w", tc.err))
		if fault.Field != tc.field || fault.Text != tc.says || is != (tc.says != "") {
			t.Errorf("%v: %v, %+v", tc.err, is, fault)
		}
	}
}
