package app

import (
	"errors"
	"testing"
)

func TestTold(t *testing.T) {
	for from, want := range map[string]string{
		"one":              "sitehooks: one",
		"one\ntwo":         "sitehooks: one\nsitehooks: two",
		"one\n  more\ntwo": "sitehooks: one\n  more\nsitehooks: two",
	} {
		if got := ErrorText(errors.New(from)); got != want {
			t.Errorf("%q is told as %q, want %q", from, got, want)
		}
	}
}
