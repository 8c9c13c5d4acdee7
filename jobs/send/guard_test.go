package send

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// names is a Resolver that answers each name with its lists in turn, the last
// one for ever.
type names struct {
	lists   map[string][][]string
	lookups atomic.Int64
}

func (n *names) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	lookups := int(n.lookups.Add(1))
	lists := n.lists[host]
	if len(lists) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var addrs []netip.Addr
	for _, a := range lists[min(lookups, len(lists))-1] {
		addrs = append(addrs, netip.MustParseAddr(a))
	}
	return addrs, nil
}

func prefixes(list ...string) []netip.Prefix {
	var parsed []netip.Prefix
	for _, p := range list {
		parsed = append(parsed, netip.MustParsePrefix(p))
	}
	return parsed
}

func permits(c Config, addr string) bool {
	g := newGuard(c)
	return g.permits("host.example", netip.AddrPortFrom(netip.MustParseAddr(addr), 443))
}

func TestGuardRefusesAddresses(t *testing.T) {
	for addr := range strings.FieldsSeq(`
		0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.0.1
		169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1
		198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16
		:: ::1 ::2 ::7f00:1 ::10.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:10.0.0.1 ::ffff:0:8.8.8.8
		64:ff9b::1 64:ff9b::10.0.0.1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:0:1234::1 2001:10::1 2001:20::1
		2001:db8::1 2002::1 2002:a00:1:: 2002:808:808::1 3fff::1 3fff:fff:ffff::1 5f00::1 fc00::1 fd00:ec2::254 fd20:ce::254
		fdff::1 fe80::1 fe80::1%lo fec0::1 feff::1 ff02::1 ff0e::1 4000::1 8000::1
		2606:4700::5efe:10.0.0.1 2606:4700::200:5efe:10.0.0.1 2606:4700::5efe:8.8.8.8`) {
		if permits(Config{}, addr) {
			t.Errorf("%s is let through", addr)
		}
	}
	for addr := range strings.FieldsSeq(`1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255
		128.0.0.1 169.253.255.255 172.15.255.255 172.32.0.1 192.167.255.255 198.17.255.255 223.255.255.255
		2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450::1 3ffe::1`) {
		if !permits(Config{}, addr) {
			t.Errorf("%s is refused", addr)
		}
	}
}

func TestGuardAllows(t *testing.T) {
	c := Config{
		AllowCIDRs: prefixes("10.0.0.0/8", "169.254.0.0/16", "fd00::/8", "64:ff9b::/96", "64:ff9b:1::/48", "0.0.0.0/8", "168.0.0.0/8", "224.0.0.0/8", "::/8"),
		AllowHosts: []string{"Hooks.Internal."},
	}
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "192.168.0.1": false, "fd12::1": true, "8.8.8.8": true,
		"64:ff9b::8.8.8.8": true, "64:ff9b::10.0.0.1": true, "64:ff9b::192.168.0.1": false,
		// No setting opens these.
		"169.254.169.254": false, "fd00:ec2::254": false, "fd20:ce::254": false, "64:ff9b::169.254.169.254": false,
		"168.63.129.16": false, "0.0.0.0": false, "::": false, "224.0.0.1": false, "::ffff:169.254.169.254": false,
		"::169.254.169.254":   false,
		"64:ff9b:1::10.0.0.1": true, "64:ff9b:1::192.168.0.1": false, "64:ff9b:1:c0a8:0:100::": false,
	} {
		if got := permits(c, addr); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
	g := newGuard(c)
	for host, want := range map[string]bool{"hooks.internal": true, "a.hooks.internal": false, "internal": false, "hooks.internal.example": false} {
		if got := g.permits(host, netip.MustParseAddrPort("192.168.0.1:80")); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
	if g.permits("hooks.internal", netip.MustParseAddrPort("169.254.169.254:80")) {
		t.Error("an allowed host leads to metadata")
	}
}

// TestMetadataIsNeverDialed: no setting opens the addresses at which clouds
// hand out credentials, by any spelling that a network may lead there.
func TestMetadataIsNeverDialed(t *testing.T) {
	spellings := strings.Fields(`
		169.254.169.254 169.254.170.2 169.254.0.23 168.63.129.16 100.100.100.200 192.0.0.192
		fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:42::42 fd00:c1::a9fe:a9fe fe80::a9fe:a9fe`)
	for v4 := range slices.Values(spellings[:6]) {
		b := netip.MustParseAddr(v4).As4()
		for _, f := range []string{
			"64:ff9b::%02x%02x:%02x%02x", "::%02x%02x:%02x%02x", "::ffff:0:%02x%02x:%02x%02x", "2002:%02x%02x:%02x%02x::1",
			"fd00:1::5efe:%02x%02x:%02x%02x", "fd00:1::200:5efe:%02x%02x:%02x%02x", "2002:808:808::5efe:%02x%02x:%02x%02x",
			// RFC 6052 with prefixes of 48, 56, 64 and 96 bits.
			"64:ff9b:1:%02x%02x:00%02x:%02x00::", "64:ff9b:1:12%02x:00%02x:%02x%02x::", "64:ff9b:1:12:00%02x:%02x%02x:%02x00:0", "64:ff9b:1::%02x%02x:%02x%02x",
			"64:ff9b:1:dead:beef:cafe:%02x%02x:%02x%02x",
		} {
			spellings = append(spellings, fmt.Sprintf(f, b[0], b[1], b[2], b[3]))
		}
		spellings = append(spellings, fmt.Sprintf("2001:0:4136:e378:8000:63bf:%02x%02x:%02x%02x", ^b[0], ^b[1], ^b[2], ^b[3]))
	}
	resolver := &names{lists: map[string][][]string{}}
	client := New(Config{
		Resolver: resolver, AllowHosts: []string{"allowed.example"},
		AllowCIDRs: prefixes("100.0.0.0/8", "168.0.0.0/8", "169.0.0.0/8", "192.0.0.0/8", "::/8", "64:ff9b::/32", "64:ff9b:1::/48", "2001::/16", "2002::/16", "fc00::/7", "fe80::/10"),
	})
	dialed := dials(client)
	for _, addr := range spellings {
		literal := "http://" + netip.AddrPortFrom(netip.MustParseAddr(addr), 80).String() + "/latest/meta-data"
		resolver.lists["allowed.example"] = [][]string{{addr}}
		for _, url := range []string{literal, "http://allowed.example/"} {
			if err := client.CheckURL(t.Context(), url); !errors.Is(err, errNotAllowed) {
				t.Errorf("%s (%s) may be saved: %v", url, addr, err)
			}
			if got := do(t, client, Request{URL: url}); got.ErrorClass != wire.ClassBlocked {
				t.Errorf("%s (%s): %q %s", url, addr, got.ErrorClass, got.Error)
			}
		}
	}
	if len(*dialed) > 0 {
		t.Errorf("dialed %v", *dialed)
	}
	// Their neighbours are open: it is the settings that are wide.
	for addr := range strings.FieldsSeq("100.100.100.201 192.0.0.193 fd00:42::43 2002:0808:0808::1 64:ff9b:1::808:808") {
		if !permits(Config{AllowCIDRs: client.guard.allow}, addr) {
			t.Errorf("%s is refused", addr)
		}
	}
}

func TestGuardDenies(t *testing.T) {
	c := Config{
		AllowCIDRs: prefixes("127.0.0.0/8", "10.0.0.0/8", "::1/128"), AllowHosts: []string{"db"},
		Deny: []netip.AddrPort{netip.MustParseAddrPort("10.0.0.5:5432"), netip.MustParseAddrPort("[::ffff:127.0.0.1]:9000"), netip.MustParseAddrPort("0.0.0.0:8080")},
	}
	g := newGuard(c)
	for to, want := range map[string]bool{
		"10.0.0.5:5432": false, "10.0.0.5:80": true, "10.0.0.6:5432": true, "127.0.0.1:9000": false, "127.0.0.1:9001": true,
		"127.0.0.1:8080": false, "127.9.9.9:8080": false, "[::1]:8080": false, "10.0.0.6:8080": true, "8.8.8.8:8080": true,
	} {
		if got := g.permits("db", netip.MustParseAddrPort(to)); got != want {
			t.Errorf("%s: %v", to, got)
		}
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range own {
		addr := netip.MustParsePrefix(a.String()).Addr().Unmap()
		if !ownAddress(addr) || g.permits("db", netip.AddrPortFrom(addr, 8080)) {
			t.Errorf("%s is this machine's, and let through", addr)
		}
	}
}

// TestDenyAlso: an address denied while the client runs is refused at once,
// also on a kept connection, and in any spelling, until it is allowed again.
func TestDenyAlso(t *testing.T) {
	srv := newServer(t, nil)
	at := srv.Listener.Addr().(*net.TCPAddr).AddrPort()
	client := New(Config{
		AllowCIDRs: prefixes("127.0.0.0/8", "64:ff9b::/96"), AllowHosts: []string{"hooks.internal"},
		Resolver: &names{lists: map[string][][]string{"hooks.internal": {{at.Addr().String()}}}},
	})
	defer client.Close()
	targets := []string{srv.URL, fmt.Sprintf("http://hooks.internal:%d/", at.Port())}
	reach := func(denied bool) {
		t.Helper()
		hits := srv.hits.Load()
		for _, target := range targets {
			got, saved := do(t, client, Request{URL: target}), client.CheckURL(t.Context(), target)
			if denied != (got.ErrorClass == wire.ClassBlocked) || denied != errors.Is(saved, errNotAllowed) || denied != (got.Code != 200) {
				t.Errorf("denied %v: %s: %d %q, %v", denied, target, got.Code, got.ErrorClass, saved)
			}
		}
		if denied != (srv.hits.Load() == hits) {
			t.Errorf("denied %v: reached %d times", denied, srv.hits.Load()-hits)
		}
	}
	reach(false)
	client.DenyAlso([]netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom16(at.Addr().As16()), at.Port())}) // mapped
	reach(true)
	if client.guard.permits("x.example", netip.AddrPortFrom(netip.MustParseAddr("64:ff9b::7f00:1"), at.Port())) {
		t.Error("it is let through behind a translator")
	}
	client.DenyAlso([]netip.AddrPort{netip.AddrPortFrom(at.Addr(), at.Port()+1)})
	reach(false)
}

// TestOwnURLIsNoTarget: host and port at which browsers reach us are refused,
// with any address that they resolve to.
func TestOwnURLIsNoTarget(t *testing.T) {
	resolver := &names{lists: map[string][][]string{
		"console.example": {{"10.0.0.1"}}, "other.example": {{"10.0.0.1"}}, "by-address.example": {{"10.0.0.2"}},
	}}
	for own, targets := range map[string]map[string]bool{ // true: refused
		"https://console.example": {
			"https://console.example/": true, "https://CONSOLE.example.:443/x?y": true, "http://console.example:443/": true,
			"http://console.example/": false, "https://console.example:8443/": false, "https://other.example/": false,
		},
		"http://10.0.0.2:8080":  {"http://10.0.0.2:8080/": true, "http://by-address.example:8080/": true, "http://10.0.0.2:8081/": false},
		"http://[fd12::1]:8080": {"http://[fd12:0::1]:8080/": true, "http://[fd12::2]:8080/": false},
		"http://localhost:0":    {"https://console.example/": false}, // no address to go to
	} {
		u, err := url.Parse(own)
		if err != nil {
			t.Fatal(err)
		}
		client := New(Config{Resolver: resolver, AllowCIDRs: prefixes("10.0.0.0/8", "fd12::/32"), AllowHosts: []string{"console.example"}, DenyURL: u})
		dialed := dials(client)
		for target, refused := range targets {
			*dialed = nil
			err, got := client.CheckURL(t.Context(), target), do(t, client, Request{URL: target})
			if refused != errors.Is(err, errNotAllowed) || refused != (got.ErrorClass == wire.ClassBlocked) || refused != (len(*dialed) == 0) {
				t.Errorf("%s: %s: %v, %q, dialed %v", own, target, err, got.ErrorClass, *dialed)
			}
		}
	}
}

func TestCheckURL(t *testing.T) {
	resolver := &names{lists: map[string][][]string{
		"public.example": {{"8.8.8.8", "2606:4700::1"}}, "private.example": {{"10.0.0.1"}},
		"mixed.example": {{"8.8.8.8", "10.0.0.1"}}, "mapped.example": {{"::ffff:10.0.0.1"}},
		"mapped-public.example": {{"::ffff:8.8.8.8"}}, "empty.example": {{}}, "hooks.internal": {{"10.0.0.1"}},
	}}
	client := New(Config{Resolver: resolver, AllowHosts: []string{"hooks.internal"}, AllowCIDRs: prefixes("127.0.0.0/8")})
	for raw, want := range map[string]error{
		"https://public.example/": nil, "https://unknown.example/": nil, "https://empty.example/": nil,
		"https://mapped-public.example/": nil, "https://HOOKS.internal.:8443/": nil, "http://127.0.0.1:1/": nil, "http://8.8.8.8/": nil,
		"https://private.example/": errNotAllowed, "https://mixed.example/": errNotAllowed, "https://mapped.example/": errNotAllowed,
		"http://10.0.0.1/": errNotAllowed, "http://[::1]/": errNotAllowed, "http://169.254.169.254/": errNotAllowed,
		"ftp://public.example/": errScheme,
	} {
		if err := client.CheckURL(t.Context(), raw); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", raw, err, want)
		}
	}
	if !strings.Contains(errNotAllowed.Error(), "SITEHOOKS_ALLOW_TARGETS") {
		t.Error("the setting is not named")
	}
}

// FuzzPermits: without settings, nothing outside global unicast is let
// through, and no spelling of an IPv4 address inside an IPv6 one is.
func FuzzPermits(f *testing.F) {
	f.Add([]byte{10, 0, 0, 1})
	f.Add(netip.MustParseAddr("64:ff9b::1").AsSlice())
	f.Add(netip.MustParseAddr("2606:4700::1").AsSlice())
	f.Fuzz(func(t *testing.T, raw []byte) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok || !permits(Config{}, addr.String()) {
			return
		}
		if addr.IsPrivate() || !addr.IsGlobalUnicast() || addr.Is4In6() || len(embedded(addr)) > 0 {
			t.Errorf("%s is let through", addr)
		}
	})
}

func TestDoChecksEachTimeItDials(t *testing.T) {
	srv := newServer(t, nil)
	host, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	resolver := &names{lists: map[string][][]string{"rebind.example": {{"8.8.8.8"}, {host}}, "mixed.example": {{"8.8.8.8", host}}}}
	client := New(Config{Resolver: resolver})
	if err := client.CheckURL(t.Context(), "http://rebind.example:"+port); err != nil {
		t.Fatalf("first it is public: %v", err)
	}
	got := do(t, client, Request{URL: "http://rebind.example:" + port})
	if got.ErrorClass != wire.ClassBlocked || got.Error != errNotAllowed.Error() || resolver.lookups.Load() != 2 {
		t.Errorf("after rebinding: %+v, resolved %d times", got, resolver.lookups.Load())
	}
	if got = do(t, client, Request{URL: "http://mixed.example:" + port}); got.ErrorClass != wire.ClassBlocked {
		t.Errorf("mixed: %+v", got)
	}
	if srv.hits.Load() != 0 {
		t.Error("the receiver was reached")
	}
}

func TestDoResolvesOnceAndTriesInTurn(t *testing.T) {
	srv := newServer(t, nil)
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	resolver := &names{lists: map[string][][]string{"hooks.internal": {{"::ffff:127.0.0.9", "127.0.0.1"}}}}
	client := New(Config{Resolver: resolver, AllowHosts: []string{"hooks.internal"}})
	got := do(t, client, Request{URL: "http://Hooks.Internal.:" + port})
	if got.Code != 200 || resolver.lookups.Load() != 1 {
		t.Errorf("%+v, resolved %d times", got, resolver.lookups.Load())
	}
}

func TestBlockedSaysTheSameWhateverIsThere(t *testing.T) {
	srv := newServer(t, nil)
	open := srv.Listener.Addr().(*net.TCPAddr).AddrPort()
	allowing := New(Config{AllowCIDRs: prefixes("127.0.0.0/8"), Deny: []netip.AddrPort{open}})
	client := New(Config{})
	want := do(t, client, Request{URL: "http://127.0.0.1:1/"})
	for _, got := range []Result{
		do(t, client, Request{URL: srv.URL}),
		do(t, client, Request{URL: "http://169.254.169.254/latest/meta-data"}),
		do(t, allowing, Request{URL: srv.URL}),
	} {
		if got.ErrorClass != wire.ClassBlocked || got.Error != want.Error {
			t.Errorf("%q %q, want %q", got.ErrorClass, got.Error, want.Error)
		}
	}
	if srv.hits.Load() != 0 {
		t.Error("the receiver was reached")
	}
	if got := do(t, client, Request{URL: "http://2130706433/"}); got.ErrorClass != wire.ClassBlocked || got.Error != errOddAddress.Error() {
		t.Errorf("odd address: %+v", got)
	}
}
