package deliveries

import (
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

const (
	exportPath   = "/admin/deliveries/export"
	exportReload = 2 // seconds between two looks at the progress
	// exportRemembered is how long the end of an export is remembered.
	exportRemembered = 24 * time.Hour
)

// exportProgress is how far an export is.
type exportProgress struct {
	File    string // its name
	Rows    int64  // deliveries that the reader was sent
	Percent int64  // of the time that is exported, from the newest delivery back
	Begun   time.Time
	Ended   time.Time // zero: it goes on
	Whole   bool      // it ended with the last delivery
}

// Running tells that it goes on.
func (p exportProgress) Running() bool { return p.Ended.IsZero() }

// Sentence says how much was sent.
func (p exportProgress) Sentence() string {
	return web.Plural(p.Rows, "delivery written", "deliveries written")
}

// About is how long the rest takes, in words; empty: it cannot be told yet.
func (p exportProgress) About() string {
	if p.Percent == 0 {
		return ""
	}
	return wording.PauseWords(max(time.Second, time.Since(p.Begun)*time.Duration(100-p.Percent)/time.Duration(p.Percent)))
}

// exportBook has the newest export of each member that this instance sent.
type exportBook struct {
	mu     sync.Mutex
	newest map[string]exportProgress // by web.MemberFlow
}

func (b *exportBook) of(member string) (exportProgress, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, known := b.newest[member]
	return p, known
}

func (b *exportBook) note(member string, p exportProgress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for other, old := range b.newest {
		if !old.Running() && time.Since(old.Ended) > exportRemembered {
			delete(b.newest, other)
		}
	}
	b.newest[member] = p
}

type exportPage struct {
	web.Page
	Selection string
	Total     models.Total
	CSV, JSON string // addresses of the files
	Back      string
	Latest    *exportProgress // of the member, on this instance; nil: there is none
	Several   bool            // another instance may be sending one
}

// Export offers the files of all deliveries that match the filter, and shows how
// far the member's newest export is.
func (s *Pages) Export(c *gin.Context) error {
	now, err := s.Store.Now(c.Request.Context())
	if err != nil {
		return err
	}
	values := c.Request.URL.Query()
	q, filter, err := exportQuery(values, now)
	if err != nil {
		return err
	}
	q.Within, q.Limit, q.Count = s.Within(c), 1, true
	found, err := s.Store.Deliveries.Search(c.Request.Context(), q)
	if err != nil {
		return err
	}
	p := &exportPage{
		Page: web.Page{Title: "Export deliveries", Nav: "deliveries"}, Total: found.Total,
		CSV: web.OlderURL("/admin/deliveries.csv", values, 0), JSON: web.OlderURL("/admin/deliveries.json", values, 0),
		Back: web.OlderURL("/admin/deliveries", values, 0),
	}
	if p.Selection, err = s.selection(c, filter, values); err != nil {
		return err
	}
	if latest, known := s.exports.book.of(web.MemberFlow(c)); known {
		if p.Latest = &latest; latest.Running() {
			c.Header("Refresh", strconv.Itoa(exportReload))
		}
	} else {
		alive, err := s.Store.Instances.Alive(c.Request.Context())
		if err != nil {
			return err
		}
		alive = slices.DeleteFunc(alive, func(in models.Instance) bool { return !in.Web() })
		p.Several = len(alive) > 1
	}
	return s.RenderFragment(c, http.StatusOK, "deliveries_export", p, "export-progress")
}

// Of is how many deliveries there are to export, in words.
func (p *exportPage) Of() string {
	switch {
	case p.Total.More:
		return "More than " + wording.Count(p.Total.N) + " deliveries"
	case p.Total.Known:
		return web.Plural(p.Total.N, "delivery", "deliveries")
	}
	return "All deliveries that match" // counting them would mean to look at all rows
}
