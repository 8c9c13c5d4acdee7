package jobs

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// waitAt lets lanes wait whose webhooks have one host.
func waitAt(p *places, share, host string, ids ...int64) {
	for _, id := range ids {
		p.add(models.LaneRef{WebhookID: id, Share: share, URLShown: host + "/hook"})
	}
}

// begun gives places until none is left.
func begun(p *places, now time.Time) (begun []seat) {
	for at, ok := p.next(now); ok; at, ok = p.next(now) {
		begun = append(begun, at)
	}
	return begun
}

func idsOf(seats []seat) (ids []int64) {
	for _, at := range seats {
		ids = append(ids, at.id)
	}
	return ids
}

func numbers(from, to int64) (all []int64) {
	for id := from; id <= to; id++ {
		all = append(all, id)
	}
	return all
}

// TestHostsTakeTurns: however many lanes of one host wait, that of another
// comes second, and places stay free for a third.
func TestHostsTakeTurns(t *testing.T) {
	p := newPlaces(map[string]int{models.ShareFast: 8})
	waitAt(p, models.ShareFast, "http://a.example", numbers(1, 10)...)
	waitAt(p, models.ShareFast, "https://a.example", 11) // another host: another port
	if got := idsOf(begun(p, time.Now())); !slices.Equal(got, []int64{1, 11, 2, 3, 4}) {
		t.Errorf("began %v", got)
	}
	waitAt(p, models.ShareFast, "http://c.example", 12)
	if got := idsOf(begun(p, time.Now())); !slices.Equal(got, []int64{12}) {
		t.Errorf("then %v", got)
	}
}

// TestAHostThatHangsIsOneProblem: some of its lanes wait for its answer, the
// others for these; as soon as it answers they begin.
func TestAHostThatHangsIsOneProblem(t *testing.T) {
	now := time.Now()
	p := newPlaces(map[string]int{models.ShareFast: 100})
	waitAt(p, models.ShareFast, "http://hangs.example", numbers(1, 200)...)
	first := begun(p, now)
	for _, at := range first {
		p.silent(at)
	}
	waitAt(p, models.ShareFast, "http://other.example", 201)
	if then := idsOf(begun(p, now)); len(first) != 50 || !slices.Equal(then, []int64{201}) {
		t.Errorf("%d began, then %v", len(first), then)
	}
	p.answered(first[0], now)
	p.heard(first[0])
	if then := begun(p, now); len(then) != 50 {
		t.Errorf("%d began when it answered", len(then))
	}
}

// TestWhatIsTakenIsGivenBack: after any turns no place is taken and no host is
// remembered.
func TestWhatIsTakenIsGivenBack(t *testing.T) {
	now := time.Now()
	p := newPlaces(sharePlaces)
	for i := range int64(500) {
		waitAt(p, []string{models.ShareFast, models.ShareNew, models.ShareSlow}[i%3], fmt.Sprintf("http://%d.example", i%7), i, i)
	}
	for i, at := range begun(p, now) {
		switch i % 3 {
		case 0:
			p.free(at)
		case 1:
			p.silent(at)
			p.heard(at)
		default:
			p.silent(at)
			if p.retake(at, now) {
				p.free(at)
			} else {
				p.heard(at)
			}
		}
	}
	for name, s := range p.shares {
		if s.used != 0 || len(s.hosts) != 0 || len(s.turns) != 0 || len(p.known) != 0 {
			t.Errorf("%s: %d places taken, %d hosts, %d waiting", name, s.used, len(s.hosts), len(p.known))
		}
	}
}
