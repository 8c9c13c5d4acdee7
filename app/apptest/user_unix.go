//go:build unix

package apptest

import (
	"syscall"
	"testing"
)

// LaunchAs starts an instance as another user, which only root may.
func LaunchAs(t testing.TB, user uint32, env []string, more ...string) *Instance {
	t.Helper()
	return launch(t, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}, env, more)
}
