package modelstest_test

import (
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestFilledDatabaseIsWhole reads through the models the rows that Fill wrote
// without them.
func TestFilledDatabaseIsWhole(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			s := modelstest.Open(t, modelstest.Options(t, kind))
			modelstest.Fill(t, s, modelstest.Size{Webhooks: 200, Events: 1000, Deliveries: 1000})
			list, err := s.Webhooks.List(t.Context(), models.WebhookQuery{Within: models.AllLocations(), Limit: 20})
			ok(t, err)
			if list.All != 200 || len(list.Rows) != 20 {
				t.Errorf("%d webhooks", list.All)
			}
			row, err := s.Deliveries.Get(t.Context(), models.AllLocations(), "msg_big1000")
			ok(t, err)
			events, err := s.Deliveries.EventsOf(t.Context(), row.ID)
			ok(t, err)
			attempts, err := s.Deliveries.Attempts(t.Context(), row.ID)
			ok(t, err)
			if len(events) != 1 || events[0].EventID != "big-1000" || events[0].Location != row.Location || len(attempts) != 1 {
				t.Errorf("%+v has %d events, %d attempts", row, len(events), len(attempts))
			}
			opened, err := s.Webhooks.Open(row.Webhook)
			ok(t, err)
			if row.Webhook.ID != 1 || opened.URL == "" {
				t.Errorf("the webhook is %d, its target %q", row.Webhook.ID, opened.URL)
			}
			// New rows go on after them.
			_, _, err = s.Events.Record(t.Context(), []models.NewEvent{{EventID: "new", Type: "question.created", Location: "main", Payload: []byte("{}")}})
			ok(t, err)
			e, err := s.Events.Get(t.Context(), "main", "new")
			ok(t, err)
			if e.ID != 1001 {
				t.Errorf("the next event is number %d", e.ID)
			}
		})
	}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
