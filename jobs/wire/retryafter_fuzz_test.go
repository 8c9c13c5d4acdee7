package wire

import (
	"net/http"
	"testing"
	"time"
)

// FuzzRetryAfter: for any value of a receiver, the wait is never negative and
// never too long for a Duration, and never beyond the date of the header.
func FuzzRetryAfter(f *testing.F) {
	for _, value := range []string{
		"", "0", "-1", "+1", "1.5", "1.", ".5", "120", "315360000", "1e9", "99999999999999999999", "NaN", "∞", "١٢٠", "\x00", " 7 ", "7, 8",
		"Sat, 21 Nov 2026 00:05:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Sat, 01 Jan 0000 00:00:00 GMT", "Saturday, 21-Nov-26 00:05:00 GMT",
		"Sat Nov 21 00:05:00 2026", "2026-11-21T00:05:00Z",
	} {
		f.Add(value, int64(1_795_219_200))
	}
	f.Fuzz(func(t *testing.T, value string, unix int64) {
		now := time.Unix(unix%253_402_300_800, 0) // no clock shows a year of five digits
		wait, valid := retryAfter(http.Header{"Retry-After": {value}}, now)
		if wait < 0 || wait > maxRetryAfter || !valid && wait != 0 {
			t.Fatalf("%q at %v: %v, %v", value, now, wait, valid)
		}
		date, err := http.ParseTime(value)
		if err == nil && !decimal.MatchString(value) && now.Add(wait).After(date) && wait > 0 {
			t.Fatalf("%q at %v: until %v", value, now, now.Add(wait))
		}
	})
}
