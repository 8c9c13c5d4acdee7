package send

import (
	"net"
	"net/netip"
	"slices"
)

// permits says whether the host may be reached at this address.
func (g *guard) permits(host string, to netip.AddrPort) bool {
	addr := to.Addr()
	if addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() || g.forbids(to) {
		return false
	}
	if inner := embedded(addr); len(inner) > 0 {
		// A packet to such an address may arrive at the IPv4 address inside.
		at := func(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, to.Port()) }
		if slices.ContainsFunc(inner, func(a netip.Addr) bool { return g.forbids(at(a)) }) || !g.permits(host, at(inner[0])) {
			return false
		}
	}
	if g.hosts[host] || contain(g.allow, addr) {
		return true
	}
	return !isatap(addr) && g.public.SafeAddr(addr) == nil
}

func contain(ranges []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// forbids says whether no setting opens the address.
func (g *guard) forbids(to netip.AddrPort) bool {
	return contain(never, to.Addr()) || g.denied(to)
}

// denied says whether the address is one of our own that nothing opens, or of
// another instance.
func (g *guard) denied(to netip.AddrPort) bool {
	if (*g.also.Load())[to] {
		return true
	}
	if own := g.denyURL; own.addr.IsValid() && own.port == to.Port() && own.addr == to.Addr() {
		return true
	}
	for _, d := range g.deny {
		if d.Port() != to.Port() {
			continue
		}
		if d.Addr().IsUnspecified() && ownAddress(to.Addr()) || d.Addr().Unmap() == to.Addr() {
			return true
		}
	}
	return false
}

// ownAddress says whether the address is one of this machine's. Not knowing
// is a yes.
func ownAddress(addr netip.Addr) bool {
	if addr.IsLoopback() {
		return true
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(own, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err != nil || prefix.Addr().Unmap().WithZone("") == addr
	})
}

var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
	zeros      = netip.MustParsePrefix("::/64") // IPv4-compatible, -mapped and -translated
)

// embedded are the IPv4 addresses that an IPv6 one may carry to a translator
// or through a tunnel, the likely one first: in the range for local
// translators RFC 6052 has four places for it.
func embedded(addr netip.Addr) []netip.Addr {
	if !addr.Is6() {
		return nil
	}
	b := addr.As16()
	at := func(i, j, k, l int) netip.Addr { return netip.AddrFrom4([4]byte{b[i], b[j], b[k], b[l]}) }
	last := at(12, 13, 14, 15)
	var inner []netip.Addr
	switch {
	case sixToFour.Contains(addr):
		inner = append(inner, at(2, 3, 4, 5))
	case teredo.Contains(addr):
		inner = append(inner, netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}))
	case localNAT64.Contains(addr):
		inner = append(inner, last, at(9, 10, 11, 12), at(7, 9, 10, 11), at(6, 7, 9, 10))
	case nat64.Contains(addr), zeros.Contains(addr) && !addr.IsLoopback():
		inner = append(inner, last)
	}
	if isatap(addr) {
		inner = append(inner, last)
	}
	return inner
}

// isatap reports whether an address, with any prefix, has the interface
// identifier of a tunnel that ends at the IPv4 address inside.
func isatap(addr netip.Addr) bool {
	if !addr.Is6() {
		return false
	}
	b := addr.As16()
	return b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
