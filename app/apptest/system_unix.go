//go:build unix

package apptest

import (
	"syscall"
	"time"
)

// Freeze and Thaw are signals that stop a process where it is, and let it
// continue.
const (
	Freeze = syscall.SIGSTOP
	Thaw   = syscall.SIGCONT
)

// FlushDisks lets all that was written reach the disks.
func FlushDisks() { syscall.Sync() }

// ProcessorTime is what this process has used.
func ProcessorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		panic(err) // only for a wrong argument
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
