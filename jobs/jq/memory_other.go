//go:build !linux

package jq

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// limitMemory does nothing: the system has no such limit, the parent watches.
func limitMemory() error { return nil }

// watchMemory ends a child that takes more than MaxMemory. It looks until done.
func watchMemory(p *os.Process, done <-chan struct{}) {
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-done:
			tick.Stop()
			return
		case <-tick.C:
		}
		out, err := exec.CommandContext(context.Background(), "ps", "-o", "rss=", "-p", strconv.Itoa(p.Pid)).Output()
		if err != nil {
			continue
		}
		if kib, err := strconv.Atoi(strings.TrimSpace(string(out))); err == nil && kib > MaxMemory>>10 {
			_ = p.Kill() // unless it has ended
		}
	}
}
