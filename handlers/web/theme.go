package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// Themes that a reader can choose; the choice is kept by the browser.
const (
	themeSystem   = "system"
	themeLight    = "light"
	themeDark     = "dark"
	themeContrast = "contrast"

	themeCookie = "theme"
	themeFor    = 400 * 24 * time.Hour // as long as browsers keep a cookie
)

var allThemes = []string{themeSystem, themeLight, themeDark, themeContrast}

func themeName(theme string) string {
	switch theme {
	case themeLight:
		return "Light"
	case themeDark:
		return "Dark"
	case themeContrast:
		return "High contrast"
	default:
		return "Same as the system"
	}
}

// themeClass is the class of body that Stacks knows the theme by.
func themeClass(theme string) string {
	switch theme {
	case themeLight:
		return ""
	case themeDark:
		return "theme-dark"
	case themeContrast:
		return "theme-highcontrast theme-system"
	default:
		return "theme-system"
	}
}

func themeOf(r *http.Request) string {
	if cookie, err := r.Cookie(themeCookie); err == nil && slices.Contains(allThemes, cookie.Value) {
		return cookie.Value
	}
	return themeSystem
}

// Theme stores the choice and goes back to where it was made.
func (s *Site) Theme(c *gin.Context) error {
	var form struct {
		Theme string `form:"theme" binding:"oneof=system light dark contrast"`
		Next  string `form:"next"`
	}
	if err := BindOrRefuse(c, &form); err != nil {
		return err
	}
	s.SetCookie(c, themeCookie, form.Theme, themeFor)
	return s.Redirect(c, LocalPath(form.Next))
}

// LocalPath is next when it is a path of this site, otherwise the start page.
// A browser takes "//host" and "/\host" for another site and drops tabs and
// line ends before it looks.
func LocalPath(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\t\r\n") {
		return OverviewPath
	}
	return next
}
