package limit

import "net/netip"

// AddressGroup is the flow of requests from an address: the address itself for
// IPv4, its /64 for IPv6, the network of one household or server. A port is
// left out. Text that is no address is the group "unknown".
func AddressGroup(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		withPort, err := netip.ParseAddrPort(address)
		if err != nil {
			return "unknown"
		}
		ip = withPort.Addr()
	}
	if ip = ip.Unmap(); ip.Is6() {
		if prefix, err := ip.WithZone("").Prefix(64); err == nil {
			return prefix.String()
		}
	}
	return ip.String()
}
