package jobs

import (
	"net/url"
	"slices"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// sharePlaces is how many lanes of each share an instance works on at once. A
// lane that only waits for its receiver gives its place back (see silent).
var sharePlaces = map[string]int{
	models.ShareFast:    256,
	models.ShareNew:     1024,
	models.ShareSlow:    256,
	models.ShareFailing: 10, // however many are refused, they leave the database to others
	models.SharePaced:   100,
}

const (
	waitingMost = 10_000 // lanes that an instance remembers; the sweep finds the others
	// hostSilent lanes of a host that wait for its answer, and none that came
	// for hostHangs, mean that the host hangs: it is one problem, and its other
	// lanes wait until one of these has ended.
	hostSilent = 32
	hostHangs  = time.Second
)

// places decides which lanes may begin. Within a share the hosts of receivers
// take turns, and one host has at most half of the places. It is not safe for
// concurrent use: the runner guards it.
type places struct {
	shares map[string]*share
	known  map[int64]struct{} // lanes that wait
}

type share struct {
	limit, used int
	turns       []string         // hosts with lanes that wait, the next one first
	hosts       map[string]*host // with lanes that wait or are at work
	mayHang     bool
}

// seat is a lane with its share and its receiver's host.
type seat struct {
	id          int64
	share, host string
}

type host struct {
	waiting  []seat    // in the order in which they came
	used     int       // places
	silent   int       // lanes that gave their places back and wait for an answer
	answered time.Time // when an answer came last
}

func newPlaces(limits map[string]int) *places {
	p := &places{shares: map[string]*share{}, known: map[int64]struct{}{}}
	for name, limit := range limits {
		// Of webhooks never tried nobody knows whether they hang.
		p.shares[name] = &share{limit: limit, hosts: map[string]*host{}, mayHang: name != models.ShareNew}
	}
	return p
}

func (s *share) host(name string) *host {
	h := s.hosts[name]
	if h == nil {
		h = &host{}
		s.hosts[name] = h
	}
	return h
}

func (s *share) forget(name string) {
	if h := s.hosts[name]; h.used == 0 && h.silent == 0 && len(h.waiting) == 0 {
		delete(s.hosts, name)
	}
}

// add lets a lane wait for a place, unless it does already or too many do.
func (p *places) add(ref models.LaneRef) {
	if _, known := p.known[ref.WebhookID]; known || len(p.known) >= waitingMost {
		return
	}
	p.known[ref.WebhookID] = struct{}{}
	at := seat{ref.WebhookID, ref.Share, hostOf(ref.URLShown)}
	s := p.shares[at.share]
	h := s.host(at.host)
	if len(h.waiting) == 0 {
		s.turns = append(s.turns, at.host)
	}
	h.waiting = append(h.waiting, at)
}

// next gives a place to the lane whose turn it is.
func (p *places) next(now time.Time) (seat, bool) {
	for _, s := range p.shares {
		if s.used >= s.limit {
			continue
		}
		i := slices.IndexFunc(s.turns, func(name string) bool { return s.mayBegin(s.hosts[name], now) })
		if i < 0 {
			continue
		}
		name := s.turns[i]
		h := s.hosts[name]
		at := h.waiting[0]
		h.waiting, s.turns = h.waiting[1:], slices.Delete(s.turns, i, i+1)
		if len(h.waiting) > 0 {
			s.turns = append(s.turns, name)
		}
		delete(p.known, at.id)
		s.used, h.used = s.used+1, h.used+1
		return at, true
	}
	return seat{}, false
}

func (s *share) mayBegin(h *host, now time.Time) bool {
	hangs := s.mayHang && h.silent >= hostSilent && now.Sub(h.answered) > hostHangs
	return !hangs && h.used < max(1, s.limit/2)
}

// crowded reports whether lanes wait for a place in a share.
func (p *places) crowded(share string) bool { return len(p.shares[share].turns) > 0 }

// full are the shares without a free place.
func (p *places) full() []string {
	var full []string
	for name, s := range p.shares {
		if s.used >= s.limit {
			full = append(full, name)
		}
	}
	return full
}

// free takes a lane's place back.
func (p *places) free(at seat) {
	s := p.shares[at.share]
	s.used, s.hosts[at.host].used = s.used-1, s.hosts[at.host].used-1
	s.forget(at.host)
}

// silent takes the place of a lane back that waits for its receiver.
func (p *places) silent(at seat) {
	p.shares[at.share].hosts[at.host].silent++
	p.free(at)
}

// heard is for a lane that was silent and has ended.
func (p *places) heard(at seat) {
	s := p.shares[at.share]
	s.hosts[at.host].silent--
	s.forget(at.host)
}

// retake gives a silent lane a place again, if that delays no other.
func (p *places) retake(at seat, now time.Time) bool {
	s := p.shares[at.share]
	h := s.hosts[at.host]
	if s.used >= s.limit || len(s.turns) > 0 || !s.mayBegin(h, now) {
		return false
	}
	s.used, h.used, h.silent = s.used+1, h.used+1, h.silent-1
	return true
}

// answered notes that a lane's receiver answered.
func (p *places) answered(at seat, now time.Time) {
	p.shares[at.share].hosts[at.host].answered = now
}

// hostOf is scheme, host and port of a URL.
func hostOf(shown string) string {
	u, err := url.Parse(shown)
	if err != nil {
		return shown
	}
	return u.Scheme + "://" + u.Host
}
