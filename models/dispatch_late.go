package models

import "time"

// lateAfter is how much longer than three intervals something may be due before
// dispatch counts as late: within it the work of a killed or frozen instance is
// released.
const lateAfter = 15 * time.Second

// Late tells since when the oldest event that is due waits for dispatch, if
// that is too long; nil: it is not.
func (at Snapshot) Late() *time.Time {
	if at.oldest == nil || at.oldest.After(at.Now) { // received before the clock was set back
		return nil
	}
	due := at.oldest.Add(at.Settings.DispatchDelay)
	if at.Now.Sub(due) <= 3*at.Settings.DispatchInterval+lateAfter {
		return nil
	}
	return &due
}
