package torture

import (
	"slices"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// died notes that an instance ended by itself.
func (f *tortureFleet) died() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dead.IsZero() {
		f.dead = time.Now()
	}
}

// isUp tells whether an instance is up, be it frozen.
func (f *tortureFleet) isUp() bool {
	return slices.ContainsFunc(f.slots, func(s *tortureSlot) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.base != ""
	})
}

// vigil ends the run when an instance ended by itself and none was up for a
// while.
func (f *tortureFleet) vigil(stop <-chan struct{}) {
	for apptest.Pause(stop, f.alone/60) {
		alive := f.isUp()
		f.mu.Lock()
		if alive {
			f.dead = time.Time{}
		}
		over := !f.dead.IsZero() && time.Since(f.dead) > f.alone
		f.mu.Unlock()
		if over {
			f.run.fault("the run is lost", "no instance has been up for %s since the last one ended by itself", f.alone)
			close(f.run.lost)
			return
		}
	}
}

// TestALostRunEnds: an instance dies while strangers press on its doors, and all
// that waits for one ends.
func TestALostRunEnds(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			r := newTortureRun(t, shortTorture(kind))
			r.site = newTortureSite(r)
			r.fleet.alone = time.Second
			r.fleet.begin()
			doors := newTortureDoors(r)
			for _, s := range r.fleet.slots {
				ok(t, s.now.cmd.Process.Kill())
			}
			apptest.Eventually(t, "all have ended", func() bool { _, err := r.fleet.any(); return err != nil })
			doors.press("all of these at once", apptest.Doors(doors.keys, 0.01))
			if r.counted("the run is lost") != 1 || r.counted("times doors were pressed") != 0 {
				t.Errorf("faults: %q", r.faults)
			}
		})
	}
}
