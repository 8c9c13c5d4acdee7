package wire

import (
	"strings"
	"testing"
)

func TestVia(t *testing.T) {
	for _, c := range []struct {
		values []string
		via    string
		fault  string
	}{
		{nil, "", ""},
		{[]string{""}, "", ""},
		{[]string{"a, b ", "c"}, "a,b,c", ""},
		{[]string{"1,2,3,4,5,6,7"}, "1,2,3,4,5,6,7", ""},
		{[]string{"1,2,3,4,5,6,7,8"}, "", "came through 8 installations"},
		{[]string{"a", "own"}, "", "This is a loop"},
		{[]string{"a b"}, "", "invalid id"},
		{[]string{strings.Repeat("a", 65)}, "", "invalid id"},
	} {
		via, err := ReadVia(c.values, "own")
		if via != c.via || (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("%q: %q, %v", c.values, via, err)
		}
	}
	if JoinVia("", "own") != "own" || JoinVia("a,b", "own") != "a,b,own" || CheckHeader("sitehooks-via", "x") == nil {
		t.Error("the header is written wrongly, or a webhook may set it")
	}
}
