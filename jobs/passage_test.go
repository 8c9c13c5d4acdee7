package jobs

import (
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// TestWhatTheEventHasIsNotStoredTwice: the body of a delivery takes the event's
// data from its payload. It arrives whole, the first time and when it is sent
// again; it is there while the delivery is kept, and until it was sent although
// the event is erased meanwhile.
func TestWhatTheEventHasIsNotStoredTwice(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.set(models.DispatchInterval, "0")
		data := `{"note":"` + strings.Repeat("words of the site ", 50) + `"}`
		user := func(id string) models.NewEvent {
			return question(id, 1, func(e *models.NewEvent) {
				e.Type, e.MergeKey, e.Payload = "user.created", "", []byte(`{"type":"user.created","data":`+data+`,"subject":"u1"}`)
			})
		}
		w := b.webhook(func(in *models.WebhookInput) { in.Type, in.Events = "stackauth", []string{"user.created"} })
		want := `{"type":"user.created","data":` + data + `}`
		body := func() string {
			row, err := b.store.Deliveries.Get(b.t.Context(), models.AllLocations(), b.only(w).PublicID)
			ok(b.t, err)
			return string(wire.JoinBody(row.SharedBytes(), row.Body))
		}
		b.record(user("one"))
		b.later()
		if n := b.count("select max(length(body)) from deliveries"); n > 100 {
			b.t.Errorf("the delivery has %d bytes of its own", n)
		}
		if n := b.count("select max(bytes) from delivery_queue"); n < len(want) {
			b.t.Errorf("the queue says that it has %d bytes, not %d", n, len(want))
		}
		b.deliver(w)
		ok(b.t, b.store.Deliveries.Resend(b.t.Context(), admin, b.only(w).PublicID))
		if n := b.count("select max(bytes) from delivery_queue"); n < len(want) {
			b.t.Errorf("the queue says that it has %d bytes to be sent again, not %d", n, len(want))
		}
		b.deliver(w)
		for i, got := range b.receiver.requests() {
			if string(got.body) != want {
				b.t.Errorf("request %d: %s", i, got.body)
			}
		}
		if got := body(); got != want {
			b.t.Errorf("shown: %s", got)
		}

		// Erased while it waits.
		ok(b.t, b.store.Deliveries.Resend(b.t.Context(), admin, b.only(w).PublicID))
		e, err := b.store.Events.Get(b.t.Context(), "main", "one")
		ok(b.t, err)
		if _, err := b.store.Events.Erase(b.t.Context(), admin, e.ID); err != nil {
			b.t.Fatal(err)
		}
		if n := b.count("select length(payload) from events"); n != 0 {
			b.t.Errorf("%d bytes of the event are left", n)
		}
		if got := body(); got != want {
			b.t.Errorf("erased while it waits: %s", got)
		}
		b.deliver(w)
		if got := b.receiver.requests(); len(got) != 3 || string(got[2].body) != want {
			b.t.Errorf("%d requests, the last %s", len(got), got[len(got)-1].body)
		}
		// And once nothing waits, all is gone.
		if _, err := b.store.Events.Erase(b.t.Context(), admin, e.ID); err != nil {
			b.t.Fatal(err)
		}
		if got := body(); got != "" {
			b.t.Errorf("erased: %s", got)
		}
	})
}
