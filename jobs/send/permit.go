package send

import (
	"net"
	"net/netip"
	"slices"
)

// permits says whether the host may be reached at this address.
func (g *guard) permits(host string, to netip.AddrPort) bool {
	addr := to.Addr()
	if addr.Zone() != "" || addr.IsUnspecified() || addr.IsMulticast() || g.denied(to) {
		return false
	}
	if inner, ok := embedded(addr); ok {
		// What is sent there may come out at the IPv4 address inside.
		if !g.permits(host, netip.AddrPortFrom(inner, to.Port())) {
			return false
		}
	}
	contains := func(p netip.Prefix) bool { return p.Contains(addr) }
	switch {
	case slices.ContainsFunc(never, contains):
		return false
	case slices.ContainsFunc(g.allow, contains), g.hosts[host]:
		return true
	}
	return !isatap(addr) && g.public.SafeAddr(addr) == nil
}

// denied says whether the address is one of our own that nothing opens.
func (g *guard) denied(to netip.AddrPort) bool {
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
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
	zeros     = netip.MustParsePrefix("::/64") // IPv4-compatible, -mapped and -translated
)

// embedded is the IPv4 address that an IPv6 one carries to a translator.
func embedded(addr netip.Addr) (netip.Addr, bool) {
	if !addr.Is6() {
		return netip.Addr{}, false
	}
	b := addr.As16()
	switch {
	case sixToFour.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case nat64.Contains(addr), isatap(addr), zeros.Contains(addr) && !addr.IsLoopback():
		return netip.AddrFrom4([4]byte(b[12:16])), true
	}
	return netip.Addr{}, false
}

// isatap knows the interface identifiers of a tunnel whose end is the IPv4
// address inside, whatever the prefix in front.
func isatap(addr netip.Addr) bool {
	if !addr.Is6() {
		return false
	}
	b := addr.As16()
	return b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}
