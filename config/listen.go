package config

import (
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

func (f *Faults) addr(value string) string {
	const name, example = "SITEHOOKS_ADDR", "127.0.0.1:8080"
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		f.add(name, example, "is %s, which is not host:port (write an IPv6 address in brackets)", shown(value))
		return ""
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		f.add(name, example, "is %s, whose port is not a number from 0 to 65535", shown(value))
		return ""
	}
	if host != "" && !isHost(host) {
		f.add(name, example, "is %s, whose host is neither an address nor a host name", shown(value))
		return ""
	}
	return value
}

// baseURL returns the value without a slash at its end. By default it derives
// the URL from the listen address: an address that means every interface is
// reached as localhost.
func (f *Faults) baseURL(value, addr string) *url.URL {
	const name, example = "SITEHOOKS_BASE_URL", "https://sitehooks.example.com"
	if value == "" {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil // the address's own fault is reported already
		}
		if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
			host = "localhost"
		}
		return &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !isHost(u.Hostname()):
		f.add(name, example, "is not a URL that starts with http:// or https:// and has a host")
	case u.User != nil:
		f.add(name, example, "must not contain a user name or password")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || strings.Contains(value, "#"):
		f.add(name, example, "is %s, but must end after the host and port, because Sitehooks serves the whole host", shown(value))
	case !isPort(u.Port()):
		f.add(name, example, "is %s, whose port is not a number from 1 to 65535", shown(value))
	default:
		return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}
	}
	return nil
}

func (f *Faults) role(value string) Role {
	switch r := Role(value); r {
	case RoleAll, RoleWeb, RoleJobs:
		return r
	}
	f.add("SITEHOOKS_ROLE", string(RoleAll), "is %s, but must be all, web or jobs", shown(value))
	return ""
}

func (f *Faults) logFormat(value string) string {
	if value != "text" && value != "json" {
		f.add("SITEHOOKS_LOG_FORMAT", "json", "is %s, but must be text or json", shown(value))
	}
	return value
}

func (f *Faults) logLevel(value string) slog.Level {
	switch strings.ToLower(value) {
	case "debug":
		return slog.LevelDebug
	case "info":
		return slog.LevelInfo
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	f.add("SITEHOOKS_LOG_LEVEL", "info", "is %s, but must be debug, info, warn or error", shown(value))
	return 0
}
