// Package charts draws what was sent in the last day and month: the path data
// and the numbers of pictures that templates show, and the same in words. It
// asks no database.
package charts

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// Chart shows a webhook's attempts by time, and how long they took. Its
// numbers are those of SVG boxes 100 high, a step of 10 for each span of time.
type Chart struct {
	ID, Title  string
	Width      int
	Held       []Bar // behind the bars: when it could not send
	Bars       []sparkBar
	Mean, Most string // paths of the response times; a span without attempts is a gap
	HeldFor    string // how long that was in all; empty: never
	Label      string // the bars in words
	Points     string // path of the mean response times of lone spans, whose lines are too short to be seen
	TimeLabel  string // the lines in words; empty: nothing was sent
	Rows       []chartRow
	Lone       *chartRow // the only span with attempts, whose numbers are said below the chart; nil: there are several, or none
	Top, Half  string    // of the bars' scale
	MSTop      string
	MSHalf     string
	First      string // words below the first span
	Last       string // and below the last
	Unit       string // head of the table's first column
}

// chartRow is one span of time.
type chartRow struct {
	At                string
	Held              string // how long it could not send; empty: it could
	Delivered, Failed int64
	MeanMS, MostMS    int64
	sum, attempts     int64
}

// lone is the only span with attempts; nil: there are several, or none.
func (c Chart) lone() *chartRow {
	var lone *chartRow
	for i := range c.Rows {
		switch {
		case !c.Rows[i].Answered():
		case lone != nil:
			return nil
		default:
			lone = &c.Rows[i]
		}
	}
	return lone
}

// Answered tells whether there was an attempt.
func (r chartRow) Answered() bool { return r.attempts > 0 }

const (
	chartDays = 30
	weekDays  = 7
)

// Day is the chart of the last 24 hours.
func Day(hours []models.WebhookHour, held []Span, now time.Time) Chart {
	since := DaySince(now)
	c := Chart{ID: "day", Title: "24 h", Unit: "Hour (UTC)", Last: "now"}
	for i := range sparkHours {
		c.Rows = append(c.Rows, chartRow{At: since.Add(time.Duration(i) * time.Hour).Format("15:04")})
	}
	return c.holding(held, since, time.Hour).filled(hours, since, time.Hour)
}

// Month is the chart of the last 30 days.
func Month(hours []models.WebhookHour, held []Span, now time.Time) Chart {
	return days(Chart{ID: "month", Title: "30 days"}, hours, held, MonthSince(now), chartDays)
}

// Week is the chart of the last 7 days.
func Week(hours []models.WebhookHour, now time.Time) Chart {
	return days(Chart{ID: "week", Title: "7 days"}, hours, nil, daysSince(now, weekDays), weekDays)
}

func days(c Chart, hours []models.WebhookHour, held []Span, since time.Time, n int) Chart {
	c.Unit, c.Last = "Day (UTC)", "today"
	for i := range n {
		c.Rows = append(c.Rows, chartRow{At: since.AddDate(0, 0, i).Format("Jan 2")})
	}
	return c.holding(held, since, 24*time.Hour).filled(hours, since, 24*time.Hour)
}

// MonthSince is the beginning of the first of the days shown.
func MonthSince(now time.Time) time.Time { return daysSince(now, chartDays) }

// WeekSince is the beginning of the first of the hours of a week, which ends
// with the present hour.
func WeekSince(now time.Time) time.Time {
	return now.UTC().Truncate(time.Hour).Add(-(weekDays*24 - 1) * time.Hour)
}

func daysSince(now time.Time, n int) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-n)
}

// holding shows when the webhook could not send.
func (c Chart) holding(spans []Span, since time.Time, span time.Duration) Chart {
	c.Held = heldBars(spans, since, span, len(c.Rows))
	for i := range c.Rows {
		from := since.Add(time.Duration(i) * span)
		c.Rows[i].Held = heldWords(Within(spans, from, from.Add(span)))
	}
	c.HeldFor = heldWords(Within(spans, since, since.Add(time.Duration(len(c.Rows))*span)))
	return c
}

// filled counts the hours into the chart's spans and draws them.
func (c Chart) filled(hours []models.WebhookHour, since time.Time, span time.Duration) Chart {
	var delivered, failed, most, slowest int64
	for _, h := range hours {
		i := int(h.Hour.Sub(since) / span)
		if h.Hour.Before(since) || i < 0 || i >= len(c.Rows) {
			continue
		}
		r := &c.Rows[i]
		r.Delivered, r.Failed = r.Delivered+h.Delivered, r.Failed+h.Failed
		r.sum, r.attempts, r.MostMS = r.sum+h.MSSum, r.Delivered+r.Failed, max(r.MostMS, h.MSMax)
		delivered, failed = delivered+h.Delivered, failed+h.Failed
		most, slowest = max(most, r.attempts), max(slowest, r.MostMS)
	}
	c.Width, c.First = len(c.Rows)*sparkStep, c.Rows[0].At
	top, msTop := roundTop(most), roundTop(slowest)
	c.Top, c.Half, c.MSTop, c.MSHalf = wording.Count(top), wording.Count(top/2), wording.Count(msTop)+" ms", wording.Count(msTop/2)+" ms"
	c.Label = fmt.Sprintf("Attempts, last %s: %s delivered, %s failed", c.Title, wording.Count(delivered), wording.Count(failed))
	if c.HeldFor != "" {
		c.Label += "; held for " + c.HeldFor
	}
	if delivered+failed > 0 {
		c.TimeLabel = fmt.Sprintf("Response time, last %s: at most %s ms", c.Title, wording.Count(slowest))
	}
	var mean, longest strings.Builder
	pen := "M"
	for i := range c.Rows {
		r := &c.Rows[i]
		if !r.Answered() {
			c.Bars, pen = append(c.Bars, newSparkBar("c-base", i*sparkStep+1, 0, 1)), "M"
			continue
		}
		r.MeanMS = r.sum / r.attempts
		good := 100 * float64(r.Delivered) / float64(top)
		c.Bars = append(c.Bars,
			newSparkBar("c-ok", i*sparkStep+1, 0, good),
			newSparkBar("c-bad", i*sparkStep+1, good, 100*float64(r.Failed)/float64(top)))
		fmt.Fprintf(&mean, "%s%d %s", pen, i*sparkStep+5, tenth(100-100*float64(r.MeanMS)/float64(msTop)))
		fmt.Fprintf(&longest, "%s%d %s", pen, i*sparkStep+5, tenth(100-100*float64(r.MostMS)/float64(msTop)))
		if pen == "M" { // a lone span is a short line, not an invisible point
			mean.WriteString("h1")
			longest.WriteString("h1")
		}
		pen = "L"
	}
	c.Mean, c.Most = mean.String(), longest.String()
	c.Points, c.Lone = c.points(msTop), c.lone()
	return c
}

// points marks the mean response times of spans with none beside them.
func (c Chart) points(msTop int64) string {
	answered := func(i int) bool { return i >= 0 && i < len(c.Rows) && c.Rows[i].Answered() }
	var path strings.Builder
	for i, r := range c.Rows {
		if answered(i) && !answered(i-1) && !answered(i+1) {
			fmt.Fprintf(&path, "M%d %sh0", i*sparkStep+5, tenth(100-100*float64(r.MeanMS)/float64(msTop)))
		}
	}
	return path.String()
}

// roundTop is an even number of at most two digits and zeros, not below n, for
// the top of a scale whose half is shown too.
func roundTop(n int64) int64 {
	if n <= 2 {
		return 2
	}
	unit := int64(math.Pow10(max(0, len(strconv.FormatInt(n, 10))-2))) * 2
	return (n + unit - 1) / unit * unit
}
