package app

import (
	"io/fs"
	"math"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// The live memory is a few MiB, and each notification allocates much for a
// short time: at Go's usual 100 %, a fifth of the work is garbage collection.
// Beyond memoryLimit it collects as often as it must.
const (
	collectAt   = 400
	memoryLimit = 128 << 20 // bytes; soft
)

// Limits on bytes are made for an instance that may use fullMemory. One that
// may use less holds fewer bytes in proportion, down to leastMemory, below
// which no instance does anything.
const (
	fullMemory  = 512 << 20
	leastMemory = 32 << 20
)

// tuneMemory gives memory for speed, unless the operator says otherwise with
// the variables of Go itself or the container allows less. It returns the share
// of the limits on bytes that fits into the memory: more than 0, at most 1.
func tuneMemory() float64 {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") != "" {
		return memoryShare(debug.SetMemoryLimit(-1)) // which only reads it
	}
	memory := containerMemory(os.DirFS("/"))
	debug.SetMemoryLimit(min(memoryLimit, memory))
	return memoryShare(memory)
}

// memoryShare is the share of the limits on bytes that fits into so many bytes
// of memory.
func memoryShare(memory int64) float64 {
	return float64(min(max(memory, leastMemory), fullMemory)) / fullMemory
}

// containerMemory is 80 % of the memory limit of this process's control groups,
// version 1 or 2, and math.MaxInt64 if they set none. The rest is for memory
// that Go does not count: the program itself and the files that it reads.
func containerMemory(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	groups, _ := fs.ReadFile(root, "proc/self/cgroup") // not there: no control groups
	for line := range strings.Lines(string(groups)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":") // behind the hierarchy's number
		controllers, group, _ := strings.Cut(rest, ":")
		base, file := "sys/fs/cgroup", "memory.max"
		if slices.Contains(strings.Split(controllers, ","), "memory") {
			base, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		} else if controllers != "" {
			continue
		}
		// A group has no more than those around it. Inside a container its own
		// path may be one that only the host can see.
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			text, _ := fs.ReadFile(root, path.Join(base, group, file))
			if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && limit > 0 {
				least = min(least, limit)
			}
			if group == "/" {
				break
			}
		}
	}
	if least > 1<<50 { // version 1 writes a number for no limit
		return math.MaxInt64
	}
	return least / 5 * 4
}
