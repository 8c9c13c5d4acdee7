package riverlog_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/jobs/riverlog"
)

// TestOf: of what River says only warnings and errors come through, with all that
// belongs to them, and none that is the consequence of a stop.
func TestOf(t *testing.T) {
	var out strings.Builder
	log := riverlog.Of(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})))
	stopped := fmt.Errorf("fetch jobs: %w", context.Canceled)
	for _, log := range []*slog.Logger{log, log.With("client", "a"), log.WithGroup("river")} {
		log.Info("producer: run statistics", "jobs", 7)
		log.Debug("heartbeat")
		log.Warn("slow", "ms", 700)
		log.Error("fetch failed", "error", stopped)
		log.Error("fetch failed", "queue", "default", "error", stopped.Error(), "tries", 2)
		log.Error("fetch failed", "error", errors.New("context canceled by nobody"))
	}
	want := `level=WARN msg=slow ms=700
level=ERROR msg="fetch failed" error="context canceled by nobody"
level=WARN msg=slow client=a ms=700
level=ERROR msg="fetch failed" client=a error="context canceled by nobody"
level=WARN msg=slow river.ms=700
level=ERROR msg="fetch failed" river.error="context canceled by nobody"
`
	if out.String() != want {
		t.Errorf("it logs\n%s", &out)
	}
	out.Reset()
	quiet := riverlog.Of(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelError})))
	if quiet.Warn("slow"); out.Len() > 0 || quiet.Enabled(t.Context(), slog.LevelWarn) {
		t.Errorf("a log of errors alone has %s", &out)
	}
}
