package webhooks

import (
	"net/url"
	"time"

	"github.com/sitehooks/sitehooks/handlers/charts"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// fillWeek adds how many attempts failed in the last 7 days.
func (l *webhookLine) fillWeek(sum models.Tally, since time.Time) {
	l.Week = sum
	l.FailedPath = "/admin/deliveries?state=tried&webhook=" + l.ID + "&from=" + url.QueryEscape(since.Format("2006-01-02T15:04"))
}

// Attempts is how many there were.
func (l *webhookLine) Attempts() int64 { return l.Week.Delivered + l.Week.Failed }

// webhookLine is one row of the list.
type webhookLine struct {
	ID           string
	Name         string
	TypeLabel    string
	Team, Target string
	OwnerID      int64
	OwnerName    string
	CreatedAt    time.Time
	Health       web.Badge
	Note         string // below the health
	Grey, Broken bool
	Why          string   // it broke
	Failing      *failing // nil: it is not
	StateAt      *time.Time
	Held         int64
	Last         string // how the newest attempt ended; empty: never
	LastAt       *time.Time
	Spark        charts.Sparkline
	Week         models.Tally // attempts of the last 7 days, when the list is sorted by failures
	FailedPath   string       // the deliveries of these with a failed attempt
	Edit, Delete string       // addresses, which lead back to the list as it is
}
