package apptest

import (
	"syscall"
	"time"
)

// Freeze and Thaw are signals that Windows does not have: tests that send them
// fail there.
const (
	Freeze = syscall.Signal(19)
	Thaw   = syscall.Signal(18)
)

// FlushDisks does nothing here.
func FlushDisks() {}

// ProcessorTime is not known here.
func ProcessorTime() time.Duration { return 0 }
