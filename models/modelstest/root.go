package modelstest

import (
	"os"
	"testing"
)

// OnlyRoot skips the rest of a test that takes root. In CI, which has to be root,
// it fails.
func OnlyRoot(t testing.TB, what string) {
	t.Helper()
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("CI") != "":
		t.Fatalf("%s takes root, and CI skips nothing", what)
	default:
		t.Skipf("%s takes root", what)
	}
}
