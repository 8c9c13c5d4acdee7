package send

import (
	"net"
	"net/url"
	"strconv"
)

// Shown is a target's URL as pages, logs and searches may show it: without
// user information, query and fragment. Of a URL that is a secret it is the
// host and the last four characters: "hooks.slack.com · …x9Qk".
func Shown(raw string, secretURL bool) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return unreadableForm
	}
	if secretURL {
		// Where four characters would be a good part of it, none is shown.
		if tail := u.RequestURI(); len(tail) >= 16 {
			return u.Host + " · …" + tail[len(tail)-4:]
		}
		return u.Host
	}
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return bare.String()
}

// Origin is scheme://host:port of a target's URL in its normal form, by which
// to see whether a URL moved to another receiver. It is empty for text that is
// not a target's URL.
func Origin(raw string) string {
	t, err := parseTarget(raw)
	if err != nil {
		return ""
	}
	host := t.host
	if t.addr.IsValid() {
		host = t.addr.String()
	}
	return t.url.Scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(t.port)))
}
