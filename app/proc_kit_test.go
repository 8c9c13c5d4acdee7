package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// footprint is what an instance holds.
type footprint struct{ sockets, goroutines int }

func (u footprint) most(v footprint) footprint {
	return footprint{max(u.sockets, v.sockets), max(u.goroutines, v.goroutines)}
}

func (in *instance) footprint() footprint {
	in.t.Helper()
	dir := fmt.Sprintf("/proc/%d/fd", in.cmd.Process.Pid)
	fds, err := os.ReadDir(dir)
	ok(in.t, err)
	var u footprint
	for _, fd := range fds {
		if to, err := os.Readlink(dir + "/" + fd.Name()); err == nil && strings.HasPrefix(to, "socket:") {
			u.sockets++
		}
	}
	a, err := get(in.t, http.DefaultClient, in.base+"/metrics")
	ok(in.t, err)
	u.goroutines = int(metric(in.t, a.body, "go_goroutines"))
	return u
}

// metric reads one value out of a Prometheus answer.
func metric(t testing.TB, text, name string) float64 {
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

// process is one of /proc. Its time includes that of its children that have
// ended.
type process struct {
	parent  int
	seconds float64
}

func processes(t testing.TB) map[int]process {
	t.Helper()
	paths, err := filepath.Glob("/proc/[0-9]*/stat")
	ok(t, err)
	all := make(map[int]process, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		line := string(text)
		id, _ := strconv.Atoi(line[:strings.IndexByte(line, ' ')])
		fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
		parent, _ := strconv.Atoi(fields[1])
		all[id] = process{parent, sum(fields[11:15]) / ticksPerSecond}
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

// mebibytes reads a field of a process's status: VmRSS is what it has in
// memory now, VmHWM the most that it had.
func (in *instance) mebibytes(t testing.TB, field string) float64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", in.cmd.Process.Pid))
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
