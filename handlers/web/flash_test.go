package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
)

// flashed is the cookie of an answer that leaves flash messages.
func flashed(t *testing.T, c *webtest.Console, flash ...web.Flash) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	answer, _ := gin.CreateTestContext(w)
	answer.Request = httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
	webtest.OK(t, c.Site.Redirect(answer, "/login", flash...))
	answer.Writer.WriteHeaderNow()
	for _, cookie := range w.Result().Cookies() {
		if cookie.Name == web.FlashCookie {
			return cookie
		}
	}
	t.Fatal("there is no flash")
	return nil
}

// TestFlashIsShownOnce: a message is shown once, also without a session, and
// only on the page after a change.
func TestFlashIsShownOnce(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		c := webtest.NewConsole(t, func(d *handlers.Deps) { d.BaseURL = &url.URL{Scheme: scheme, Host: "console.example.com"} })
		c.Cookie = ""
		cookie := flashed(t, c,
			web.Flash{Kind: "success", Text: "Saved " + webtest.Nasty + "."},
			web.Flash{Kind: "warning", Text: strings.Repeat("é", web.FlashLimit), Link: "/admin/webhooks/9223372036854775807/edit", Do: "Edit the webhook"})
		if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.MaxAge != 300 || cookie.Secure != (scheme == "https") {
			t.Errorf("the cookie is %v", cookie)
		}
		c.Extra = []*http.Cookie{cookie}
		before := c.Stored()
		a := c.Get("/login").Want(http.StatusOK)
		webtest.NoMarkup(t, a)
		said := a.Find("main div > .s-notice")
		if said.Length() != 2 || strings.TrimSpace(said.First().Text()) != "Saved "+webtest.Nasty+"." || !strings.Contains(said.Last().Text(), "éé… Edit the webhook") {
			t.Errorf("the page says %.300q", said.Text())
		}
		if gone := a.Header.Get("Set-Cookie"); !strings.HasPrefix(gone, "flash=;") || !strings.Contains(gone, "Max-Age=0") || c.Stored() != before {
			t.Errorf("the cookie stays: %q", gone)
		}
		for _, forged := range []string{"x", cookie.Value[:len(cookie.Value)-2], cookie.Value + "A"} {
			c.Extra = []*http.Cookie{{Name: web.FlashCookie, Value: forged}}
			if n := c.Get("/login").Want(http.StatusOK).Find("main div > .s-notice").Length(); n != 0 {
				t.Errorf("the forged %.20q is shown", forged)
			}
		}
	}
}

// TestLongFlashesFitIntoACookie: browsers drop a cookie of more than 4096 bytes.
func TestLongFlashesFitIntoACookie(t *testing.T) {
	c := webtest.NewConsole(t)
	long := web.Flash{Kind: "success", Text: strings.Repeat("<", 2*web.FlashLimit)}
	if n := len(flashed(t, c, long, long).Value); n > 4000 {
		t.Errorf("two long sentences make %d bytes", n)
	}
}
