package limit

import "testing"

func TestAddressGroup(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "203.0.113.7:4711": "203.0.113.7", "::ffff:203.0.113.7": "203.0.113.7",
		"2001:db8:1:2:3::4": "2001:db8:1:2::/64", "[2001:db8:1:2:3::4]:4711": "2001:db8:1:2::/64",
		"2001:db8:1:2:9::9%eth0": "2001:db8:1:2::/64", "": "unknown", "pipe": "unknown",
	} {
		if got := AddressGroup(address); got != want {
			t.Errorf("AddressGroup(%q) = %q, want %q", address, got, want)
		}
	}
}
