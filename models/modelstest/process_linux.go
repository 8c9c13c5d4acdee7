package modelstest

import "syscall"

// asUser starts a process as another user; nil: as this one.
func asUser(as *account) *syscall.SysProcAttr {
	if as == nil {
		return &syscall.SysProcAttr{}
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: as.uid, Gid: as.gid}}
}

// ownGroup is asUser, in a process group of its own.
func ownGroup(as *account) *syscall.SysProcAttr {
	attr := asUser(as)
	attr.Setpgid = true
	return attr
}

// endsWithParent is asUser, for a process that is killed when this one ends.
func endsWithParent(as *account) *syscall.SysProcAttr {
	attr := asUser(as)
	attr.Pdeathsig = syscall.SIGKILL
	return attr
}
