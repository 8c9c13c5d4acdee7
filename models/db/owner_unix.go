//go:build unix

package db

import (
	"io/fs"
	"syscall"
)

// ownerOf is the user and the group that a file belongs to.
func ownerOf(file fs.FileInfo) (uid, gid int, known bool) {
	if at, ok := file.Sys().(*syscall.Stat_t); ok {
		return int(at.Uid), int(at.Gid), true
	}
	return 0, 0, false
}
