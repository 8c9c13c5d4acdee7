package webhooks

import (
	"time"

	"github.com/sitehooks/sitehooks/handlers/charts"
	"github.com/sitehooks/sitehooks/handlers/web"
)

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
	Edit, Delete string // addresses, which lead back to the list as it is
}
