package jobs

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/sitehooks/sitehooks/models"
)

// TestFirstAttemptsOfASubjectKeepTheirOrder: whatever ends when, and whichever
// are paced, the first attempts of a subject start in the order of receipt and
// never two at once, and nothing waits for ever.
func TestFirstAttemptsOfASubjectKeepTheirOrder(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		p := newPacer()
		p.window, p.pace = 1+r.IntN(laneInFlight), rate.NewLimiter(rate.Inf, 1)
		var queue []models.Delivery
		for id := range int64(40) {
			queue = append(queue, models.Delivery{ID: id + 1, Subject: r.Int64N(5), Paced: r.IntN(3) == 0, Round: r.IntN(2) * r.IntN(2)})
		}
		newest, started := map[int64]int64{}, 0
		var open []models.Delivery
		for len(queue)+len(open) > 0 {
			i, _ := p.choose(queue)
			if i < 0 || len(open) > 0 && r.IntN(3) == 0 {
				if len(open) == 0 {
					t.Fatalf("seed %d: %d wait for nothing", seed, len(queue))
				}
				n := r.IntN(len(open))
				p.end(open[n], false)
				open = slices.Delete(open, n, n+1)
				continue
			}
			d := queue[i]
			queue = slices.Delete(queue, i, i+1)
			if isFirst(d) {
				if d.ID < newest[d.Subject] || slices.ContainsFunc(open, func(o models.Delivery) bool { return isFirst(o) && o.Subject == d.Subject }) {
					t.Fatalf("seed %d: %d of subject %d started while %v were open, after %d", seed, d.ID, d.Subject, open, newest[d.Subject])
				}
				newest[d.Subject] = d.ID
			}
			p.begin(d)
			open = append(open, d)
			if started++; p.paced > pacedInFlight || len(open) > p.window {
				t.Fatalf("seed %d: %d open, %d of them paced", seed, len(open), p.paced)
			}
		}
		if started != 40 {
			t.Errorf("seed %d: %d started", seed, started)
		}
	}
}

// TestNewDeliveriesPassPacedOnes, except those of a subject that has a paced
// one before them.
func TestNewDeliveriesPassPacedOnes(t *testing.T) {
	p := newPacer()
	p.window = laneInFlight
	var queue []models.Delivery
	for id := range int64(10) {
		queue = append(queue, models.Delivery{ID: id + 1, Subject: id + 1, Paced: true})
	}
	queue = append(queue, models.Delivery{ID: 11, Subject: 9}, models.Delivery{ID: 12, Subject: 11})
	first, _ := p.choose(queue)
	p.begin(queue[first])
	second, _ := p.choose(queue[1:])
	p.begin(queue[1+second])
	none, wait := p.choose(queue[1:11])
	if first != 0 || second != 10 || none != -1 || wait <= 0 || wait > time.Second/pacedPerSecond {
		t.Error(fmt.Sprint("chose ", first, second, none, ", waits ", wait))
	}
}

// TestAtMostSoManyRequestsASecond: the option of a webhook spaces its requests. A
// slow machine can only make the pauses longer.
func TestAtMostSoManyRequestsASecond(t *testing.T) {
	onBoth(t, func(b *bench) {
		w := b.webhook(func(in *models.WebhookInput) {
			in.Type, in.Options = "stackauth", map[string]string{"max_per_second": "20"}
		})
		for n := range 9 {
			b.record(question(fmt.Sprint("q", n), n, nil))
		}
		b.later()
		begun := time.Now()
		b.deliver(w)
		if took := time.Since(begun); len(b.receiver.requests()) != 9 || took < 8*50*time.Millisecond {
			t.Errorf("%d requests in %v", len(b.receiver.requests()), took)
		}
	})
}
