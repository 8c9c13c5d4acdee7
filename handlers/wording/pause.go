package wording

import (
	"fmt"
	"strconv"
	"time"
)

// PauseWords is a pause in at most two units: 69 s, 5 min 15 s, 2 h 3 min.
func PauseWords(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < 100*time.Second:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	default:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
}

// PacedWords is how long so many deliveries to one webhook take at least, when
// they were asked for together.
func PacedWords(n int64) string {
	return PauseWords(max(time.Second, time.Duration(n)*time.Second/PacedPerSecond))
}

// PacedPerSecond is how many deliveries that were asked for together go out to a
// webhook in a second at most.
const PacedPerSecond = 20
