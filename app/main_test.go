package app_test

import (
	"os"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
