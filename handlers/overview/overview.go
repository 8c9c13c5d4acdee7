// Package overview is the page on which a login leads: how all webhooks fare
// together, and which of them need attention. It also has the search of the
// frame, which opens one thing of any area.
package overview

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/charts"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/sources"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// Pages are the overview and the search.
type Pages struct{ *web.Site }

type overviewPage struct {
	web.Page
	Spans    []figures
	Charts   []charts.Chart
	Troubled []trouble
	More     int64 // webhooks that need attention as well
	Work     models.Workload
	States   []state
	Sources  []source
	Late     *time.Time // since when an event is due that is not dispatched; nil: none is for long
	Now      time.Time
	System   bool // the reader may see the System page
}

// figures are those of a span of time, which begins with an hour. Each has the
// address of the list behind it, from that hour on.
type figures struct {
	Title, ID                            string
	Since                                time.Time
	Events, Delivered, Failed            int64
	Mean, Slowest                        string // response times; empty: nothing was sent
	EventsPath, DeliveredPath, TriedPath string
	FailedPath                           string
	ByWebhook                            string // the webhooks that failed most; empty: not of this time
}

// trouble is a webhook that needs attention.
type trouble struct {
	models.WebhookRow
	Badge     web.Badge
	Note, Why string
	Team      string
}

// state is how many webhooks are in a state, and the list of them.
type state struct {
	Name, Path string
	N          int64
}

// source is where events come from, and how it fares.
type source struct {
	models.SourceUse
	Kind  string // in words
	Path  string
	Badge web.Badge
}

// troubledShown is how many webhooks that need attention are named.
const troubledShown = 10

// Show shows how all webhooks fare. It asks three questions, none of which reads
// the history itself.
func (s *Pages) Show(c *gin.Context) error {
	ctx := c.Request.Context()
	at, err := s.Store.Snapshot(ctx)
	if err != nil {
		return err
	}
	within := s.Within(c)
	p := &overviewPage{Page: web.Page{Title: "Overview", Nav: "overview", At: &at}, Late: at.Late(), Now: at.Now, System: within.All()}
	if p.Work, err = s.Store.Workload(ctx, within, at, charts.DaySince(at.Now), charts.WeekSince(at.Now)); err != nil {
		return err
	}
	if err = s.hours(ctx, p, within); err != nil {
		return err
	}
	troubled, all, err := s.Store.Webhooks.Troubled(ctx, within, at, troubledShown)
	if err != nil {
		return err
	}
	for _, row := range troubled {
		t := trouble{WebhookRow: row, Team: web.OrNone(row.LocationName, models.NameOf(row.Location))}
		t.Badge, t.Note, t.Why = webhooks.Trouble(row, at)
		p.Troubled = append(p.Troubled, t)
	}
	p.More = all - int64(len(troubled))
	p.fillStates()
	return s.RenderFragment(c, http.StatusOK, "overview", p, "overview-now")
}

// hours fills in the figures and the charts.
func (s *Pages) hours(ctx context.Context, p *overviewPage, within models.LocationSet) error {
	hours, err := s.Store.SiteHours(ctx, within, charts.WeekSince(p.Now), p.Now)
	if err != nil {
		return err
	}
	p.Spans = []figures{
		newFigures("Last 24 hours", "24h", hours, charts.DaySince(p.Now), p.Work.UndispatchedDay),
		newFigures("Last 7 days", "7d", hours, charts.WeekSince(p.Now), p.Work.UndispatchedWeek),
	}
	delivered := make([]models.WebhookHour, len(hours))
	for i, h := range hours {
		delivered[i] = h.WebhookHour
	}
	p.Spans[1].ByWebhook = web.WebhooksPath + "?sort=failed&dir=desc"
	p.Charts = []charts.Chart{charts.Day(delivered, nil, p.Now), charts.Week(delivered, p.Now)}
	return nil
}

// newFigures adds up the hours of a span. Events of the span that wait for
// dispatch are in no hour yet.
func newFigures(title, id string, hours []models.SiteHour, since time.Time, waiting int64) figures {
	from := "from=" + url.QueryEscape(since.UTC().Format("2006-01-02T15:04"))
	f := figures{
		Title: title, ID: id, Since: since, Events: waiting,
		EventsPath: web.TriggersPath + "?" + from, DeliveredPath: "/admin/deliveries?state=delivered&" + from,
		FailedPath: "/admin/deliveries?state=tried&" + from, TriedPath: "/admin/deliveries?" + from,
	}
	var sum, slowest int64
	for _, h := range hours {
		if h.Hour.Before(since) {
			continue
		}
		f.Events, f.Delivered, f.Failed = f.Events+h.Events, f.Delivered+h.Delivered, f.Failed+h.Failed
		sum, slowest = sum+h.MSSum, max(slowest, h.MSMax)
	}
	if attempts := f.Delivered + f.Failed; attempts > 0 {
		f.Mean, f.Slowest = deliveries.TookAbout(int(sum/attempts)), deliveries.TookAbout(int(slowest))
	}
	return f
}

func (p *overviewPage) fillStates() {
	w := p.Work
	p.States = []state{
		{"Broken", web.WebhooksPath + "?state=broken", w.Broken},
		{"Failing", web.WebhooksPath + "?state=failing", w.Failing},
		{"Paused", web.WebhooksPath + "?state=stopped", w.Stopped},
	}
	for _, u := range w.Sources {
		p.Sources = append(p.Sources, newSource(u, p.Now))
	}
}

func newSource(u models.SourceUse, now time.Time) source {
	s := source{SourceUse: u, Kind: "API token", Path: "/admin/tokens", Badge: sources.State(u.Row(), now)}
	if u.Kind != "" {
		s.Kind, s.Path = sources.KindLabel(u.Kind), sources.Path(u.Name)
	}
	return s
}

// Capped is a count that stops at models.DepthMax.
func (*overviewPage) Capped(n int64) string {
	if n >= models.DepthMax {
		return wording.Count(models.DepthMax) + " or more"
	}
	return wording.Count(n)
}

// Overdue is how long the oldest due delivery has been waiting.
func (p *overviewPage) Overdue() string {
	if p.Work.OldestDue == nil || p.Now.Sub(*p.Work.OldestDue) < time.Second {
		return "none"
	}
	return wording.PauseWords(p.Now.Sub(*p.Work.OldestDue))
}

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any {
	return map[string]any{"overview": &overviewPage{}, "search": &searchPage{}}
}
