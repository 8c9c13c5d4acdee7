package jq_test

import (
	"os"
	"testing"

	"github.com/sitehooks/sitehooks/jobs/jq"
)

// TestStatusBytes reads the lines that the limit of a child's memory is made of.
func TestStatusBytes(t *testing.T) {
	const status = "Name:\tVmData:\nVmPeak:\t  9 kB\nVmData:\t     100 kB\nRssAnon:\t 4194304 kB\nThreads:\tmany\n"
	for name, want := range map[string]uint64{"VmData:": 100 << 10, "RssAnon:": 4 << 30, "Threads:": 0, "VmSwap:": 0} {
		if got := jq.StatusBytes([]byte(status), name); got != want {
			t.Errorf("%s %d bytes, want %d", name, got, want)
		}
	}
	ours, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	mapped, written := jq.StatusBytes(ours, "VmData:"), jq.StatusBytes(ours, "RssAnon:")
	if mapped < 1<<20 || written < 1<<20 || mapped < written {
		t.Errorf("of this process: %d bytes mapped, %d written", mapped, written)
	}
}
