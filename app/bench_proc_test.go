package app_test

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// cpuTimes is the processors' time since the machine started, in seconds.
type cpuTimes struct {
	at      time.Time
	busy    float64 // the whole machine, with what the host took from it
	kernel  float64 // the kernel's own threads: writing to disk is nobody's
	ours    float64 // this process, all that it started, and PostgreSQL
	product float64 // the instances and PostgreSQL
}

// times reads /proc: what belongs to the given instances, to PostgreSQL's
// server (0: none), and to this process.
func times(t testing.TB, postgres int, instances []*instance) cpuTimes {
	t.Helper()
	all := processes(t)
	u := cpuTimes{at: time.Now(), busy: busy(t), kernel: tree(all, 2), product: tree(all, postgres)}
	u.ours = tree(all, os.Getpid()) + u.product
	for _, in := range instances {
		u.product += tree(all, in.cmd.Process.Pid)
	}
	return u
}

// others is the share of the machine that neither we nor the kernel used.
func (u cpuTimes) others(since cpuTimes) float64 {
	taken := (u.busy - since.busy) - (u.ours - since.ours) - (u.kernel - since.kernel)
	return min(1, max(0, taken/(u.at.Sub(since.at).Seconds()*float64(runtime.NumCPU()))))
}

// tree is the time of a process and of all below it.
func tree(all map[int]process, root int) float64 {
	if root == 0 {
		return 0
	}
	seconds := all[root].seconds
	for id, p := range all {
		if p.parent == root {
			seconds += tree(all, id)
		}
	}
	return seconds
}

// busy is all of the machine's time but idle and waiting for a disk.
func busy(t testing.TB) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/stat")
	ok(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	f := strings.Fields(first) // cpu user nice system idle iowait irq softirq steal …
	return (sum(f[1:4]) + sum(f[6:9])) / ticksPerSecond
}
