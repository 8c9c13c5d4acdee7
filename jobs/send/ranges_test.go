package send

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// forbidden are the ranges that no delivery reaches unless a setting opens
// them, listed here a second time, independently of the guard's list.
var forbidden = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", "100.100.100.200/32", "192.0.0.192/32", "fd00:42::42/128", "fd00:c1::a9fe:a9fe/128", "fe80::a9fe:a9fe/128", "::/8", "::1/128", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32",
	"2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fd00:ec2::254/128", "fe80::/10", "fec0::/10", "ff00::/8",
)

// tunnel is an address whose end is a tunnel to the IPv4 address inside.
func tunnel(addr netip.Addr) bool {
	b := addr.As16()
	return addr.Is6() && (b[8] == 0 || b[8] == 2) && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

func isForbidden(addr netip.Addr) bool {
	return tunnel(addr) || addr.Is4In6() || slices.ContainsFunc(forbidden, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// edges are the first and the last address of a range, and some inside.
func edges(p netip.Prefix, random *rand.Rand) []netip.Addr {
	first := p.Masked().Addr()
	list := []netip.Addr{first}
	for i := range 20 {
		raw := first.AsSlice()
		for bit := p.Bits(); bit < len(raw)*8; bit++ {
			if i == 0 || random.IntN(2) == 1 { // the last, with all bits set
				raw[bit/8] |= 1 << (7 - bit%8)
			}
		}
		addr, _ := netip.AddrFromSlice(raw)
		list = append(list, addr)
	}
	return list
}

// dials are the addresses that a client would have connected to. It connects to
// none.
func dials(c *Client) *[]netip.AddrPort {
	var all []netip.AddrPort
	c.guard.connect = func(_ context.Context, to netip.AddrPort, _ int) (net.Conn, error) {
		all = append(all, to)
		return nil, errors.New("not in a test")
	}
	// The transports were made with the method of the guard as it was.
	c.transport.DialContext, c.fresh.DialContext = c.guard.dial, c.guard.dial
	return &all
}

// TestForbiddenRanges reaches for every range by its address and by a name
// that resolves to it: neither is dialed, and a save is refused in the same
// words.
func TestForbiddenRanges(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for _, p := range append(slices.Clone(forbidden), prefixes("2606:4700::5efe:0:0/96", "2606:4700::200:5efe:0:0/96")...) {
		t.Run(p.String(), func(t *testing.T) {
			for _, addr := range edges(p, random) {
				if addr.Is4In6() {
					continue // a resolver's way to say IPv4; in a URL TestParseTargetRefuses has it
				}
				mapped := netip.AddrFrom16(addr.As16()) // as resolvers say IPv4
				resolver := &names{lists: map[string][][]string{"inward.example": {{addr.String()}}, "mixed.example": {{"8.8.8.8", mapped.String()}}}}
				client := New(Config{Resolver: resolver})
				dialed := dials(client)
				literal := "http://" + netip.AddrPortFrom(addr, 8080).String() + "/"
				for _, url := range []string{"https://inward.example/", "https://mixed.example/", literal} {
					if err := client.CheckURL(t.Context(), url); !errors.Is(err, errNotAllowed) {
						t.Errorf("seed %d: %s (%s) may be saved: %v", seed, url, addr, err)
					}
					if got := do(t, client, Request{URL: url}); got.ErrorClass != wire.ClassBlocked || got.Error != errNotAllowed.Error() {
						t.Errorf("seed %d: %s (%s): %+v", seed, url, addr, got)
					}
				}
				if len(*dialed) > 0 {
					t.Errorf("seed %d: %s was dialed", seed, addr)
				}
			}
		})
	}
}

// FuzzDialed: for any URL, and any addresses that its name resolves to, only
// allowed addresses are ever dialed, and one refused address refuses the whole
// name.
func FuzzDialed(f *testing.F) {
	for _, url := range []string{
		"http://a.example/", "https://a.example.:443/x?y#z", "http://127.0.0.1:8080", "http://10.1.2.3/", "http://[::1]/", "http://[::ffff:10.0.0.1]/",
		"http://0x7f.1/", "http://017700000001/", "http://1.1.1.1@10.0.0.1/", "http://127.0.0.1:5432/", "http://１２７.0.0.1/", "http://[fe80::1%25eth0]/",
		"http://[64:ff9b::7f00:1]/", "http://hooks.internal/", "http://HOOKS.internal./", "http://169.254.169.254/latest", "http://2130706433/",
		"http://[2606:4700::5efe:10.0.0.1]/", "http://a.example:0/", "//a.example", "http:\\\\a.example", "http://a.example\t/",
	} {
		f.Add(url, []byte{10, 0, 0, 1})
		f.Add(url, []byte{8, 8, 8, 8, 127, 0, 0, 1})
		f.Add(url, netip.MustParseAddr("::ffff:169.254.169.254").AsSlice())
	}
	own := netip.MustParseAddrPort("127.0.0.1:5432")
	allowed := prefixes("127.0.0.0/8", "10.1.0.0/16", "fd12::/48", "169.254.0.0/16")
	f.Fuzz(func(t *testing.T, url string, resolved []byte) {
		var found []netip.Addr
		for _, size := range []int{4, 16} {
			for chunk := range slices.Chunk(resolved, size) {
				if addr, ok := netip.AddrFromSlice(chunk); ok && len(found) < 4 {
					found = append(found, addr)
				}
			}
		}
		lookedUp := ""
		client := New(Config{
			AllowCIDRs: allowed, AllowHosts: []string{"hooks.internal"}, Deny: []netip.AddrPort{own},
			Resolver: resolving(func(host string) []netip.Addr { lookedUp = host; return found }),
		})
		dialed := dials(client)
		got := client.Do(t.Context(), Request{URL: url})
		if got.Code != 0 || got.ErrorClass == "" {
			t.Fatalf("%q: answered without a connection: %+v", url, got)
		}
		for _, to := range *dialed {
			addr := to.Addr().Unmap()
			inside := slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(addr) })
			never := prefixes("169.254.0.0/16", "0.0.0.0/32", "224.0.0.0/4", "168.63.129.16/32", "fd00:ec2::254/128", "ff00::/8", "::/128")
			switch {
			case to == own, to.Port() == 0, slices.ContainsFunc(never, func(p netip.Prefix) bool { return p.Contains(addr) }):
				t.Errorf("%q (%q → %v): %s was dialed, which nothing opens", url, lookedUp, found, to)
			case isForbidden(to.Addr()) && !inside && lookedUp != "hooks.internal" && !opened(to.Addr(), allowed):
				t.Errorf("%q (%q → %v): %s was dialed", url, lookedUp, found, to)
			}
		}
		if got.ErrorClass == wire.ClassBlocked && len(*dialed) > 0 {
			t.Errorf("%q: refused, and dialed %v", url, *dialed)
		}
	})
}

// opened tells an address that a range opens by its own name.
func opened(addr netip.Addr, allowed []netip.Prefix) bool {
	return slices.ContainsFunc(allowed, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// resolving is a Resolver made of a function.
type resolving func(host string) []netip.Addr

func (f resolving) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	if found := f(host); len(found) > 0 {
		return found, nil
	}
	return nil, &net.DNSError{Err: fmt.Sprintf("%d addresses", 0), Name: host, IsNotFound: true}
}
