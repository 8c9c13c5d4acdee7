package apptest

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Footprint counts resources of an instance.
type Footprint struct{ Sockets, Goroutines int }

// Most is the larger of each.
func (u Footprint) Most(v Footprint) Footprint {
	return Footprint{max(u.Sockets, v.Sockets), max(u.Goroutines, v.Goroutines)}
}

// Footprint reads /proc and the metrics.
func (in *Instance) Footprint() Footprint {
	in.T.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", in.Cmd.Process.Pid)
	fds, err := os.ReadDir(dir)
	ok(in.T, err)
	var u Footprint
	for _, fd := range fds {
		if to, err := os.Readlink(dir + "/" + fd.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			u.Sockets++
		}
	}
	a, err := Get(in.T, http.DefaultClient, in.Base+"/metrics")
	ok(in.T, err)
	u.Goroutines = int(Metric(in.T, a.Body, "go_goroutines"))
	return u
}

// Metric reads one value out of a Prometheus answer.
func Metric(t testing.TB, text, name string) float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			ok(t, err)
			return v
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

// ticks of the processor's time in /proc make a second, on every Linux.
const ticksPerSecond = 100

// Process is one of /proc. Its time includes that of its children that have
// ended.
type Process struct {
	Parent  int
	Seconds float64
}

// Processes are all of the machine, by their ids.
func Processes(t testing.TB) map[int]Process {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	ok(t, err)
	all := make(map[int]Process, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		line := string(text)
		id, _ := strconv.Atoi(line[:strings.IndexByte(line, ' ')])
		fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
		parent, _ := strconv.Atoi(fields[1])
		all[id] = Process{parent, sum(fields[11:15]) / ticksPerSecond}
	}
	return all
}

func sum(numbers []string) (total float64) {
	for _, n := range numbers {
		value, _ := strconv.ParseFloat(n, 64)
		total += value
	}
	return total
}

// Mebibytes reads a field of a process's status: VmRSS is its memory now, VmHWM
// the peak.
func (in *Instance) Mebibytes(t testing.TB, field string) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", in.Cmd.Process.Pid))
	ok(t, err)
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, field+":"); found {
			kib, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			ok(t, err)
			return kib / 1024
		}
	}
	t.Fatalf("no %s", field)
	return 0
}

// Busy is all of the machine's time but idle and waiting for a disk.
func Busy(t testing.TB) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/stat")
	ok(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	f := strings.Fields(first) // cpu user nice system idle iowait irq softirq steal …
	return (sum(f[1:4]) + sum(f[6:9])) / ticksPerSecond
}
