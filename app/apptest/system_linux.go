package apptest

import "syscall"

// EndsWithParent has a process killed when this one ends.
func EndsWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
