package web

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/notices"
	"github.com/sitehooks/sitehooks/models"
)

// Page is the data of the layout; every page's struct embeds it. A handler sets
// Title and Nav, render fills in the rest.
type Page struct {
	Title string
	Nav   string // entry of the navigation, by its name in Start, Work and Administration
	User  models.User
	Flash []Flash
	Theme string // system, light, dark or contrast
	Site  string // host of the console, shown beside the name
	Path  string // of this page with its query, to come back to; a handler that answers at another address sets it
	Quiet bool   // asks the database nothing, because it does not answer
	Bare  bool   // no bar and no navigation, for pages without a login

	Version string // of Sitehooks

	Entries   template.HTML    // of the navigation
	Attention *notices.Notices // what needs attention; nil: nothing

	At *models.Snapshot // the state of the installation; nil: render reads it

	fragment string // the part to render; empty: the whole page
	rendered func() // called before the first byte is written
}

func (p *Page) base() *Page { return p }

// Unfiltered is the address of the page without its filters.
func (p *Page) Unfiltered() string {
	path, _, _ := strings.Cut(p.Path, "?")
	return path
}

// Entry is one link of the navigation.
type Entry struct {
	Nav, Href, Icon, Text string
	Current               bool
}

func (p *Page) entry(nav, href, icon, text string) Entry {
	return Entry{nav, href, icon, text, p.Nav == nav}
}

// Start is the first entry.
func (p *Page) Start() Entry { return p.entry("overview", OverviewPath, "Home", "Overview") }

// Work are the entries of every day.
func (p *Page) Work() []Entry {
	return []Entry{
		p.entry("webhooks", "/admin/webhooks", "ServiceWebhooks", "Webhooks"),
		p.entry("deliveries", "/admin/deliveries", "Inbox", "Deliveries"),
		p.entry("triggers", "/admin/trigger-history", "Clock", "Trigger history"),
		p.entry("sources", "/admin/sources", "ArrowRight", "Sources"),
	}
}

// Administration are the entries below that heading.
func (p *Page) Administration() []Entry {
	entries := []Entry{
		p.entry("locations", "/admin/locations", "Location", "Locations"),
		p.entry("members", "/admin/members", "Person", "Members"),
		p.entry("tokens", "/admin/tokens", "Key", "API tokens"),
		p.entry("api", "/developer/api", "Code", "API reference"),
		p.entry("audit", "/admin/audit", "Receipt", "Audit log"),
		p.entry("settings", "/developer/site-settings", "Settings", "Site settings"),
		p.entry("system", "/admin/system", "ModDashboard", "System"),
	}
	if p.User.Limited {
		entries = slices.DeleteFunc(entries, func(e Entry) bool { return e.Nav == "members" || e.Nav == "system" })
	}
	return entries
}

// entriesKey is the entry that is current, and whether the reader is limited to
// some locations.
type entriesKey struct {
	nav     string
	limited bool
}

// renderEntries renders the navigation ahead: every page has it twice.
func (s *Site) renderEntries() (map[entriesKey]template.HTML, error) {
	rendered := map[entriesKey]template.HTML{}
	none := &Page{}
	for _, e := range slices.Concat([]Entry{{}, none.Start()}, none.Work(), none.Administration()) {
		for _, limited := range []bool{false, true} {
			var buf bytes.Buffer
			p := &Page{Nav: e.Nav, User: models.User{Limited: limited}}
			if err := s.Templates.RenderFragment(&buf, "error", "entries", p); err != nil {
				return nil, err
			}
			rendered[entriesKey{e.Nav, limited}] = template.HTML(buf.String()) //nolint:gosec // rendered by a template
		}
	}
	return rendered, nil
}

// pager is a pointer to a page's struct.
type pager interface{ base() *Page }

// Admin tells whether the reader may change things and see secrets and bodies.
func (p *Page) Admin() bool { return p.User.Role == models.RoleAdministrator }

// LimitedReader tells whether the reader sees only some locations, so that sentences do
// not speak of all of them.
func (p *Page) LimitedReader() bool { return p.User.Limited }

// AdminOfAll tells whether the reader may change what concerns all locations.
func (p *Page) AdminOfAll() bool { return p.Admin() && !p.User.Limited }

// RoleShown is the reader's role, unless the name says it already.
func (p *Page) RoleShown() string {
	if strings.EqualFold(p.User.Name, p.User.Role) {
		return ""
	}
	return p.User.Role
}

// FragmentHeader is the header in which our scripts name the part of a page that
// they ask for. A redirect then comes as the header RedirectHeader, so that the script
// goes there and not the request.
const (
	FragmentHeader = "X-Fragment"
	RedirectHeader = "X-Redirect"
)

// RenderFragment writes a part of a page when a script asked for one of those
// offered, otherwise the page. A part always comes with 200, even if the form
// has faults: browsers report other statuses to a script as faults of the page.
func (s *Site) RenderFragment(c *gin.Context, status int, name string, data pager, offered ...string) error {
	fragment := c.GetHeader(FragmentHeader)
	if !slices.Contains(offered, fragment) {
		return s.Render(c, status, name, data)
	}
	p := data.base()
	p.User, _ = UserOf(c)
	p.fragment = fragment
	return s.html(c, http.StatusOK, name, data)
}

// Render writes a page: data is a pointer to a struct that embeds page. Nothing
// is written when it fails.
func (s *Site) Render(c *gin.Context, status int, name string, data pager) error {
	p := data.base()
	user, member := UserOf(c)
	p.User, p.Bare = user, !member
	p.Theme = themeOf(c.Request)
	p.Site, p.Version = s.BaseURL.Host, s.Version
	if p.Path == "" {
		p.Path = c.Request.URL.RequestURI()
	}
	p.Flash = s.takeFlash(c)
	if member {
		p.Entries = s.entries[entriesKey{p.Nav, user.Limited}]
		p.Attention = s.attention(c, p)
	}
	return s.html(c, status, name, data)
}

// Redirect answers 303 with an optional sentence for the next page.
func (s *Site) Redirect(c *gin.Context, to string, flash ...Flash) error {
	if len(flash) > 0 {
		s.keepFlash(c, flash)
	}
	if c.GetHeader(FragmentHeader) != "" {
		c.Header(RedirectHeader, to)
		c.Status(http.StatusNoContent)
		return nil
	}
	c.Redirect(http.StatusSeeOther, to)
	return nil
}

// SetCookie sets a cookie for the whole site; a negative age removes it.
func (s *Site) SetCookie(c *gin.Context, name, value string, age time.Duration) {
	maxAge := int(age.Seconds())
	if age < 0 {
		maxAge = -1
	}
	http.SetCookie(c.Writer, &http.Cookie{ //nolint:gosec // Secure exactly when the console is reached over https
		Name: name, Value: value, Path: "/", MaxAge: maxAge, HttpOnly: true,
		Secure: s.BaseURL.Scheme == "https", SameSite: http.SameSiteLaxMode,
	})
}
