package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// Addressed makes the request's remote address that of the client, where
// trusted proxies stand in between.
func (s *Site) Addressed(c *gin.Context) {
	c.Request.RemoteAddr = net.JoinHostPort(clientAddress(c.Request, s.TrustedProxies), "0")
}

// clientAddress is the address of the peer. When that is a trusted proxy, it is
// the last address in X-Forwarded-For that is not a trusted proxy's. When that
// cannot be read, it is the peer's.
func clientAddress(r *http.Request, trusted []netip.Prefix) string {
	peer, known := readAddress(r.RemoteAddr)
	if !known {
		return ""
	}
	client := peer
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, entry := range slices.Backward(forwarded) {
		if !slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(client) }) {
			break
		}
		if entry = strings.TrimSpace(entry); entry == "" && len(forwarded) == 1 {
			break // there is no such header
		}
		if client, known = readAddress(entry); !known {
			return peer.String()
		}
	}
	return client.String()
}

// readAddress reads an address with or without a port. A zone is left out.
func readAddress(text string) (netip.Addr, bool) {
	ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return ip, false
		}
		ip = withPort.Addr()
	}
	return ip.Unmap().WithZone(""), true
}
