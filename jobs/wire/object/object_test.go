package object

import (
	"encoding/json"
	"testing"
)

// TestList: a list with too many elements is a fault, and has none.
func TestList(t *testing.T) {
	for raw, want := range map[string]string{
		`{}`: "", `{"a":null}`: "", `{"a":[1,2]}`: "", `{"a":[1,2,3]}`: "a: has 3 elements, more than 2", `{"a":"x"}`: "a: must be an array, not a string",
	} {
		o, err := Parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		fault, list := "", o.List("a", 2)
		if o.Fault() != nil {
			fault = o.Fault().Error()
		}
		if fault != want || (len(list) == 2) != (raw == `{"a":[1,2]}`) {
			t.Errorf("%s: %s, %q", raw, list, fault)
		}
	}
}

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
