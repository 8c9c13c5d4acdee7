package wire

import "testing"

// TestMessageIDsGrow: later ids stand behind earlier ones, as an index wants.
func TestMessageIDsGrow(t *testing.T) {
	first := messageID()
	id := messageID()
	for id[:11] == first[:11] { // within the same millisecond
		id = messageID()
	}
	if id <= first || len(id) != len("msg_")+27 {
		t.Errorf("%s after %s", id, first)
	}
}
