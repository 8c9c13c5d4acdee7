package models

// The shares of an instance's places. Lanes compete for places only within
// their share, so that receivers that hang, refuse or were never tried do not
// delay those that deliver.
const (
	ShareFast    = "fast"    // the newest attempt succeeded quickly
	ShareNew     = "new"     // nothing was sent yet
	ShareSlow    = "slow"    // the newest attempt took long
	ShareFailing = "failing" // the newest attempt failed quickly
	SharePaced   = "paced"   // what was released together waits for its pace
)

// LaneRef names a lane that has something due, and the share that it works in.
type LaneRef struct {
	WebhookID int64
	Share     string
	URLShown  string // of its webhook
	Paced     bool   // deliveries that were released together wait in it
}

// laneShare is Lane.share in SQL.
const laneShare = "case when l.slow then '" + ShareSlow + "' when l.failures_in_row > 0 then '" + ShareFailing +
	"' when l.paced then '" + SharePaced + "' when l.last_at is null then '" + ShareNew + "' else '" + ShareFast + "' end"

func (l Lane) share() string {
	switch {
	case l.Slow:
		return ShareSlow
	case l.FailuresInRow > 0:
		return ShareFailing
	case l.Paced:
		return SharePaced
	case l.LastAt == nil:
		return ShareNew
	}
	return ShareFast
}
