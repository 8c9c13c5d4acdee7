//go:build unix

package app

import "syscall"

// openFiles is how many files this process may open; 0: it is not known.
func openFiles() uint64 {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return 0
	}
	return uint64(files.Cur) //nolint:unconvert // a signed number on FreeBSD, never below 0
}
