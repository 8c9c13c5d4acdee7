package bench

import (
	"fmt"
	"io"
	"strings"
)

// Of the chart, in pixels.
const (
	chartWidth = 760
	chartLabel = 300 // room for the names
	chartBar   = chartWidth - chartLabel - 150
	chartRow   = 22
)

// chartStyle is legible on light and on dark pages.
const chartStyle = `<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.one { fill: #2f6fde; } .two { fill: #b8791a; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .one { fill: #6ea0f7; } .two { fill: #d9a04a; } }
</style>
`

// bar is one row of a chart.
type bar struct {
	name, class, value string
	share              float64 // of the longest
}

// writeChart draws the delivered events and their latency.
func (r report) writeChart(w io.Writer) {
	var rows strings.Builder
	y := chart(&rows, 0, "Events delivered a second, and as a share of the raw loop", r.delivered())
	y = chart(&rows, y+16, "Milliseconds from sending to arrival at 200 events a second, median and 99 of 100", r.latencies())
	fmt.Fprintf(w, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Delivered events and latency\">\n%s%s</svg>\n",
		chartWidth, y+8, chartStyle, rows.String())
}

// chart draws bars below y and returns where they end.
func chart(w io.Writer, y int, title string, bars []bar) int {
	y += chartRow
	fmt.Fprintf(w, "<text class=\"title\" x=\"0\" y=\"%d\">%s</text>\n", y, title)
	for _, b := range bars {
		length := max(2, int(b.share*chartBar))
		fmt.Fprintf(w, "<text x=\"0\" y=\"%d\">%s</text><rect class=%q x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"2\"/><text x=\"%d\" y=\"%d\">%s</text>\n",
			y+chartRow, b.name, b.class, chartLabel, y+chartRow-12, length, chartRow-8, chartLabel+length+8, y+chartRow, b.value)
		y += chartRow
	}
	return y
}

func (r report) delivered() (bars []bar) {
	most := 0.0
	for _, c := range r.Cases {
		if strings.HasPrefix(c.Name, "main/") {
			most = max(most, c.Figures["delivered/s"])
		}
	}
	for _, c := range r.Cases {
		rate := c.Figures["delivered/s"]
		if strings.HasPrefix(c.Name, "main/") && rate > 0 {
			bars = append(bars, bar{c.label(), "one", fmt.Sprintf("%s/s, %s", readable(rate), readable(c.Figures["of raw"])), rate / most})
		}
	}
	return bars
}

func (r report) latencies() (bars []bar) {
	most := 0.0
	for _, c := range r.Cases {
		if strings.HasPrefix(c.Name, "main/") {
			most = max(most, c.Figures["p99 ms"])
		}
	}
	for _, c := range r.Cases {
		if f := c.Figures; strings.HasPrefix(c.Name, "main/") && f["p99 ms"] > 0 {
			name := strings.Replace(c.label(), "latency at 200 a second, ", "", 1)
			bars = append(bars, bar{name, "one", readable(f["p50 ms"]) + " ms", f["p50 ms"] / most},
				bar{"", "two", readable(f["p99 ms"]) + " ms", f["p99 ms"] / most})
		}
	}
	return bars
}
