package account

import (
	"fmt"
	"sync"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// Wrong passwords within models.LoginWindow after which more are refused.
const (
	FailuresHere   = 10  // for an account and address group; for a known browser or a session
	failuresGroup  = 100 // for an address group over all accounts
	failuresAnyone = 50  // for an account over all addresses; then one try every slowDown
	slowDown       = 10 * time.Second
)

// refusal says which tries are refused, and why.
type refusal struct {
	key      models.LoginFrom // the parts of a try that decide; the rest is empty
	wait     time.Duration    // 0: nothing is refused
	failures int
	words    string // which failures they were, in words
}

// refusalAfter decides by the failures that share a part with a try, newest
// first. A browser or session with an earlier login is counted separately, so
// that no stranger locks a member out; strangers to an account are slowed down
// together.
func refusalAfter(from models.LoginFrom, failures []models.LoginFailure, now time.Time) refusal {
	var device, here, group, account failureCount
	for _, f := range failures {
		device.add(f, f.Device != "" && f.Device == from.Device)
		here.add(f, f.Account == from.Account && f.AddressGroup == from.AddressGroup)
		group.add(f, f.AddressGroup == from.AddressGroup)
		account.add(f, f.Account == from.Account)
	}
	if from.Device != "" {
		if device.n < FailuresHere {
			return refusal{}
		}
		return refusal{
			models.LoginFrom{Account: from.Account, Device: from.Device},
			device.left(now), device.n,
			"in a browser that had logged in before, at " + from.AddressGroup,
		}
	}
	switch {
	case group.n >= failuresGroup:
		return refusal{
			models.LoginFrom{AddressGroup: from.AddressGroup},
			group.left(now), group.n,
			fmt.Sprintf("for %d accounts", len(group.accounts)),
		}
	case here.n >= FailuresHere:
		return refusal{
			models.LoginFrom{Account: from.Account, AddressGroup: from.AddressGroup},
			here.left(now), here.n,
			"from " + from.AddressGroup,
		}
	case account.n >= failuresAnyone:
		return refusal{
			models.LoginFrom{Account: from.Account},
			max(0, slowDown-now.Sub(account.newest)), account.n,
			fmt.Sprintf("from %d addresses", len(account.groups)),
		}
	}
	return refusal{}
}

// failureCount sums up failures, added newest first.
type failureCount struct {
	n                int
	newest, oldest   time.Time
	accounts, groups map[string]bool
}

func (t *failureCount) add(f models.LoginFailure, counts bool) {
	if !counts {
		return
	}
	if t.n == 0 {
		t.newest, t.accounts, t.groups = f.At, map[string]bool{}, map[string]bool{}
	}
	t.n++
	t.oldest = f.At
	t.accounts[f.Account], t.groups[f.AddressGroup] = true, true
}

// left is how long it takes until the oldest no longer counts.
func (t *failureCount) left(now time.Time) time.Duration {
	return max(models.LoginWindow-now.Sub(t.oldest), time.Second)
}

// refusals remembers which tries are refused until when, so that refusing them
// costs next to nothing. The database decides: it knows of all instances.
type refusals struct {
	mu    sync.Mutex
	until map[models.LoginFrom]time.Time // by this process's clock
}

// refusalsMax bounds the memory. Refusals that do not fit are read from the
// database again.
const refusalsMax = 10_000

func newRefusals() *refusals { return &refusals{until: map[models.LoginFrom]time.Time{}} }

func (r *refusals) remember(one refusal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.until) >= refusalsMax {
		now := time.Now()
		for key, until := range r.until {
			if len(r.until) >= refusalsMax || !until.After(now) {
				delete(r.until, key)
			}
		}
	}
	r.until[one.key] = time.Now().Add(one.wait)
}

// wait is how long a try still has to wait; 0: this instance knows of no reason.
func (r *refusals) wait(from models.LoginFrom) time.Duration {
	keys := []models.LoginFrom{
		{AddressGroup: from.AddressGroup},
		{Account: from.Account, AddressGroup: from.AddressGroup},
		{Account: from.Account},
	}
	if from.Device != "" {
		keys = []models.LoginFrom{{Account: from.Account, Device: from.Device}}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var wait time.Duration
	for _, key := range keys {
		wait = max(wait, time.Until(r.until[key]))
	}
	return wait
}
