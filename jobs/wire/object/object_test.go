package object

import (
	"encoding/json"
	"testing"
)

// TestReadPlain: the fast path gives the result of json.Unmarshal, or none.
func TestReadPlain(t *testing.T) {
	for _, raw := range []string{
		`""`, `"a"`, `"a\nb"`, `"é €"`, `"\u00e9"`, `"a\\"`, `"1"`, `0`, `-0`, `-1`, `9223372036854775807`, `9223372036854775808`,
		`1.0`, `1e2`, `true`, `null`, `[]`, `{}`, `"a" `, `1 `,
	} {
		var text, wantText string
		if err := json.Unmarshal([]byte(raw), &wantText); readPlain([]byte(raw), &text) && (err != nil || text != wantText) {
			t.Errorf("%s as a string: %q, want %q, %v", raw, text, wantText, err)
		}
		var n, wantN int64
		if err := json.Unmarshal([]byte(raw), &wantN); readPlain([]byte(raw), &n) && (err != nil || n != wantN) {
			t.Errorf("%s as a number: %d, want %d, %v", raw, n, wantN, err)
		}
	}
	var text string
	var n int64
	if !readPlain([]byte(`"é"`), &text) || !readPlain([]byte(`-17`), &n) || text != "é" || n != -17 {
		t.Errorf("plain values: %q %d", text, n)
	}
}
