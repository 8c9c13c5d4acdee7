package send

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"code.dny.dev/ssrf"
)

// blockedError says that the guard refused a target. Its text does not depend
// on what is behind the address, so that it cannot be used to scan a network.
type blockedError struct{ words string }

func (e *blockedError) Error() string { return e.words }

var errBlocked = &blockedError{errNotAllowed.Error()}

// never are addresses that no setting opens: from them clouds hand out the
// credentials of the machine that asks.
var never = []netip.Prefix{
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("168.63.129.16/32"),       // Azure
	netip.MustParsePrefix("100.100.100.200/32"),     // Alibaba
	netip.MustParsePrefix("192.0.0.192/32"),         // Oracle
	netip.MustParsePrefix("fd00:ec2::254/128"),      // Amazon
	netip.MustParsePrefix("fd00:ec2::23/128"),       // Amazon, for containers
	netip.MustParsePrefix("fd20:ce::254/128"),       // Google
	netip.MustParsePrefix("fd00:42::42/128"),        // Scaleway
	netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), // Oracle
	netip.MustParsePrefix("fe80::a9fe:a9fe/128"),    // OpenStack
}

// guard decides which addresses may be dialed, and dials them.
type guard struct {
	allow    []netip.Prefix
	hosts    map[string]bool
	deny     []netip.AddrPort
	denyURL  target                                   // its host and port
	also     *atomic.Pointer[map[netip.AddrPort]bool] // denied too, for now
	public   *ssrf.Guardian
	resolver Resolver
	// connect makes a connection to an address that was let through; left is
	// how many addresses share the time that is left.
	connect func(ctx context.Context, to netip.AddrPort, left int) (net.Conn, error)
}

func newGuard(c Config) guard {
	g := guard{
		allow: c.AllowCIDRs, hosts: map[string]bool{}, deny: c.Deny, also: &atomic.Pointer[map[netip.AddrPort]bool]{}, resolver: c.Resolver,
		public: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAnyNetwork()), connect: dialOne,
	}
	if g.resolver == nil {
		g.resolver = net.DefaultResolver
	}
	g.denyAlso(nil)
	if c.DenyURL != nil {
		if own, err := parseTarget(c.DenyURL.String()); err == nil {
			g.denyURL = own
		}
	}
	for _, h := range c.AllowHosts {
		g.hosts[normalHost(strings.TrimSpace(h))] = true
	}
	return g
}

// denyAlso says whether there are addresses that were not denied before.
func (g *guard) denyAlso(addresses []netip.AddrPort) (more bool) {
	also := make(map[netip.AddrPort]bool, len(addresses))
	before := g.also.Load()
	for _, a := range addresses {
		a = netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
		also[a] = true
		more = more || before == nil || !(*before)[a]
	}
	g.also.Store(&also)
	return more
}

// CheckURL says in a sentence for people why a webhook may not have this
// target: its syntax, or an address that the guard refuses. A name that does
// not resolve now passes, since it may later; nothing is dialed.
func (c *Client) CheckURL(ctx context.Context, raw string) error {
	t, err := parseTarget(raw)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := c.guard.addresses(ctx, t.host, t.port); errors.Is(err, errBlocked) {
		return errNotAllowed
	}
	return nil
}

// addresses resolves a host, once, and checks every address: a single bad one
// refuses the host. Only the addresses that it returns may be dialed.
func (g *guard) addresses(ctx context.Context, host string, port uint16) ([]netip.Addr, error) {
	if host == g.denyURL.host && port == g.denyURL.port {
		return nil, errBlocked
	}
	addrs := []netip.Addr{}
	if addr, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, addr)
	} else {
		found, err := g.resolver.LookupNetIP(ctx, "ip", host)
		if err != nil {
			return nil, dnsFault(host, err)
		}
		for _, addr := range found {
			addrs = append(addrs, addr.Unmap()) // IPv4 comes mapped from net.Resolver
		}
	}
	if len(addrs) == 0 {
		return nil, dnsFault(host, errors.New("no addresses"))
	}
	for _, addr := range addrs {
		if !g.permits(host, netip.AddrPortFrom(addr, port)) {
			return nil, errBlocked
		}
	}
	return addrs, nil
}

// dial connects to the first address of the host that accepts. Each gets its
// share of the time that is left.
func (g *guard) dial(ctx context.Context, _, hostPort string) (net.Conn, error) {
	host, portText, err := net.SplitHostPort(hostPort)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	ctx, cancel := dialDeadline(ctx)
	defer cancel()
	addrs, err := g.addresses(ctx, normalHost(host), uint16(port))
	if err != nil {
		return nil, err
	}
	var first error
	for i, addr := range addrs {
		conn, err := g.connect(ctx, netip.AddrPortFrom(addr, uint16(port)), len(addrs)-i)
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

func dialOne(ctx context.Context, to netip.AddrPort, left int) (net.Conn, error) {
	deadline, _ := ctx.Deadline()
	ctx, cancel := context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
	defer cancel()
	dialer := net.Dialer{KeepAlive: 30 * time.Second}
	return dialer.DialContext(ctx, "tcp", to.String())
}

func dnsFault(host string, err error) error {
	var dns *net.DNSError
	if errors.As(err, &dns) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", &net.DNSError{Err: "lookup failed", Name: host}, err)
}
