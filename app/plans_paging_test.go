package app_test

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestPagesOfDeliveries: a page of the list of deliveries, as the management API
// reads it, looks at a bounded number of rows whatever the filter, at the end of the
// list as at its start. PostgreSQL tells how many it looked at, of more than
// a page may; SQLite tells the way it goes, which must be along an index.
// (Of a location that has half of all, PostgreSQL rather skips the other half.)
func TestPagesOfDeliveries(t *testing.T) {
	const limit = 200
	// What an index finds costs a few rows for each of the page; another filter looks
	// at models.ScanMax rows, and says where to go on.
	const few = 12 * limit
	const some = 2*models.ScanMax + few
	size := modelstest.Size{Webhooks: 300, Events: some + 10_000, Deliveries: some + 10_000}
	now := time.Now()
	filters := map[string]struct {
		q    models.DeliveryQuery
		most float64
	}{
		"no filter":               {models.DeliveryQuery{}, few},
		"location":                {models.DeliveryQuery{Location: "main"}, few},
		"a location with nothing": {models.DeliveryQuery{Location: "team-none"}, few},
		"webhook":                 {models.DeliveryQuery{WebhookID: 1}, few},
		"webhook without any":     {models.DeliveryQuery{WebhookID: 1 << 40}, few},
		"failed":                  {models.DeliveryQuery{State: models.DeliveryFailed}, few},
		"failed of a webhook":     {models.DeliveryQuery{State: models.DeliveryFailed, WebhookID: 1}, few},
		"dropped":                 {models.DeliveryQuery{State: models.DeliveryDropped}, few},
		"pending":                 {models.DeliveryQuery{State: models.DeliveryPending}, some},
		"retrying":                {models.DeliveryQuery{State: models.DeliveryRetrying}, some},
		"delivered":               {models.DeliveryQuery{State: models.DeliveryDelivered}, some},
		"delivered at a location": {models.DeliveryQuery{State: models.DeliveryDelivered, Location: "team-1"}, some},
		"failed at a location":    {models.DeliveryQuery{State: models.DeliveryFailed, Location: "team-1"}, some},
		"a type":                  {models.DeliveryQuery{EventTypes: []string{wire.CommentCreated}}, some},
		"a type that is nowhere":  {models.DeliveryQuery{EventTypes: []string{"lead.scored"}}, some},
		"status":                  {models.DeliveryQuery{CodeClass: 4}, some},
		"time":                    {models.DeliveryQuery{From: now.Add(-20 * 24 * time.Hour), To: now.Add(-24 * time.Hour)}, few},
		"a time long ago":         {models.DeliveryQuery{To: now.Add(-900 * 24 * time.Hour)}, few},
		"a time to come":          {models.DeliveryQuery{From: now.Add(24 * time.Hour)}, few},
		"all of it":               {models.DeliveryQuery{Location: "main", WebhookID: 1, State: models.DeliveryDelivered, EventTypes: []string{wire.QuestionCreated}, From: now.Add(-20 * 24 * time.Hour)}, some},
	}
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) {
			var page atomic.Pointer[toldStatements]
			page.Store(&toldStatements{over: true, seen: map[string]int{}})
			o := modelstest.Options(t, kind)
			o.Trace = func(text string, args []any) { page.Load().add(text, args) }
			s := modelstest.Open(t, o)
			modelstest.Fill(t, s, size)
			db := s.SQLite()
			if db == nil {
				db = stdlib.OpenDBFromPool(s.Postgres())
				defer db.Close()
			}
			for name, filter := range filters {
				for _, before := range []int64{0, int64(size.Deliveries) / 2, limit / 2, 1} {
					q := filter.q
					q.Within, q.Before, q.Limit = models.AllLocations(), before, limit
					recorder := &toldStatements{seen: map[string]int{}}
					page.Store(recorder)
					_, err := s.Deliveries.Search(t.Context(), q)
					ok(t, err)
					looked, err := lookedAt(t.Context(), db, s.SQLite() != nil, recorder.stop())
					ok(t, err)
					for table, rows := range looked {
						if rows > filter.most {
							t.Errorf("%s before %d: a page looks at %.0f rows of %s, and may look at %.0f", name, before, rows, table, filter.most)
						}
					}
				}
			}
		})
	}
}

// lookedAt is how many rows of each table of deliveries the statements looked at. On
// SQLite one that goes along no index counts as all there are.
func lookedAt(ctx context.Context, db *sql.DB, isSQLite bool, queries []toldStatement) (map[string]float64, error) {
	looked := map[string]float64{}
	for _, s := range queries {
		if isSQLite {
			fault, err := sqlitePlan(ctx, db, s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.text, err)
			}
			if fault != "" && !s.right() {
				looked[fault+" in "+s.shape] = 1 << 40
			}
			continue
		}
		top, err := explain(ctx, db, "explain (analyze, timing off, format json) ", s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.text, err)
		}
		top.each(func(n planNode) {
			switch n.Relation {
			case "deliveries", "delivery_queue", "delivery_ends", "attempts", "triggers":
				looked[n.Relation] += n.Loops * (n.Rows + n.Filtered + n.Rechecked)
			}
		})
	}
	return looked, nil
}
