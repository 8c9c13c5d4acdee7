package handlers

import (
	"fmt"
	"strconv"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// The picture of a webhook's last day: 24 bars in a box of 240 by 100, each
// 8 wide, stretched by CSS. What was delivered stands at the base, what failed
// above it; an hour without anything is a thin line.
const (
	sparkHours = 24
	sparkStep  = 10
	sparkHigh  = 100
	sparkTop   = 98 // of the highest bar
	sparkBase  = 4
)

// sparkline is drawn by the template; its numbers are those of SVG.
type sparkline struct {
	Held  []heldBar // behind the bars
	Bars  []sparkBar
	Label string // the same in words
}

type sparkBar struct {
	Class string
	X     int
	Y, H  string
}

// sparkSince is the beginning of the first of the hours shown.
func sparkSince(now time.Time) time.Time {
	return now.UTC().Truncate(time.Hour).Add(-(sparkHours - 1) * time.Hour)
}

func newSparkline(hours []models.WebhookHour, spans []heldSpan, held int64, now time.Time) sparkline {
	since := sparkSince(now)
	var delivered, failed [sparkHours]int64
	var all, bad, most int64
	for _, h := range hours {
		i := int(h.Hour.Sub(since) / time.Hour)
		if h.Hour.Before(since) || i < 0 || i >= sparkHours {
			continue
		}
		delivered[i] += h.Delivered
		failed[i] += h.Failed
		all, bad, most = all+h.Delivered, bad+h.Failed, max(most, delivered[i]+failed[i])
	}
	line := sparkline{Held: heldBars(spans, since, time.Hour, sparkHours)}
	for i := range sparkHours {
		x := i*sparkStep + 1
		if delivered[i]+failed[i] == 0 {
			line.Bars = append(line.Bars, newSparkBar("c-base", x, 0, sparkBase))
			continue
		}
		good := tall(delivered[i], most)
		if delivered[i] > 0 {
			line.Bars = append(line.Bars, newSparkBar("c-ok", x, 0, good))
		}
		if failed[i] > 0 {
			line.Bars = append(line.Bars, newSparkBar("c-bad", x, good, tall(failed[i], most)))
		}
	}
	line.Label = "Last 24 hours: nothing sent"
	if all+bad > 0 {
		line.Label = fmt.Sprintf("Last 24 hours: %s delivered, %s failed", count(all), count(bad))
	}
	if long := heldWords(within(spans, since, now)); long != "" {
		line.Label += ", held for " + long
	}
	if held > 0 {
		line.Label += ", " + count(held) + " waiting"
	}
	return line
}

func tall(n, most int64) float64 { return sparkTop * float64(n) / float64(most) }

func newSparkBar(class string, x int, above, high float64) sparkBar {
	return sparkBar{Class: class, X: x, Y: tenth(sparkHigh - above - high), H: tenth(high)}
}

func tenth(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
