package app

import (
	"math"
	"testing"
	"testing/fstest"
)

// TestContainerMemory reads the limits of control groups as a service and as a
// container find them.
func TestContainerMemory(t *testing.T) {
	const limit, memory = "268435456\n", 214748364 // 256 MiB, and 80 % of it
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no control groups": {nil, math.MaxInt64},
		"version 2, a container": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": limit,
		}, memory},
		"version 2, a service": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/sitehooks.service\n", "sys/fs/cgroup/system.slice/sitehooks.service/memory.max": limit,
		}, memory},
		"version 2, a limit of the slice": {map[string]string{
			"proc/self/cgroup": "0::/system.slice/sitehooks.service\n", "sys/fs/cgroup/system.slice/memory.max": limit,
			"sys/fs/cgroup/system.slice/sitehooks.service/memory.max": "1073741824\n",
		}, memory},
		"version 2, no limit": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n",
		}, math.MaxInt64},
		"version 1, a container that has the host's path": {map[string]string{
			"proc/self/cgroup":                           "5:cpu,cpuacct:/docker/0a1b\n4:memory:/docker/0a1b\n0::/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": limit,
		}, memory},
		"version 1, a service": {map[string]string{
			"proc/self/cgroup":                           "4:memory:/system.slice/sitehooks.service\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
			"sys/fs/cgroup/memory/system.slice/sitehooks.service/memory.limit_in_bytes": limit,
		}, memory},
		"version 1, no limit": {map[string]string{
			"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
		}, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{}
			for path, text := range c.files {
				root[path] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := containerMemory(root); got != c.want {
				t.Errorf("%d, not %d", got, c.want)
			}
		})
	}
}

// TestMemoryShare: limits shrink with the memory, and never grow.
func TestMemoryShare(t *testing.T) {
	for memory, want := range map[int64]float64{
		0: 1. / 16, 1: 1. / 16, 256 << 20: 0.5, 512 << 20: 1, 8 << 30: 1, math.MaxInt64: 1,
	} {
		if got := memoryShare(memory); got != want {
			t.Errorf("%d bytes: %v, not %v", memory, got, want)
		}
	}
}
