//go:build !unix

package db

import "io/fs"

// ownerOf is the user and the group that a file belongs to.
func ownerOf(fs.FileInfo) (uid, gid int, known bool) { return 0, 0, false }
