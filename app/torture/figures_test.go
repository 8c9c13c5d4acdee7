package torture

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// tortureFigures are the answers to the site during one kind of fault.
type tortureFigures struct {
	within   time.Duration // in which an answer has to come
	doors    bool          // nothing but strangers: the answer has to be 202
	on       int           // how many go on now
	drawn    int
	answers  int
	accepted int
	prompt   int // answers that came as they had to
	slowest  time.Duration
}

// begins notes that a fault goes on until end is called.
func (r *tortureRun) begins(fault string, within time.Duration, doors bool) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.figures[fault]
	if f == nil {
		f = &tortureFigures{within: within, doors: doors}
		r.figures[fault] = f
	}
	f.on++
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		f.on--
		f.drawn++
	}
}

// going are the faults that go on now.
func (r *tortureRun) going() []*tortureFigures {
	r.mu.Lock()
	defer r.mu.Unlock()
	var on []*tortureFigures
	for _, f := range r.figures {
		if f.on > 0 {
			on = append(on, f)
		}
	}
	return on
}

// answered notes an answer that came after some time, 0 for none, with the
// faults during which it was asked for or came.
func (r *tortureRun) answered(code int, took time.Duration, during []*tortureFigures) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, f := range during {
		if slices.Contains(during[:i], f) {
			continue
		}
		f.answers++
		f.slowest = max(f.slowest, took)
		if code == http.StatusAccepted {
			f.accepted++
		}
		if took <= f.within && (code == http.StatusAccepted || !f.doors && code != 0) {
			f.prompt++
		}
	}
}

// tortureAsked is a request of the site that has no answer yet.
type tortureAsked struct {
	run   *tortureRun
	at    time.Time
	froze int64
	ill   bool
	going []*tortureFigures
}

func (s *tortureSite) begin() tortureAsked {
	f := s.run.fleet
	return tortureAsked{s.run, time.Now(), f.froze.Load(), f.ill.Load() > 0, s.run.going()}
}

// ended notes the answer, 0 for none. A request that ends soon without an
// answer, because the client or the instance went away, is not counted.
func (a tortureAsked) ended(code int) {
	took := time.Since(a.at)
	if code == 0 && took <= tortureLate || a.froze != a.run.fleet.froze.Load() { // a frozen instance itself answers no one
		return
	}
	a.run.answered(code, took, append(a.going, a.run.going()...))
	if a.ill || a.run.fleet.ill.Load() > 0 {
		a.run.count("answers during faults of the database", 1)
		if took > tortureLate {
			a.run.count("of them later than 5 s", 1)
		}
	}
}

// figured is one line for each fault.
func (r *tortureRun) figured() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.figures)) {
		f := r.figures[name]
		word := "202 or 503"
		if f.doors {
			word = "202"
		}
		share := 100.0
		if f.answers > 0 {
			share = 100 * float64(f.prompt) / float64(f.answers)
		}
		fmt.Fprintf(&b, "%4d times %6d answers, %6d of them 202, the slowest after %6.2f s, %6.2f%% are %s within %s: %s\n",
			f.drawn, f.answers, f.accepted, f.slowest.Seconds(), share, word, f.within, name)
	}
	return b.String()
}
