package app

import (
	"os"
	"runtime/debug"
)

// What lives for long is a few MiB, and each notification leaves much behind
// for a moment: collected at Go's usual 100 %, a fifth of the work is
// collecting. Beyond memoryLimit it collects as often as it must.
const (
	collectAt   = 400
	memoryLimit = 128 << 20 // bytes; soft
)

// tuneMemory gives memory for speed, unless the operator says otherwise with
// the variables of Go itself.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
