package jobs

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

// With no room left for answers a lane goes on, a few deliveries at a time,
// and gives back what it took.
func TestLongAnswersDoNotFillTheMemory(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) { in.Type = "stackauth" })
		b.record(many(40)...)
		b.later()
		b.receiver.Config.Handler = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			b.receiver.ServeHTTP(rw, r)
			_, _ = rw.Write([]byte(strings.Repeat("x", 100<<10)))
		})
		d := b.worker.deliverer
		d.kept.Store(keptMost + 1) // by other lanes
		b.deliver(w)
		if n := d.kept.Load(); n != keptMost+1 {
			b.t.Errorf("%d bytes are counted that nobody keeps", n-keptMost-1)
		}
		for _, row := range b.deliveries(w) {
			if row.State != models.DeliveryDelivered {
				b.t.Errorf("%+v", row.Delivery)
			}
		}
	})
}
