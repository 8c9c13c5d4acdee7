package models_test

import (
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestAuditSaysWhatASaveChanged: old → new of readable values, and of all
// others only that they changed.
func TestAuditSaysWhatASaveChanged(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		in := input()
		in.Secrets[0].Set = "hidden-secret-1"
		in.Headers = []models.Header{{Name: "X-Gone", Value: "hidden-a"}, {Name: "X-Kept", Value: "hidden-b"}, {Name: "X-Team", Value: "hidden-c"}}
		in.Options = map[string]string{"digest": "hidden-d", "kept": "same"}
		w, err := s.Webhooks.Create(t.Context(), mary, in)
		ok(t, err)
		in.Secrets, in.Headers = [2]models.SecretChange{}, nil
		save := func(what string, change func(*models.WebhookInput)) {
			t.Helper()
			now := in
			change(&now)
			w, err = s.Webhooks.Update(t.Context(), models.Actor{Name: "Mary", From: "203.0.113.7"}, w.ID, w.UpdatedAt, now)
			ok(t, err)
			in = now
			in.Secrets, in.Headers = [2]models.SecretChange{}, nil
			rows, _, err := s.Audit.Search(t.Context(), models.AuditQuery{Within: models.AllLocations(), Limit: 1})
			ok(t, err)
			want(t, "audit", rows[0].Detail, what)
			want(t, "from", rows[0].From, "203.0.113.7")
			if strings.Contains(rows[0].Detail, "hidden") {
				t.Errorf("it tells %q", rows[0].Detail)
			}
		}
		save("nothing changed", func(*models.WebhookInput) {})
		save(`name "Python Accepted Answers" → "New"; location main → team; community any → web`, func(in *models.WebhookInput) {
			in.Name, in.Location, in.Community = "New", "team", "web"
		})
		save("events added: answer.accepted; events removed: question.created", func(in *models.WebhookInput) { in.Events = []string{"answer.accepted"} })
		save("tags all → specific; tags added: go, sql", func(in *models.WebhookInput) {
			in.TagMode, in.Tags = models.TagsSpecific, []string{"go", "sql"}
		})
		save("tags removed: go", func(in *models.WebhookInput) { in.Tags = []string{"sql"} })
		save("target changed from https://example.com/hook to https://b.example/", func(in *models.WebhookInput) {
			in.URL, in.URLShown = "https://b.example/?hidden", "https://b.example/"
		})
		save("what is not shown of the target changed", func(in *models.WebhookInput) { in.URL = "https://b.example/?hidden=2" })
		save("options changed: digest, fresh", func(in *models.WebhookInput) {
			in.Options = map[string]string{"fresh": "hidden-e", "kept": "same"}
		})
		save("headers added: X-Env; headers removed: X-Gone; header values changed: X-Team", func(in *models.WebhookInput) {
			in.Headers = []models.Header{{Name: "X-Kept", Value: "hidden-b"}, {Name: "X-Team", Value: "hidden-f"}, {Name: "X-Env", Value: "hidden-g"}}
		})
		save("signing secret 1 replaced; signing secret 2 set", func(in *models.WebhookInput) {
			in.Secrets[0].Set, in.Secrets[1].Set = "hidden-secret-2", "hidden-secret-3"
		})
		save("signing secret 1 removed", func(in *models.WebhookInput) { in.Secrets[0].Clear = true })
		save("nothing changed", func(in *models.WebhookInput) { in.Secrets[0].Clear = true })
		many := strings.Fields("sql a b c d e f g h i j k l m n o p q r s t u v")
		save("tags added: a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t and 2 more", func(in *models.WebhookInput) { in.Tags = many })
	})
}

// TestAuditOfTheReleaseBefore: it writes no address.
func TestAuditOfTheReleaseBefore(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		db := s.DB().WithContext(t.Context())
		ok(t, db.Exec("insert into audit_entries (at, by_id, by_name, action, target, detail) values (?, 3, 'Mary', 'webhook.saved', 'webhook 1', '')", s.DB().NowFunc()).Error)
		rows, _, err := s.Audit.Search(t.Context(), models.AuditQuery{Within: models.AllLocations(), Limit: 1})
		ok(t, err)
		want(t, "from", rows[0].From, "")
	})
}
