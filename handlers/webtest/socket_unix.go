//go:build unix

package webtest

import "syscall"

// receiveLittle has a socket buffer as little as it can.
func receiveLittle(fd uintptr) {
	_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10)
}
