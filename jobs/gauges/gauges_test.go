package gauges

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sitehooks/sitehooks/models"
)

// TestScrapesAskOnceASecond: however many strangers scrape, together or one
// after the other, the database is asked once a second.
func TestScrapesAskOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queries := 0
		x := &Collector{again: time.Second, ask: func() (depths, error) {
			queries++
			return depths{waiting: models.Depth{Waiting: 7}}, nil
		}}
		var scrapes sync.WaitGroup
		for i := range 300 {
			scrapes.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				got := make(chan prometheus.Metric, 10)
				if x.Collect(got); len(got) != 6 {
					t.Errorf("%d values", len(got))
				}
			})
		}
		scrapes.Wait()
		if queries != 3 {
			t.Errorf("300 scrapes in 3 s asked the database %d times, not 3", queries)
		}
	})
}
