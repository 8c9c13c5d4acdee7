package overview

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// searchPage lists the hits of the search box when there is not exactly one.
type searchPage struct {
	web.Page
	Query      string
	Found      models.Found
	Events     []event
	Deliveries []deliveries.Line
	Titles     string // address of the events with these words in their title
	Typed      string // address of the events of the type that the text names; empty: it names none
	Types      string // that type as lists show it
}

// event is a hit, with the name of its location.
type event struct {
	web.EventRef
	Location string
}

// searchedMost is how many hits of a kind are listed.
const searchedMost = 20

// Search opens what somebody has in hand: an event's or a delivery's ID, a link
// to a question, or the name of a webhook. Several hits are listed.
func (s *Pages) Search(c *gin.Context) error {
	ctx := c.Request.Context()
	p := &searchPage{Page: web.Page{Title: "Search"}, Query: wording.Cut(web.Storable(c.Query("q")), 300)}
	if p.Query == "" {
		return s.Render(c, http.StatusOK, "search", p)
	}
	var err error
	if p.Found, err = s.Store.Find(ctx, s.Within(c), p.Query, searchedMost); err != nil {
		return err
	}
	if p.Found.Hits() == 1 {
		return s.Redirect(c, onlyHit(p.Found))
	}
	now, err := s.Store.Now(ctx)
	if err != nil {
		return err
	}
	for _, d := range p.Found.Deliveries {
		p.Deliveries = append(p.Deliveries, deliveries.NewLine(d, now))
	}
	slugs := make([]string, len(p.Found.Events))
	for i, e := range p.Found.Events {
		slugs[i] = e.Location
	}
	names, err := s.LocationNames(c, slugs...)
	if err != nil {
		return err
	}
	for _, e := range p.Found.Events {
		p.Events = append(p.Events, event{web.NewEventRef(e), names.Of(e.Location)})
	}
	p.Title = "Search for “" + wording.Cut(p.Query, 60) + "”"
	p.Titles = web.TriggersPath + "?" + url.Values{"q": {p.Query}}.Encode()
	if p.Types = web.EventTypeIn(p.Query); p.Types != "" {
		p.Typed = web.TriggersPath + "?" + url.Values{"type": {p.Query}}.Encode()
	}
	return s.Render(c, http.StatusOK, "search", p)
}

// onlyHit is the address of the only thing that was found.
func onlyHit(f models.Found) string {
	switch {
	case len(f.Events) > 0:
		return web.TriggerPath(f.Events[0].ID)
	case len(f.Deliveries) > 0:
		return deliveries.Path(f.Deliveries[0].PublicID)
	default:
		return webhooks.WebhookPath(f.Webhooks[0].ID)
	}
}
