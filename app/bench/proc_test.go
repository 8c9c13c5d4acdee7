package bench

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// cpuTimes is the processors' time since the machine started, in seconds.
type cpuTimes struct {
	at      time.Time
	busy    float64 // the whole machine, including time that the host took from it
	kernel  float64 // the kernel's own threads: writing to disk is nobody's
	ours    float64 // this process, all that it started, and PostgreSQL
	product float64 // the instances and PostgreSQL
}

// times reads /proc: the times of the given instances, to PostgreSQL's server
// (0: none), and to this process.
func times(t testing.TB, postgres int, instances []*apptest.Instance) cpuTimes {
	t.Helper()
	all := apptest.Processes(t)
	u := cpuTimes{at: time.Now(), busy: apptest.Busy(t), kernel: tree(all, 2), product: tree(all, postgres)}
	u.ours = tree(all, os.Getpid()) + u.product
	for _, in := range instances {
		u.product += tree(all, in.Cmd.Process.Pid)
	}
	return u
}

// others is the share of the machine that neither we nor the kernel used.
func (u cpuTimes) others(since cpuTimes) float64 {
	taken := (u.busy - since.busy) - (u.ours - since.ours) - (u.kernel - since.kernel)
	return min(1, max(0, taken/(u.at.Sub(since.at).Seconds()*float64(runtime.NumCPU()))))
}

// tree is the time of a process and of all below it.
func tree(all map[int]apptest.Process, root int) float64 {
	if root == 0 {
		return 0
	}
	seconds := all[root].Seconds
	for id, p := range all {
		if p.Parent == root {
			seconds += tree(all, id)
		}
	}
	return seconds
}
