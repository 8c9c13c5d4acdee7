package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// The widest ranges that SITEHOOKS_ALLOW_TARGETS may open. /8 is the widest
// private IPv4 network. For IPv6 a whole provider gets a /32, while one site
// has a /48; fc00::/7, the range of all intranets, cannot be opened.
const (
	widestIPv4 = 8
	widestIPv6 = 32
)

// embedding are IPv6 ranges whose last 32 bits are an IPv4 address. They are
// held to the same share of the IPv4 addresses.
var embedding = []netip.Prefix{
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
}

func (f *Faults) trustedProxies(value string) []netip.Prefix {
	var prefixes []netip.Prefix
	for _, entry := range splitList(value) {
		p, err := parsePrefix(entry)
		if err != nil {
			f.add("SITEHOOKS_TRUSTED_PROXIES", "10.0.0.0/8,fd12:3456:789a::/48", "contains %s, which is not an address range", shown(entry))
			continue
		}
		prefixes = append(prefixes, p)
	}
	return prefixes
}

func (f *Faults) allowTargets(value string) (cidrs []netip.Prefix, hosts []string) {
	const name, example = "SITEHOOKS_ALLOW_TARGETS", "127.0.0.0/8,10.1.2.3/32,hooks.internal"
	for _, entry := range splitList(value) {
		p, err := parsePrefix(entry)
		if err == nil {
			if err = tooWide(p); err == nil {
				cidrs = append(cidrs, p)
				continue
			}
			f.add(name, example, "contains %s, which %v", shown(entry), err)
			continue
		}
		host := strings.ToLower(strings.TrimSuffix(entry, "."))
		if !isHostName(host) {
			f.add(name, example, "contains %s, which is neither an address range nor a host name (no scheme, port, path or wildcard; a name with other letters in its xn-- form)", shown(entry))
			continue
		}
		hosts = append(hosts, host)
	}
	return cidrs, hosts
}

// parsePrefix reads a range, or a single address as the range of just that.
// Bits behind the mask are cleared; IPv4 written as IPv6 becomes IPv4.
func parsePrefix(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		ip, addrErr := netip.ParseAddr(s)
		if addrErr != nil {
			return netip.Prefix{}, err
		}
		if ip.Zone() != "" {
			return netip.Prefix{}, errors.New("an address with a zone")
		}
		p = netip.PrefixFrom(ip, ip.BitLen())
	}
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), nil
}

func tooWide(p netip.Prefix) error {
	if p.Addr().Is4() {
		if p.Bits() < widestIPv4 {
			return fmt.Errorf("is wider than /%d", widestIPv4)
		}
		return nil
	}
	if p.Bits() < widestIPv6 {
		return fmt.Errorf("is wider than /%d, the limit for IPv6", widestIPv6)
	}
	for _, e := range embedding {
		if p.Overlaps(e) && p.Bits() < 96+widestIPv4 {
			return fmt.Errorf("covers IPv4 addresses and is wider than /%d", 96+widestIPv4)
		}
	}
	return nil
}

func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return isHostName(strings.ToLower(s))
}

// isHostName accepts host names in lower case. A name whose last part is a
// number is not one: 10.1 and 0x7f.1 are odd ways to write an address.
func isHostName(s string) bool {
	if len(s) > 253 {
		return false
	}
	last := ""
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
		last = label
	}
	_, err := strconv.ParseUint(last, 0, 64)
	return err != nil && strings.Trim(last, "0123456789") != ""
}

// isPort accepts a port to connect to; an empty one means the scheme's own.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && n > 0
}
