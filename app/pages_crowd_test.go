package app_test

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// askAgain keeps n requests of a member for a page open at once, until it is
// told to stop. ended counts the answers.
func askAgain(in *apptest.Instance, n int, path, cookie string, ended *atomic.Int64) (stop func()) {
	ctx, cancel := context.WithCancel(in.T.Context())
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n, DisableCompression: true}}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for ctx.Err() == nil {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, in.Base+path, http.NoBody)
				if err != nil {
					return
				}
				req.Header.Set("Cookie", cookie)
				if _, err = apptest.Do(in.T, client, req); err == nil {
					ended.Add(1)
				}
			}
		})
	}
	return func() { cancel(); all.Wait(); client.CloseIdleConnections() }
}

// TestHeavyPagesOfOneMemberHoldNobodyUp: 200 requests of a viewer for the most
// expensive page use few of the database's connections. An event is accepted,
// and another member's page answered, before many of them are. How long each
// took stands in the log; docs/security.md tells figures.
func TestHeavyPagesOfOneMemberHoldNobodyUp(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.WithKey(apptest.Environment(t, kind))
		s := apptest.OpenStore(t, env)
		modelstest.Fill(t, s, modelstest.Size{Webhooks: 20, Events: 100_000})
		s.Close()
		in := apptest.Serve(t, env, "SITEHOOKS_LOG_LEVEL=warn")
		b := in.Login()
		viewer := b.Member(in, "viewer@example.com", "viewer")
		var ended atomic.Int64
		defer askAgain(in, 200, apptest.HeavyPage, viewer, &ended)()
		apptest.Eventually(t, "a heavy page", func() bool { return ended.Load() > 10 })

		var slowest [2]time.Duration
		var most [2]int64
		count := func(which int, do func()) {
			before, start := ended.Load(), time.Now()
			do()
			most[which], slowest[which] = max(most[which], ended.Load()-before), max(slowest[which], time.Since(start))
		}
		for i := range 10 {
			count(0, func() { in.Accept(apptest.QuestionJSON("beside heavy pages "+strconv.Itoa(i), i+1, "")) })
			count(1, func() {
				if a := b.Get("/admin/webhooks"); a.Code != http.StatusOK {
					t.Errorf("another member's page: %d", a.Code)
				}
			})
		}
		t.Logf("%s: the slowest of 10 events took %s (%d heavy pages ended meanwhile), of 10 pages of another member %s (%d)",
			kind, slowest[0].Round(time.Millisecond), most[0], slowest[1].Round(time.Millisecond), most[1])
		if most[0] > 20 || most[1] > 40 {
			t.Errorf("too many heavy pages ended before an event, or a page of another member: %d, %d", most[0], most[1])
		}
	})
}
