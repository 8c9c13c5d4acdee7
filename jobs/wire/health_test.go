package wire

import (
	"strings"
	"testing"
	"time"
)

// breaksAt sends failures at the given hours after start, and says at which
// of them the rule first broke the webhook; -1: at none.
func breaksAt(rule BrokenRule, hours ...float64) float64 {
	p, health := Policy{Broken: rule}, Health{}
	for _, h := range hours {
		at := start.Add(time.Duration(h * float64(time.Hour)))
		v := p.Judge(Attempt{Number: 1, At: at, Response: answered(500), Health: health})
		if health = v.Health; v.Broken != "" {
			return h
		}
	}
	return -1
}

// every lists from, from+step … up to and including to.
func every(from, step, to float64) []float64 {
	var hours []float64
	for h := from; h <= to; h += step {
		hours = append(hours, h)
	}
	return hours
}

func TestBrokenAfterTimeAndCount(t *testing.T) {
	rule := BrokenRule{After: 24 * time.Hour, Count: 8}
	for name, c := range map[string]struct {
		hours []float64
		want  float64
	}{
		"many failures, too short":   {every(0, 0.01, 23.99), -1},
		"at the full day":            {every(0, 1, 48), 24},
		"a day, but only seven":      {[]float64{0, 1, 2, 3, 4, 5, 30}, -1},
		"the eighth, long after":     {[]float64{0, 1, 2, 3, 4, 5, 30, 31}, 31},
		"clock set back in between":  {[]float64{0, 1, -50, 2, 3, 4, 5, 6, 7, 8}, -1},
		"and still counting forward": {[]float64{0, 1, -50, 2, 3, 4, 5, 6, 7, 24}, 24},
	} {
		if got := breaksAt(rule, c.hours...); got != c.want {
			t.Errorf("%s: broke at %v, want %v", name, got, c.want)
		}
	}
}

func TestBrokenByCountOrTimeAlone(t *testing.T) {
	if got := breaksAt(BrokenRule{Count: 7}, every(1, 1, 20)...); got != 7 {
		t.Errorf("seven in a row: broke at %v", got)
	}
	if got := breaksAt(BrokenRule{After: 24 * time.Hour}, 0, 23, 25); got != 25 {
		t.Errorf("24 hours: broke at %v", got)
	}
	if got := breaksAt(BrokenRule{}, every(0, 24, 2400)...); got != -1 {
		t.Errorf("no rule: broke at %v", got)
	}
}

// TestBrokenClock is the rule whose clock only starts once failures at least
// 12 hours apart happened within 24.
func TestBrokenClock(t *testing.T) {
	rule := BrokenRule{After: 120 * time.Hour, Apart: 12 * time.Hour, Within: 24 * time.Hour}
	for name, c := range map[string]struct {
		hours []float64
		want  float64
	}{
		"never 12 hours apart":                {every(0, 0.5, 11.5), -1},
		"every hour: starts at 12":            {every(0, 1, 200), 132},
		"started, nothing for days, then one": {[]float64{0, 12, 131.9, 132}, 132},
		"starts at the second of a pair":      {[]float64{0, 17.5, 137, 137.5}, 137.5},
		"25 hours apart never start it":       {every(0, 25, 500), -1},
		"one a day does":                      {every(0, 24, 500), 144},
		"an attempt that began long ago ends last": { // and neither stops nor restarts the clock
			[]float64{0, 17.5, 10, 137, 137.5}, 137.5,
		},
		"an old first one is forgotten": {append([]float64{0}, every(100, 6, 300)...), 232},
		"the last counts when the first is old": {
			// 0 is too old for 25, but 10 is 15 hours before it: starts at 25.
			[]float64{0, 10, 25, 144.9, 145}, 145,
		},
	} {
		if got := breaksAt(rule, c.hours...); got != c.want {
			t.Errorf("%s: broke at %v, want %v", name, got, c.want)
		}
	}
}

// TestLastFailureIsTheLatest: attempts end in another order than they began,
// and the last failure is the one that began last.
func TestLastFailureIsTheLatest(t *testing.T) {
	p, health := Policy{Broken: BrokenRule{After: 24 * time.Hour}}, Health{}
	for i, minute := range []time.Duration{1, 5, 2, 7, 0} {
		health = p.Judge(Attempt{Number: 1, At: start.Add(minute * time.Minute), Response: answered(500), Health: health}).Health
		if want := start.Add([]time.Duration{1, 5, 5, 7, 7}[i] * time.Minute); !health.LastFailureAt.Equal(want) {
			t.Errorf("after %d attempts the last failure is at %s, want %s", i+1, health.LastFailureAt, want)
		}
	}
}

func TestSuccessStartsAnew(t *testing.T) {
	p := Policy{Broken: BrokenRule{After: 24 * time.Hour, Count: 2}}
	health := Health{}
	for hour := range 40 {
		r := answered(500)
		if hour == 20 {
			r = answered(200)
		}
		v := p.Judge(Attempt{Number: 1, At: start.Add(time.Duration(hour) * time.Hour), Response: r, Health: health})
		if v.Broken != "" {
			t.Fatalf("broke at hour %d", hour)
		}
		health = v.Health
	}
	if health.FailuresInRow != 19 {
		t.Errorf("%d failures in a row, want 19", health.FailuresInRow)
	}
}

func TestBrokenWords(t *testing.T) {
	health := Health{FailuresInRow: 11, FailingSince: start.Add(-1450 * time.Minute), LastFailureAt: start.Add(-time.Hour)}
	v := generic(t).Policy.Judge(Attempt{Number: 8, At: start, Response: Response{ErrorClass: ClassRefused}, Health: health})
	want := "Every attempt in the last 24 hours failed, 12 in a row. Last error: The connection was refused."
	if v.Broken != want || !v.Failed {
		t.Errorf("got %q, want %q", v.Broken, want)
	}
	quick := Policy{Broken: BrokenRule{Count: 7}}
	v = quick.Judge(Attempt{Number: 1, At: start, Response: answered(500), Health: Health{FailuresInRow: 6, FailingSince: start, LastFailureAt: start}})
	if !strings.HasPrefix(v.Broken, "Too many errors: 7 attempts in a row failed. Last error: The receiver answered 500") {
		t.Errorf("got %q", v.Broken)
	}
}
