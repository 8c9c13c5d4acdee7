package web

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

// OwnHost answers pages only where the console is: at its own host, localhost
// and IP addresses. At any other host, a foreign page whose name resolves to
// this address could read them (DNS rebinding). The APIs and other addresses
// for machines need no cookies, so they answer everywhere.
func (s *Site) OwnHost(c *gin.Context) {
	path := c.Request.URL.Path
	if IsAPI(path) || strings.HasPrefix(path, "/static/") ||
		path == "/healthz" || path == "/readyz" || path == "/metrics" || s.isOwnHost(c.Request.Host) {
		return
	}
	s.Fail(c, &StatusError{http.StatusMisdirectedRequest, fmt.Sprintf(
		"Sitehooks does not answer for the host %q. Open it at %s. To reach it by another name, set SITEHOOKS_BASE_URL to that address.",
		wording.Cut(c.Request.Host, 253), s.BaseURL)})
}

func (s *Site) isOwnHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost" || host == strings.TrimSuffix(s.BaseURL.Hostname(), ".")
}
