package wire

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var decimal = regexp.MustCompile(`^[0-9]+(\.[0-9]*)?$`)

// maxRetryAfter keeps a receiver's value inside a Duration; every schedule
// clamps to far less.
const maxRetryAfter = 10 * 365 * 24 * time.Hour

// retryAfter reads the header of that name: seconds, decimals rounded up, or an
// HTTP date. A date in the past gives 0 and true, other text false.
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if decimal.MatchString(value) {
		whole, fraction, _ := strings.Cut(value, ".")
		seconds, err := strconv.ParseInt(whole, 10, 64)
		if err != nil || seconds >= int64(maxRetryAfter/time.Second) {
			return maxRetryAfter, true
		}
		if strings.Trim(fraction, "0") != "" {
			seconds++
		}
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return min(max(date.Sub(now), 0), maxRetryAfter), true
}
