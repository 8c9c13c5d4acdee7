package web

import (
	"fmt"
	"net/http"

	"github.com/gin-gonic/gin"
)

// GuardOrigin refuses changes that a page of another site asks a browser for.
// The APIs are left out: they read no cookies, so there is nothing to abuse.
func (s *Site) GuardOrigin() (gin.HandlerFunc, error) {
	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(s.BaseURL.Scheme + "://" + s.BaseURL.Host); err != nil {
		return nil, fmt.Errorf("trust the base URL: %w", err)
	}
	return s.On(func(c *gin.Context) error {
		if IsAPI(c.Request.URL.Path) {
			return nil
		}
		if err := guard.Check(c.Request); err != nil {
			return forbidden("This request came from a page of another site, so nothing was changed. If you reach Sitehooks " +
				"at another address, set SITEHOOKS_BASE_URL to that address.")
		}
		return nil
	}), nil
}
