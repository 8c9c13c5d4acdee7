package repeat

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatRepeatsIsLoggedOnceAMinuteWithItsNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		l := New(slog.New(slog.NewTextHandler(&text, nil)))
		lines := func() []string {
			synctest.Wait()
			l.mu.Lock()
			defer l.mu.Unlock()
			defer text.Reset()
			return strings.Split(strings.TrimSpace(text.String()), "\n")
		}
		for i := range 1000 {
			l.Warn("a", "refused", "n", i)
			l.Warn("b", "busy")
		}
		if got := lines(); len(got) != 2 || !strings.HasSuffix(got[0], "msg=refused n=0") || !strings.HasSuffix(got[1], "msg=busy") {
			t.Errorf("at once: %q", got)
		}
		time.Sleep(interval)
		if got := strings.Join(lines(), "\n"); strings.Count(got, "\n") != 1 || !strings.Contains(got, "msg=refused n=999 times=999") || !strings.Contains(got, "msg=busy times=999") {
			t.Errorf("after a minute: %q", got)
		}
		time.Sleep(interval)
		if got := lines(); got[0] != "" {
			t.Errorf("nothing repeated, but it says %q", got)
		}
		l.Warn("a", "refused", "n", 1)
		if got := lines(); len(got) != 1 || !strings.HasSuffix(got[0], "msg=refused n=1") {
			t.Errorf("later: %q", got)
		}
		time.Sleep(2 * interval)
		synctest.Wait()
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.warnings) != 0 {
			t.Errorf("%d are remembered", len(l.warnings))
		}
	})
}
