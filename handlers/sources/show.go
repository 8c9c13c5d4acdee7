package sources

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/charts"
	"github.com/sitehooks/sitehooks/handlers/fields"
	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

type sourcePage struct {
	web.Page
	Row      models.SourceRow
	Kind     string
	Place    string // the location in words
	State    web.Badge
	Address  string // to enter at the sender; empty: a follower has none
	Fresh    string // the whole address with its token, shown once
	Reveal   string // path of the question before a sealed address is shown; empty: it has none
	Secrets  []secretLine
	Events   int64 // in 24 hours
	Spark    charts.Sparkline
	Behind   string // how far a follower is
	Requests []requestLine
}

// secretLine is a secret that is set.
type secretLine struct {
	Label, Reveal string
	SetAt         *time.Time
}

// requestLine is one request in the list.
type requestLine struct {
	models.SourceRequest
	Path   string
	Badge  web.Badge
	Result string // what became of it, in words
}

// row is the source that the address names. One of a location that the member
// may not see is not there.
func (s *Pages) row(c *gin.Context) (models.SourceRow, error) {
	row, err := s.Store.Sources.Row(c.Request.Context(), c.Param("name"))
	if err == nil && !s.Within(c).Has(row.Location) {
		err = models.ErrNotFound
	}
	return row, err
}

// Show is the page of one source.
func (s *Pages) Show(c *gin.Context) error {
	ctx := c.Request.Context()
	row, err := s.row(c)
	if err != nil {
		return err
	}
	at, err := s.Store.Snapshot(ctx)
	if err != nil {
		return err
	}
	places, err := s.LocationNames(c, row.Location)
	if err != nil {
		return err
	}
	hours, err := s.Store.Sources.Hours(ctx, []string{row.Name}, charts.DaySince(at.Now))
	if err != nil {
		return err
	}
	requests, err := s.Store.Sources.Requests(ctx, row.Name)
	if err != nil {
		return err
	}
	p := &sourcePage{
		Page: web.Page{Title: row.Name, Nav: nav, At: &at}, Row: row, Kind: KindLabel(row.Kind), Place: places.Of(row.Location),
		State: State(row, at.Now), Secrets: secretLines(row.Source),
	}
	if row.State.Error != "" {
		p.State = web.Badge{Class: "st-bad", Text: "Failing"} // the notice has the reason
	}
	if row.Cursor != nil {
		p.Behind = web.Span(row.Cursor.Behind(at.Now))
	}
	if !row.Follows() {
		p.address(s.BaseURL.String())
		fresh, err := s.TakeOnce(c, web.OnceAddress)
		if err != nil {
			return err
		}
		if strings.HasPrefix(fresh, s.fullAddress(row.Name, "")) { // and not that of another source
			p.Fresh = fresh
		}
	}
	p.Spark, p.Events = spark(hours[row.Name], at.Now)
	for _, r := range requests {
		p.Requests = append(p.Requests, lineOf(r))
	}
	return s.Render(c, http.StatusOK, "source", p)
}

// address says where the sender posts to. A token in it is shown by Reveal.
func (p *sourcePage) address(base string) {
	p.Address = base + "/in/" + p.Row.Name
	if p.Row.Address != "" && !p.Row.Signed() {
		p.Address += "/…"
	}
	if p.Row.Address != "" {
		p.Reveal = reveal.Path(Path(p.Row.Name), revealAddress)
	}
}

func secretLines(src models.Source) []secretLine {
	var list []secretLine
	for i, saved := range savedSecrets(src) {
		if saved.Set {
			n := strconv.Itoa(i + 1)
			list = append(list, secretLine{"Signing secret " + n, reveal.Path(Path(src.Name), n), saved.SetAt})
		}
	}
	return list
}

func savedSecrets(src models.Source) [2]fields.Saved {
	return [2]fields.Saved{{Set: src.Secret1 != "", SetAt: src.Secret1SetAt}, {Set: src.Secret2 != "", SetAt: src.Secret2SetAt}}
}

func lineOf(r models.SourceRequest) requestLine {
	line := requestLine{
		SourceRequest: r, Path: Path(r.Source) + "/requests/" + web.FormatID(r.ID),
		Badge: map[string]web.Badge{
			models.RequestAccepted: {Class: "st-ok", Text: "Accepted"},
			models.RequestIgnored:  {Class: "st-none", Text: "Ignored"},
			models.RequestRefused:  {Class: "st-bad", Text: "Refused"},
			models.RequestWaiting:  {Class: "st-wait", Text: "Waiting for a look-up"},
		}[r.State], Result: r.Reason,
	}
	if r.State == models.RequestAccepted {
		line.Result = web.Plural(r.Accepted, "event", "events")
		if r.Duplicates > 0 {
			line.Result += ", " + web.Plural(r.Duplicates, "duplicate", "duplicates")
		}
		if r.Reason != "" {
			line.Result += ". " + r.Reason
		}
	}
	return line
}

// Delete asks before a source is deleted.
func (s *Pages) Delete(c *gin.Context) error {
	row, err := s.row(c)
	if err != nil {
		return err
	}
	lines := []string{"Requests to its address are refused from then on, and its requests and settings are removed. The events that it reported stay."}
	if row.Follows() {
		lines = []string{"Its place is removed. A follower that still runs registers it again and starts from the beginning. The events that it reported stay."}
	}
	return s.Confirm(c, &web.ConfirmPage{
		Page:  web.Page{Title: "Delete “" + row.Name + "”?", Nav: nav},
		Crumb: "Sources", CrumbPath: sourcesPath, Action: Path(row.Name) + "/delete", Button: "OK", Danger: true, Back: Path(row.Name), Lines: lines,
	})
}

// DeletePost deletes a source.
func (s *Pages) DeletePost(c *gin.Context) error {
	row, err := s.row(c)
	if err != nil {
		return err
	}
	if err := s.Store.Sources.Delete(c.Request.Context(), web.ActorOf(c), row.Name); err != nil {
		return err
	}
	return s.Redirect(c, sourcesPath, web.Flash{Kind: "success", Text: "Deleted " + row.Name + "."})
}

// hoursWords says how often an event is expected; empty: it is not.
func hoursWords(n int64) string {
	if n == 0 {
		return ""
	}
	if n == 1 {
		return "every hour"
	}
	return "every " + wording.Count(n) + " hours"
}

// Expected says how often an event is expected; empty: it is not.
func (p *sourcePage) Expected() string { return hoursWords(p.Row.ExpectHours) }
