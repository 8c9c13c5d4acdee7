package jq

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// limitMemory bounds the memory that this process may write to. The limit of
// the system counts what is mapped, so what is mapped by now and was never
// written to, such as the stacks of threads, comes on top.
func limitMemory() error {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return fmt.Errorf("limit the memory of jq: %w", err)
	}
	var unused uint64
	if mapped, written := statusBytes(status, "VmData:"), statusBytes(status, "RssAnon:"); mapped > written {
		unused = mapped - written
	}
	limit := syscall.Rlimit{Cur: MaxMemory + unused, Max: MaxMemory + unused}
	if err := syscall.Setrlimit(syscall.RLIMIT_DATA, &limit); err != nil {
		return fmt.Errorf("limit the memory of jq: %w", err)
	}
	return nil
}

// statusBytes reads a line of /proc/self/status, which has its value in kB.
func statusBytes(status []byte, name string) uint64 {
	var kib uint64
	if _, rest, found := bytes.Cut(status, []byte("\n"+name)); found {
		_, _ = fmt.Sscan(string(rest), &kib) // 0: it says none
	}
	return kib << 10
}

// watchMemory does nothing: the child bounds itself.
func watchMemory(*os.Process, <-chan struct{}) {}
