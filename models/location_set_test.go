package models_test

import (
	"fmt"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestSeveralLocationsAreReadInOrder: however much newer history the others
// have, those who may see several locations get the newest of theirs at once.
func TestSeveralLocationsAreReadInOrder(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, clock *modelstest.Clock) {
		for _, location := range []string{"team-a", "team-b", "main"} {
			w := create(t, s, func(in *models.WebhookInput) { in.Location = location })
			n := 3
			if location == "main" {
				n = models.ScanMax
			}
			many(t, s, w, n, clock.Now())
			_, _, err := s.Events.Record(t.Context(), []models.NewEvent{{EventID: location, Type: "question.created", Location: location, Payload: []byte(`{"question_id":77}`)}})
			ok(t, err)
		}
		ok(t, s.DB().Exec("update deliveries set location = (select location from webhooks where id = webhook_id)").Error)
		ok(t, s.DB().Exec(`insert into events (event_id, type, location, community, tags, merge_key, subject, title, occurred_at, received_at, payload)
			with recursive g(i) as (select 1 union all select i + 1 from g where i < ?)
			select 'more-' || g.i, type, location, community, tags, merge_key, subject, title, occurred_at, received_at, payload from events cross join g where event_id = 'main'`, models.ScanMax).Error)

		two := models.OnlyLocations("team-a", "team-b")
		var shown []string
		q := models.DeliveryQuery{Within: two, Limit: 4, Count: true}
		for more := true; more; more = q.Before != 0 {
			page, err := s.Deliveries.Search(t.Context(), q)
			ok(t, err)
			want(t, "total", page.Total, models.Total{N: 6, Known: true})
			want(t, "scanned", page.Scanned, false)
			for _, row := range page.Rows {
				shown = append(shown, fmt.Sprintf("%s %d", row.Location, row.ID))
			}
			q.Before = page.Next
		}
		want(t, "deliveries", fmt.Sprint(shown), "[team-b 6 team-b 5 team-b 4 team-a 3 team-a 2 team-a 1]")
		var ids []string
		events := models.EventQuery{Within: two, Limit: 1}
		for more := true; more; more = events.Before != 0 {
			page, err := s.Events.Search(t.Context(), events)
			ok(t, err)
			for _, e := range page.Rows {
				ids = append(ids, e.EventID)
			}
			events.Before = page.Next
		}
		want(t, "events", fmt.Sprint(ids), "[team-b team-a]")
	})
}
