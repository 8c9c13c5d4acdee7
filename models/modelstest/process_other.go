//go:build !linux

package modelstest

import "syscall"

// The servers of the tests are tied to this process, and run as another user,
// on Linux alone.

func asUser(*account) *syscall.SysProcAttr         { return nil }
func ownGroup(*account) *syscall.SysProcAttr       { return nil }
func endsWithParent(*account) *syscall.SysProcAttr { return nil }
