//go:build !linux

package apptest

import "syscall"

// EndsWithParent has a process killed when this one ends, on Linux.
func EndsWithParent() *syscall.SysProcAttr { return nil }
