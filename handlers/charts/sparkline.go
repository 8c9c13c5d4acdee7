package charts

import (
	"math"
	"strconv"
	"time"

	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// The picture of a webhook's last day: 24 bars in a box of 240 by 100, each 8
// wide, stretched by CSS. Deliveries stand at the base, failures above them; an
// hour without anything is a thin line. A list has many of these pictures, so
// that bars of a colour are one path of thick lines.
const (
	sparkHours = 24
	sparkStep  = 10
	sparkHigh  = 100
	sparkTop   = 98 // of the highest bar
	sparkBase  = 4
	sparkRoom  = sparkHours * len("M235 100V100")
)

// Sparkline is drawn by the template, later fields over earlier ones.
type Sparkline struct {
	Held  []Bar
	None  string // hours without anything, as an SVG path
	All   string // hours in which something failed, as high as all attempts
	Good  string // delivered attempts
	Label string // the same in words
}

// sparkBar is a bar of a larger chart.
type sparkBar struct {
	Class string
	X     int
	Y, H  string
}

// DaySince is the beginning of the first of the hours shown.
func DaySince(now time.Time) time.Time {
	return now.UTC().Truncate(time.Hour).Add(-(sparkHours - 1) * time.Hour)
}

// NewSparkline draws the last 24 hours of a webhook that holds so many deliveries
// now, and could not send in the spans.
func NewSparkline(hours []models.Tally, spans []Span, held int64, now time.Time) Sparkline {
	since := DaySince(now)
	var delivered, failed [sparkHours]int64
	var good, bad, most int64
	for _, h := range hours {
		i := int(h.Hour.Sub(since) / time.Hour)
		if h.Hour.Before(since) || i < 0 || i >= sparkHours {
			continue
		}
		delivered[i] += h.Delivered
		failed[i] += h.Failed
		good, bad, most = good+h.Delivered, bad+h.Failed, max(most, delivered[i]+failed[i])
	}
	var buffer [3][sparkRoom]byte
	none, all, well := sparkPath(buffer[0][:0]), sparkPath(buffer[1][:0]), sparkPath(buffer[2][:0])
	for i := range sparkHours {
		if delivered[i]+failed[i] == 0 {
			none.bar(i, sparkBase)
		}
		if failed[i] > 0 {
			all.bar(i, tall(delivered[i]+failed[i], most))
		}
		if delivered[i] > 0 {
			well.bar(i, tall(delivered[i], most))
		}
	}
	return Sparkline{
		Held: heldBars(spans, since, time.Hour, sparkHours), None: string(none), All: string(all), Good: string(well),
		Label: sparkLabel(good, bad, held, Within(spans, since, now)),
	}
}

func sparkLabel(good, bad, held int64, spans []Span) string {
	label := "Last 24 hours: nothing sent"
	if good+bad > 0 {
		label = "Last 24 hours: " + wording.Count(good) + " delivered, " + wording.Count(bad) + " failed"
	}
	if long := heldWords(spans); long != "" {
		label += ", held for " + long
	}
	if held > 0 {
		label += ", " + wording.Count(held) + " waiting"
	}
	return label
}

// sparkPath is an SVG path of bars that stand at the base.
type sparkPath []byte

func (p *sparkPath) bar(i int, high float64) {
	b := strconv.AppendInt(append(*p, 'M'), int64(i*sparkStep+sparkStep/2), 10)
	b = strconv.AppendInt(append(b, " 100V"...), sparkHigh-max(1, int64(math.Round(high))), 10)
	*p = b
}

func tall(n, most int64) float64 { return sparkTop * float64(n) / float64(most) }

func newSparkBar(class string, x int, above, high float64) sparkBar {
	return sparkBar{Class: class, X: x, Y: tenth(sparkHigh - above - high), H: tenth(high)}
}

func tenth(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
