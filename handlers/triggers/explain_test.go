package triggers_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/triggers"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

func TestExplainTrigger(t *testing.T) {
	generic, ok := wire.Lookup("generic")
	if !ok {
		t.Fatal("there is no generic type")
	}
	received := time.Date(2026, 11, 21, 1, 37, 50, 0, time.UTC)
	event := models.Event{
		Type: "answer.accepted", Location: "python-wranglers", Community: "data-platform",
		Tags: []string{"python", "pandas"}, ReceivedAt: received,
	}
	bare := event
	bare.Tags, bare.Community = nil, ""
	version := models.WebhookVersion{
		Type: "generic", Location: "python-wranglers", TagMode: models.TagsAll, Events: []string{"answer.accepted"},
	}
	then := func(change func(*models.WebhookVersion)) models.WebhookVersion {
		v := version
		change(&v)
		return v
	}
	tests := map[string]struct {
		event   models.Event
		then    models.WebhookVersion
		created time.Time
		format  *wire.Format
		match   bool
		want    string
		bold    string // words of a match that are to be seen at once
		field   string
	}{
		"all tags": {event: event, then: version, match: true, want: "Accepted answers chosen; accepts all tags"},
		"two tags in common": {
			event: event, match: true, want: "Accepted answers chosen; tags python and pandas in common", bold: "python,pandas",
			then: then(func(v *models.WebhookVersion) {
				v.TagMode, v.Tags = models.TagsSpecific, []string{"pandas", "python", "x"}
			}),
		},
		"a tag and the community": {
			event: event, match: true, bold: "pandas,Data platform",
			want: "Accepted answers chosen; tag pandas in common; community Data platform",
			then: then(func(v *models.WebhookVersion) {
				v.TagMode, v.Tags, v.Community = models.TagsSpecific, []string{"pandas"}, "data-platform"
			}),
		},
		"activity": {
			event: event, field: "events", want: "Activity not chosen. The event is Accepted answers; this webhook reports Questions and Edited questions.",
			then: then(func(v *models.WebhookVersion) { v.Events = []string{"question.created", "question.edited"} }),
		},
		"activity that no option has": {
			event: models.Event{Type: "user.created", Location: "python-wranglers", ReceivedAt: received}, then: version,
			want: "Activity not offered. The event is user.created, which Generic webhooks do not report.",
		},
		"a forum's comment": {
			event: models.Event{Type: "comment.created", Family: "forum-comment", Location: "python-wranglers", ReceivedAt: received},
			then:  then(func(v *models.WebhookVersion) { v.Events = []string{"comment.created"} }),
			want:  "Activity not offered. The event is comment.created from a feedback forum; Generic webhooks report it only from a Q&A site.",
		},
		"no activity": {
			event: event, field: "events", want: "Activity not chosen. The event is Accepted answers; this webhook reports nothing.",
			then: then(func(v *models.WebhookVersion) { v.Events = nil }),
		},
		"an option of old": {
			event: event, field: "events", want: "Activity not chosen. The event is Accepted answers; this webhook reports thing.happened.",
			then: then(func(v *models.WebhookVersion) { v.Events = []string{"thing.happened"} }),
		},
		"the webhook itself broke": {
			event: models.Event{Type: "webhook.broken", Subject: "7", Location: "python-wranglers", ReceivedAt: received},
			then:  then(func(v *models.WebhookVersion) { v.WebhookID, v.Events = 7, []string{"webhook.broken"} }),
			want:  "About itself. The event reports that this webhook broke. A webhook never reports its own failure; use another webhook of the location.",
		},
		"another webhook broke": {
			event: models.Event{Type: "webhook.broken", Subject: "8", Location: "python-wranglers", ReceivedAt: received}, match: true,
			then: then(func(v *models.WebhookVersion) { v.WebhookID, v.Events = 7, []string{"webhook.broken"} }),
			want: "Webhook broke chosen; accepts all tags",
		},
		"tags": {
			event: event, field: "tags", want: "Tags differ. The event has python, pandas; this webhook requires django or flask.",
			then: then(func(v *models.WebhookVersion) { v.TagMode, v.Tags = models.TagsSpecific, []string{"django", "flask"} }),
		},
		"no tags": {
			event: bare, field: "tags", want: "Tags differ. The event has no tags; this webhook requires django.",
			then: then(func(v *models.WebhookVersion) { v.TagMode, v.Tags = models.TagsSpecific, []string{"django"} }),
		},
		"community": {
			event: event, field: "community", want: "Community differs. The event is in Data platform; this webhook requires Web.",
			then: then(func(v *models.WebhookVersion) { v.Community = "web" }),
		},
		"no community": {
			event: bare, field: "community", want: "Community differs. The event is in no community; this webhook requires Web.",
			then: then(func(v *models.WebhookVersion) { v.Community = "web" }),
		},
		"created later": {
			event: event, created: received.Add(14*time.Minute + 17*time.Second), then: version,
			want: "Created later. The event was received at 01:37:50; this webhook was created at 01:52:07.",
		},
		"created on a later day": {
			event: event, created: received.Add(24 * time.Hour), then: version,
			want: "Created later. The event was received at 01:37:50 on Nov 21, 2026; this webhook was created at 01:37:50 on Nov 22, 2026.",
		},
		"created in the same second": {
			event: event, created: received.Add(7 * time.Millisecond), then: version,
			want: "Created later. The event was received at 01:37:50.000; this webhook was created at 01:37:50.007.",
		},
		"elsewhere": {
			event: event, field: "location", want: "Location differs. The event is from Python Wranglers; this webhook was on Main site at the time.",
			then: then(func(v *models.WebhookVersion) { v.Location = "main" }),
		},
		"odd content": {
			event: models.Event{Type: "answer.accepted", Location: "python-wranglers", Tags: []string{webtest.Nasty}, ReceivedAt: received}, field: "tags",
			want: "Tags differ. The event has " + webtest.Nasty + "; this webhook requires x.",
			then: then(func(v *models.WebhookVersion) { v.TagMode, v.Tags = models.TagsSpecific, []string{"x"} }),
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			created := tt.created
			if created.IsZero() {
				created = received.Add(-time.Hour)
			}
			why := triggers.ExplainTrigger(tt.event, triggers.TriggerCase{Then: tt.then, Webhook: models.Webhook{CreatedAt: created}, Format: generic, Here: "Python Wranglers", There: "Main site", Communities: nil})
			if why.Match != tt.match || why.Text() != tt.want || why.Field != tt.field {
				t.Errorf("match %v, %q, field %q\nwant %v, %q, %q", why.Match, why.Text(), why.Field, tt.match, tt.want, tt.field)
			}
			var bold []string
			for _, w := range why.Words {
				if w.Bold {
					bold = append(bold, w.Text)
				}
			}
			if strings.Join(bold, ",") != tt.bold {
				t.Errorf("bold: %q, want %q", bold, tt.bold)
			}
		})
	}
	why := triggers.ExplainTrigger(event, triggers.TriggerCase{Then: models.WebhookVersion{Type: "fax"}})
	if why.Match || why.Class != "Type unknown" {
		t.Errorf("a type that is gone: %+v", why)
	}
}
