package replay

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// progress shows the progress as a bar on a terminal. Elsewhere it only reports
// unusual events.
type progress struct {
	w     io.Writer
	bar   bool
	total int
	drawn bool
}

func newProgress(w io.Writer, total int) *progress {
	f, ok := w.(*os.File)
	bar := ok && total > 0 && term.IsTerminal(int(f.Fd()))
	return &progress{w: w, total: total, bar: bar}
}

// show draws the bar anew.
func (p *progress) show(n int, took time.Duration) {
	if !p.bar {
		return
	}
	const width = 40
	rate := 0.0
	if took > 0 {
		rate = float64(n) / took.Seconds()
	}
	full := n * width / p.total
	p.drawn = true
	_, _ = fmt.Fprintf(p.w, "\r[%s%s] %3d%%  %d of %d events, %.0f/s \x1b[K",
		strings.Repeat("#", full), strings.Repeat(".", width-full), n*100/p.total, n, p.total, rate)
}

// say writes a line of its own.
func (p *progress) say(line string) {
	p.done()
	_, _ = fmt.Fprintln(p.w, line)
}

// done leaves the bar as it is and goes to the next line.
func (p *progress) done() {
	if p.drawn {
		_, _ = fmt.Fprintln(p.w)
		p.drawn = false
	}
}
