package superoffice

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// delivery makes a delivery and records its attempts, a minute apart.
func (d *desk) delivery(h hook, attempts ...models.Attempt) {
	d.t.Helper()
	d.clock.Add(time.Hour)
	id := fmt.Sprintf("e%d", d.clock.Now().Unix())
	_, _, err := d.store.Events.Record(d.t.Context(), []models.NewEvent{{EventID: id, Type: "lead.scored", Location: "main", Payload: []byte(`{"type":"lead.scored"}`)}})
	d.must(err)
	d.clock.Add(time.Minute)
	modelstest.Dispatch(d.t, d.store, func(_ *models.Dispatch, due []models.Event) models.Decision {
		decision := models.Decision{Events: due[:1]}
		decision.Deliveries = []models.NewDelivery{{Events: []int64{due[0].ID}, Delivery: models.Delivery{
			PublicID: id, WebhookID: h.WebhookID, Location: "main", EventTypes: ",lead.scored,", Items: 1, Body: []byte("{}"),
		}}}
		return decision
	})
	row, err := d.store.Deliveries.Get(d.t.Context(), models.AllLocations(), id)
	d.must(err)
	for i, a := range attempts {
		d.clock.Add(time.Minute)
		a.DeliveryID, a.WebhookID, a.StartedAt, a.Arrived = row.ID, h.WebhookID, d.clock.Now(), a.Code == http.StatusOK
		a.RequestHeaders = []byte("[]")
		if a.ResponseHeaders == nil {
			a.ResponseHeaders = []byte("[]")
		}
		if a.ResponseBody == nil {
			a.ResponseBody = []byte{}
		}
		state := models.DeliveryDelivered
		if a.Code != http.StatusOK {
			state = models.DeliveryFailed
		}
		d.must(d.store.Lanes.Record(d.t.Context(), h.WebhookID, "", []models.Outcome{{Attempt: a, State: state, Round: i + 1}}, models.LaneHealth{}))
	}
}

func TestSuperOfficeLastError(t *testing.T) {
	onBothStores(t, func(d *desk) {
		h := d.created(nil)
		last := func() string {
			d.t.Helper()
			var text string
			d.decode(d.do(http.MethodGet, pathOf(h)+"/LastError", "").body, &text)
			return text
		}
		if got := last(); got != "" {
			d.t.Errorf("%q", got)
		}
		d.delivery(h, models.Attempt{Code: 200})
		if got := last(); got != "" {
			d.t.Errorf("%q", got)
		}
		d.delivery(h, models.Attempt{Code: 500, ResponseBody: []byte("first")}, models.Attempt{
			Code: 503, ResponseHeaders: []byte(`[["X-A","1"],["X-B","2"]]`), ResponseBody: []byte("busy"),
		}, models.Attempt{Code: 200})
		want := "The receiver answered 503 Service Unavailable.\n\nHTTP 503 Service Unavailable\nX-A: 1\nX-B: 2\n\nbusy"
		if got := last(); got != want {
			d.t.Errorf("%q, want %q", got, want)
		}
		// Later successes, and attempts that we cut ourselves, are no errors.
		d.delivery(h, models.Attempt{Code: 200})
		d.delivery(h, models.Attempt{ErrorClass: wire.ClassCanceled, Error: "stopping"}, models.Attempt{Code: 200})
		if got := last(); got != want {
			d.t.Errorf("%q, want %q", got, want)
		}
		d.delivery(h, models.Attempt{ErrorClass: wire.ClassRefused, Error: "Nobody listens there."})
		if got := last(); got != "Nobody listens there." {
			d.t.Errorf("%q", got)
		}
		d.delivery(h, models.Attempt{Code: 400, ResponseBody: []byte(strings.Repeat("é", 40_000))})
		if got := last(); !strings.HasPrefix(got, "The receiver answered 400") || len(got) > 9000 || !strings.HasSuffix(got, "é…") {
			d.t.Errorf("%d bytes, %.50q", len(got), got)
		}
	})
}

// TestSuperOfficeLastErrorIsOld: a failure beyond the searched rows is found,
// and the reason for a broken webhook even after its deliveries are gone.
func TestSuperOfficeLastErrorIsOld(t *testing.T) {
	onSQLite(t, func(d *desk) {
		h, gone := d.created(nil), d.created(nil)
		d.must(d.store.Webhooks.Break(t.Context(), gone.WebhookID, "The receiver answered 410 Gone."))
		d.delivery(h, models.Attempt{Code: 404})
		for range lastErrorRows + 2 {
			d.delivery(h, models.Attempt{Code: 200})
		}
		if r := d.do(http.MethodGet, pathOf(h)+"/LastError", ""); !strings.HasPrefix(r.body, `"The receiver answered 404`) {
			d.t.Error(r.body)
		}
		if r := d.do(http.MethodGet, pathOf(gone)+"/LastError", ""); r.body != `"The receiver answered 410 Gone."` {
			d.t.Error(r.body)
		}
	})
}
