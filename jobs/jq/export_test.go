package jq

import "time"

// SetTimeout is for the programs asked for from now on.
func (r *Runner) SetTimeout(d time.Duration) { r.timeout = d }
