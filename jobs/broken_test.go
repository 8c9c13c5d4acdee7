package jobs

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// TestWebhookBrokeIsToldToOthersAlone: a webhook that asked for it hears that
// another one of its location broke; the one that broke does not.
func TestWebhookBrokeIsToldToOthersAlone(t *testing.T) {
	onBoth(t, func(b *bench) {
		asks := func(name, location string) models.Webhook {
			return b.webhook(func(in *models.WebhookInput) {
				in.Name, in.Location, in.Events = name, location, []string{wire.QuestionCreated, wire.WebhookBroken}
			})
		}
		breaks := asks("breaks", "main")
		b.record(question("a", 1, nil))
		b.later()
		watches, elsewhere := asks("watches", "main"), asks("elsewhere", "team-a")
		b.receiver.answers(http.StatusGone)
		b.deliver(breaks)
		b.receiver.answers(http.StatusOK)
		b.later()
		b.deliver(watches)
		if d := b.only(watches); d.State != models.DeliveryDelivered || d.EventTypes != ",webhook.broken," {
			b.t.Errorf("the other one got %+v", d.Delivery)
		}
		got := b.receiver.requests()
		want := fmt.Sprintf(`"webhooks":[{"id":%d,"name":"breaks","reason":"The receiver answered 410 Gone.","type":"webhook broken"}]`, breaks.ID)
		if body := string(got[len(got)-1].body); len(got) != 2 || !strings.Contains(body, want) {
			b.t.Errorf("%d requests, the last %s", len(got), body)
		}
		if n := len(b.deliveries(elsewhere)); n != 0 {
			b.t.Errorf("%d deliveries in another location", n)
		}
		if d := b.only(breaks); d.EventTypes != ",question.created," { // nothing is held for it to hear of itself
			b.t.Errorf("the one that broke has %+v", d.Delivery)
		}
	})
}

// TestAnEventThatNoBodyCanBeMadeOf: it becomes a delivery that failed, with the
// reason, and those beside it go out.
func TestAnEventThatNoBodyCanBeMadeOf(t *testing.T) {
	onBoth(t, func(b *bench) {
		batches := b.webhook(nil)
		single := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		payload := func(text string) func(*models.NewEvent) {
			return func(e *models.NewEvent) { e.Payload = []byte(text) }
		}
		b.record(question("good", 1, nil), question("unreadable", 2, payload(`{"type":"question.created","question":7}`)),
			question("another", 3, payload(`{"type":"tea.made","data":{}}`)), question("fine", 4, nil))
		b.later()
		for _, w := range []models.Webhook{batches, single} {
			b.deliver(w)
			failed, delivered := 0, 0
			for _, d := range b.deliveries(w) {
				switch d.State {
				case models.DeliveryFailed:
					failed++
					if !strings.HasPrefix(d.Reason, "A notification could not be built from the event: ") || d.DueAt != nil || d.FinishedAt == nil || d.Items != 1 {
						b.t.Errorf("failed: %+v", d.Delivery)
					}
				case models.DeliveryDelivered:
					delivered += d.Items
				default:
					b.t.Errorf("%s: %+v", d.State, d.Delivery)
				}
			}
			wantFailed := map[string]int{"generic": 2, "stackauth": 1}[w.Type] // any envelope can say tea.made
			if failed != wantFailed || delivered != 4-wantFailed {
				b.t.Errorf("%s: %d events sent, %d failed", w.Type, delivered, failed)
			}
		}
		e, err := b.store.Events.Get(b.t.Context(), "main", "unreadable")
		ok(b.t, err)
		triggers, err := b.store.Events.Triggers(b.t.Context(), e.ID)
		ok(b.t, err)
		if e.DispatchedAt == nil || len(triggers) != 2 || triggers[0].Delivery.State != models.DeliveryFailed {
			b.t.Errorf("the history has %+v", triggers)
		}
	})
}
