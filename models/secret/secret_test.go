package secret

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func box(t *testing.T, fill ...byte) *Box {
	t.Helper()
	var keys [][]byte
	for _, f := range fill {
		keys = append(keys, bytes.Repeat([]byte{f}, KeySize))
	}
	b, err := NewBox(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealOpensOnlyInItsContext(t *testing.T) {
	b := box(t, 1)
	s := b.Seal("hunter2", "webhook:1:secret1")
	if strings.Contains(string(s), "hunter2") || s == b.Seal("hunter2", "webhook:1:secret1") {
		t.Fatalf("not sealed, or the nonce repeats: %q", string(s))
	}
	if got, err := b.Open(s, "webhook:1:secret1"); err != nil || got != "hunter2" {
		t.Fatalf("Open = %q, %v", got, err)
	}
	if _, err := b.Open(s, "webhook:2:secret1"); err == nil {
		t.Fatal("opened in another context")
	}
	if _, err := box(t, 2).Open(s, "webhook:1:secret1"); !errors.Is(err, ErrWrongKey) {
		t.Fatalf("another key: %v", err)
	}
	if _, err := b.Open(s[:len(s)-3]+"AAA", "webhook:1:secret1"); err == nil {
		t.Fatal("opened although changed")
	}
}

func TestKeysChangeSideBySide(t *testing.T) {
	old := box(t, 1).Seal("x", "c")
	both := box(t, 2, 1)
	if got, err := both.Open(old, "c"); err != nil || got != "x" {
		t.Fatalf("old key: %q, %v", got, err)
	}
	if both.Current(old) || !both.Current(both.Seal("x", "c")) || !both.Current("") {
		t.Fatal("Current is wrong")
	}
}

func TestSealedNeverPrints(t *testing.T) {
	s := box(t, 1).Seal("hunter2", "c")
	j, _ := json.Marshal(map[string]any{"s": s})
	for _, out := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q", s, s, s, s, s), string(j)} {
		if strings.Contains(out, string(s)[9:]) || !strings.Contains(out, "(sealed)") {
			t.Errorf("prints %s", out)
		}
	}
}

func TestDeriveDiffersByPurposeAndKey(t *testing.T) {
	a, b := box(t, 1, 2).Derive("cookies"), box(t, 1).Derive("other")
	if len(a) != 2 || bytes.Equal(a[0], a[1]) || bytes.Equal(a[0], b[0]) || len(a[0]) != KeySize {
		t.Fatal("derived keys are not apart")
	}
}

func TestNewBoxRefusesBadKeys(t *testing.T) {
	if _, err := NewBox(); err == nil {
		t.Error("no key accepted")
	}
	if _, err := NewBox([]byte("short")); err == nil {
		t.Error("short key accepted")
	}
}
