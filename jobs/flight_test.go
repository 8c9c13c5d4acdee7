package jobs

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// TestDroppedWhileAnAttemptIsInFlight: a dropped delivery stays dropped when
// the attempt fails, is not tried again, and the attempt is on record; when it
// arrives all the same, it is recorded as delivered.
func TestDroppedWhileAnAttemptIsInFlight(t *testing.T) {
	for code, state := range map[int]string{http.StatusInternalServerError: models.DeliveryDropped, http.StatusOK: models.DeliveryDelivered} {
		for how, drop := range map[string]func(b *bench, w models.Webhook) (int64, error){
			"resume and drop": func(b *bench, w models.Webhook) (int64, error) {
				ok(b.t, b.store.Webhooks.Pause(b.t.Context(), admin, w.ID))
				return b.store.Webhooks.Resume(b.t.Context(), admin, w.ID, true)
			},
			"delete": func(b *bench, w models.Webhook) (int64, error) {
				return b.store.Webhooks.Delete(b.t.Context(), admin, w.ID)
			},
		} {
			t.Run(fmt.Sprint(how, " ", code), func(t *testing.T) {
				onBoth(t, func(b *bench) { dropInFlight(b, drop, code, state) })
			})
		}
	}
}

func dropInFlight(b *bench, drop func(*bench, models.Webhook) (int64, error), code int, state string) {
	w := pending(b, nil)
	gate, arrived, done := b.gatedWork(w, 1)
	<-arrived
	b.receiver.answers(code) // when it is let go
	n, err := drop(b, w)
	ok(b.t, err)
	if d := b.only(w); n != 1 || d.State != models.DeliveryDropped {
		b.t.Fatalf("%d dropped, it is %s", n, d.State)
	}
	close(gate)
	<-done
	d := b.only(w)
	attempts, err := b.store.Deliveries.Attempts(b.t.Context(), d.ID)
	ok(b.t, err)
	if d.State != state || d.DueAt != nil || d.FinishedAt == nil || len(attempts) != 1 || attempts[0].Code != code {
		b.t.Errorf("%s, due %v, finished %v, attempts %+v", d.State, d.DueAt, d.FinishedAt, attempts)
	}
	if state == models.DeliveryDropped && !strings.Contains(d.Reason, admin.Name) {
		b.t.Errorf("the reason is %q", d.Reason)
	}
	b.clock.Add(time.Hour)
	b.later()
	b.deliver(w)
	if n := len(b.receiver.requests()); n != 1 {
		b.t.Errorf("%d requests, want 1", n)
	}
}
