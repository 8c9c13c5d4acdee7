package web

import (
	"net/url"
	"strings"
	"time"
)

// TimeFilter is the part of a filter bar that chooses a span of time.
type TimeFilter struct {
	Span     string // 1h, 24h, 7d; empty: any, or From and To
	From, To string // as a field for date and time has them, UTC
}

var timeSpans = map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour}

// TimeChips are the chips of From and To, as far as they are set.
func TimeChips(path string, f TimeFilter, v url.Values) []FilterChip {
	var chips []FilterChip
	if f.From != "" {
		chips = append(chips, FilterChip{"From", strings.Replace(f.From, "T", " ", 1), Without(path, v, "from")})
	}
	if f.To != "" {
		chips = append(chips, FilterChip{"To", strings.Replace(f.To, "T", " ", 1), Without(path, v, "to")})
	}
	return chips
}

// SpanChoices are the spans of time that a filter offers beside from and to.
func SpanChoices(f TimeFilter) []Choice {
	return []Choice{
		{"1h", "Last hour", f.Span == "1h"}, {"24h", "Last 24 hours", f.Span == "24h"}, {"7d", "Last 7 days", f.Span == "7d"},
	}
}

// ParseTimes reads the span of time that a filter chooses. From and to count
// for more than a span that goes back from now.
func ParseTimes(v url.Values, now time.Time) (f TimeFilter, from, to time.Time, faults []string) {
	if value := strings.TrimSpace(v.Get("time")); value != "" {
		if span, ok := timeSpans[value]; ok {
			f.Span, from = value, now.Add(-span)
		} else {
			faults = append(faults, LeftOut(value, "span of time"))
		}
	}
	read := func(name string, into *time.Time) string {
		value := strings.TrimSpace(v.Get(name))
		if value == "" {
			return ""
		}
		if readTime(value, into) {
			return strings.TrimSuffix(into.Format("2006-01-02T15:04:05"), ":00")
		}
		faults = append(faults, LeftOut(value, "date and time"))
		return ""
	}
	f.To = read("to", &to)
	if f.From = read("from", &from); f.From != "" || f.To != "" {
		if f.From == "" {
			from = time.Time{}
		}
		f.Span = ""
	}
	return f, from, to, faults
}

// readTime reads the value of a field for date and time, or a day alone, as
// UTC.
func readTime(value string, into *time.Time) bool {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			*into = t.UTC()
			return true
		}
	}
	return false
}
