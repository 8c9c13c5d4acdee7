package app_test

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if playRole() {
		return
	}
	os.Exit(runTests(m))
}
