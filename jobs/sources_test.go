package jobs

import (
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// TestASilentSourceIsTold: a webhook that asked for it hears that a source has
// reported nothing for longer than expected.
func TestASilentSourceIsTold(t *testing.T) {
	onBoth(t, func(b *bench) {
		b.webhook(func(in *models.WebhookInput) { in.Events = []string{wire.SourceSilent} })
		_, _, err := b.store.Sources.Create(b.t.Context(), admin, "team", models.SourceInput{Kind: "generic", Location: "main", ExpectHours: 2})
		ok(b.t, err)
		b.clock.Add(3 * time.Hour)
		b.running(one)
		b.until(func() bool { return len(b.receiver.requests()) == 1 })
		if body := string(b.receiver.requests()[0].body); !strings.Contains(body, `"team"`) {
			b.t.Error(body)
		}
	})
}
