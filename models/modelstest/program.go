package modelstest

import (
	"path/filepath"
	"testing"
)

// Program is where one of PostgreSQL's programs is, of the version that the
// tests' server has.
func Program(t testing.TB, name string) string {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}
