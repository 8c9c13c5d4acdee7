package send

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

// maxURL is the longest target URL, in bytes.
const maxURL = 2048

// The faults of a target's URL. None repeats the URL, which may hold secrets.
const (
	errSyntax      = wire.Sentence("This is not a valid URL. Enter one such as https://example.com/hooks.")
	errLong        = wire.Sentence("The URL is longer than 2048 characters.")
	errScheme      = wire.Sentence("The URL must start with https:// or http://.")
	errUser        = wire.Sentence("The URL must not contain a user name or password. Use a custom header instead.")
	errHost        = wire.Sentence("The URL needs a valid host name.")
	errPort        = wire.Sentence("The port in the URL must be between 1 and 65535.")
	errNonASCII    = wire.Sentence("The host name must be in ASCII. Write an international name in its xn-- form.")
	errOddAddress  = wire.Sentence("An IP address must be written in its usual form, such as 203.0.113.7 or [2001:db8::7].")
	errNotAllowed  = wire.Sentence("Sitehooks is not allowed to send to this address. An operator can allow it by adding the host or its network to SITEHOOKS_ALLOW_TARGETS.")
	unreadableForm = "(unreadable URL)"
)

// target is a parsed URL that a request may be made to, as far as the URL
// alone tells.
type target struct {
	url  *url.URL
	host string     // lower case, without a trailing dot or brackets
	addr netip.Addr // valid when the host is an IP address
	port uint16
}

// parseTarget reads a target's URL and refuses all that receivers, resolvers
// and proxies are known to read differently. The error is a sentence.
func parseTarget(raw string) (target, error) {
	if len(raw) > maxURL {
		return target{}, errLong
	}
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return target{}, errSyntax
	}
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, parseFault(err)
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return target{}, errScheme
	case u.User != nil:
		return target{}, errUser
	case u.Opaque != "" || u.Hostname() == "":
		return target{}, errHost
	}
	u.Host = strings.TrimSuffix(u.Host, ":") // as it stands in a request
	t := target{url: u, host: normalHost(u.Hostname())}
	if t.port, err = portOf(u); err != nil {
		return target{}, err
	}
	t.addr, err = literal(t.host, strings.HasPrefix(u.Host, "["))
	if t.addr.IsValid() && strings.HasSuffix(u.Hostname(), ".") {
		err = errOddAddress
	}
	return t, err
}

// parseFault describes the faults that a person can correct; all others get one
// sentence.
func parseFault(err error) error {
	if _, ok := errors.AsType[url.InvalidHostError](err); ok {
		return errHost
	}
	if strings.Contains(err.Error(), "invalid port") {
		return errPort
	}
	return errSyntax
}

func portOf(u *url.URL) (uint16, error) {
	text := u.Port()
	if text == "" {
		text = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, errPort
	}
	return uint16(port), nil
}

// literal is the host as an IP address, not valid when it is a name. It
// refuses every spelling of an address but the usual one, and names that no
// resolver should be asked for.
func literal(host string, bracketed bool) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		if addr.Zone() != "" || addr.Is4In6() || addr.Is6() != bracketed {
			return netip.Addr{}, errOddAddress
		}
		return addr, nil
	}
	if bracketed {
		return netip.Addr{}, errOddAddress
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' }) {
		return netip.Addr{}, errNonASCII
	}
	labels := strings.Split(host, ".")
	if numeric(labels[len(labels)-1]) {
		return netip.Addr{}, errOddAddress
	}
	if len(host) > 253 {
		return netip.Addr{}, errHost
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return netip.Addr{}, errHost
		}
	}
	return netip.Addr{}, nil
}

// numeric says whether the last label of a host makes it an IPv4 address in
// the eyes of a lenient parser: 2130706433, 0x7f.1, 017700000001, 127.1.
func numeric(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

func normalHost(host string) string {
	return strings.TrimSuffix(strings.ToLower(host), ".")
}
