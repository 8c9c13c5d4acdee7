// Package sources has the pages about where events come from: other systems
// whose webhooks are received, followers, and the tokens of the ingest API.
package sources

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api/inbound"
	"github.com/sitehooks/sitehooks/handlers/charts"
	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/send"
	"github.com/sitehooks/sitehooks/jobs/wire/read"
	"github.com/sitehooks/sitehooks/models"
)

const (
	sourcesPath = "/admin/sources"
	nav         = "sources"
)

// Pages are the pages about sources.
type Pages struct {
	*web.Site
	Sender  *send.Client
	Inbound *inbound.API  // reads requests again; nil: it cannot be done here
	Secrets *reveal.Pages // show saved ones
	// Program describes the fault of a jq program; nil: programs cannot be run.
	Program func(ctx context.Context, program string) error
	// IngestToken says that SITEHOOKS_INGEST_TOKEN is set.
	IngestToken bool
}

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any {
	return map[string]any{
		"source":         &sourcePage{},
		"source_form":    &formPage{},
		"source_guide":   &guidePage{},
		"source_kinds":   &kindsPage{},
		"source_request": &requestPage{},
		"sources":        &listPage{},
	}
}

// Path is the page of a source.
func Path(name string) string { return sourcesPath + "/" + name }

type listPage struct {
	web.Page
	Rows []row
}

// row is a source or a token in the list.
type row struct {
	Name, Path  string
	Kind        string
	Location    string
	State       web.Badge
	LastEventAt *time.Time
	Events      int64 // in 24 hours
	Spark       charts.Sparkline
	Source      bool // it has pages of its own
	Follows     bool
}

// List shows all sources and ingest tokens.
func (s *Pages) List(c *gin.Context) error {
	ctx := c.Request.Context()
	at, err := s.Store.Snapshot(ctx)
	if err != nil {
		return err
	}
	rows, err := s.Store.Sources.List(ctx, s.Within(c))
	if err != nil {
		return err
	}
	tokens, err := s.tokens(c)
	if err != nil {
		return err
	}
	p := &listPage{Page: web.Page{Title: "Sources", Nav: nav, At: &at}}
	names, slugs := make([]string, 0, len(rows)+len(tokens)), make([]string, 0, len(rows)+len(tokens))
	for _, one := range rows {
		names, slugs = append(names, one.Name), append(slugs, one.Location)
		p.Rows = append(p.Rows, row{
			Name: one.Name, Path: Path(one.Name), Kind: KindLabel(one.Kind), Location: one.Location,
			State: State(one, at.Now), LastEventAt: one.State.LastEventAt, Source: true, Follows: one.Follows(),
		})
	}
	for _, tok := range tokens {
		names, slugs = append(names, models.TokenSource(tok.ID)), append(slugs, tok.Location)
		p.Rows = append(p.Rows, row{Name: tok.Name, Path: "/admin/tokens", Kind: "API token", Location: tok.Location})
	}
	if err := s.fillTokens(ctx, p.Rows[len(rows):], names[len(rows):]); err != nil {
		return err
	}
	return s.showList(c, p, names, slugs, at.Now)
}

// tokens are the ingest tokens in force that the reader may see.
func (s *Pages) tokens(c *gin.Context) ([]models.Token, error) {
	within := s.Within(c)
	all, err := s.Store.Tokens.List(c.Request.Context(), within)
	if err != nil {
		return nil, err
	}
	var list []models.Token
	if s.IngestToken && within.All() {
		list = append(list, models.Token{Name: "SITEHOOKS_INGEST_TOKEN"})
	}
	for _, tok := range all {
		if tok.Scope == models.ScopeIngest && tok.RevokedAt == nil {
			list = append(list, tok)
		}
	}
	return list, nil
}

// fillTokens fills in how tokens fare.
func (s *Pages) fillTokens(ctx context.Context, rows []row, names []string) error {
	states, err := s.Store.Sources.States(ctx, names)
	for i := range rows {
		rows[i].LastEventAt = states[names[i]].LastEventAt
		rows[i].State = received(states[names[i]])
	}
	return err
}

func (s *Pages) showList(c *gin.Context, p *listPage, names, slugs []string, now time.Time) error {
	ctx := c.Request.Context()
	places, err := s.LocationNames(c, slugs...)
	if err != nil {
		return err
	}
	hours, err := s.Store.Sources.Hours(ctx, names, charts.DaySince(now))
	if err != nil {
		return err
	}
	for i := range p.Rows {
		one := &p.Rows[i]
		one.Location = places.Place(one.Location)
		one.Spark, one.Events = spark(hours[names[i]], now)
	}
	return s.Render(c, http.StatusOK, "sources", p)
}

// spark draws the events of the last 24 hours, and counts them.
func spark(hours []models.SourceHour, now time.Time) (charts.Sparkline, int64) {
	tallies := make([]models.Tally, len(hours))
	var sum int64
	for i, h := range hours {
		tallies[i] = models.Tally{Hour: h.Hour, Delivered: h.Events}
		sum += h.Events
	}
	line := charts.NewSparkline(tallies, nil, 0, now)
	line.Label = "Last 24 hours: " + wording.Count(sum) + " events"
	return line, sum
}

// KindLabel is a kind in words.
func KindLabel(kind string) string {
	if kind == models.KindFollower {
		return "Follower"
	}
	if r, known := read.ReaderOf(kind); known {
		return r.Label
	}
	return kind
}

// stateMost is how long a reason in a state is, in bytes. The source's page has
// all of it.
const stateMost = 150

// State is the state of a source in words.
func State(row models.SourceRow, now time.Time) web.Badge {
	switch t := row.Trouble(now); {
	case t.Failing != "":
		return web.Badge{Class: "st-bad st-words", Text: "Failing: " + wording.Cut(strings.TrimSuffix(t.Failing, "."), stateMost)}
	case t.Silent:
		return web.Badge{Class: "st-bad", Text: "Silent since " + web.Moment(t.Since, now)}
	case t.Behind > 0:
		return web.Badge{Class: "st-wait", Text: "Behind by " + web.Span(t.Behind)}
	}
	return received(row.State)
}

func received(is models.SourceState) web.Badge {
	switch {
	case is.LastEventAt != nil:
		return web.Badge{Class: "st-ok", Text: "Receiving"}
	case is.LastReadAt != nil: // and ignored
		return web.Badge{Class: "st-none", Text: "No events yet"}
	}
	return web.Badge{Class: "st-none", Text: "Nothing received yet"}
}
