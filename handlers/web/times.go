package web

import (
	"net/url"
	"strings"
	"time"
)

// TimeFilter is the part of a filter bar that chooses a span of time.
type TimeFilter struct {
	Span string `form:"time" binding:"omitempty,oneof=1h 24h yesterday 7d"` // empty: any, or From and To
	From string `form:"from" binding:"omitempty,moment"`                    // as a field for date and time has it, UTC
	To   string `form:"to" binding:"omitempty,moment"`
}

// yesterday is the span from one midnight to the next, in UTC.
const yesterday = "yesterday"

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
		{"1h", "Last hour", f.Span == "1h"},
		{"24h", "Last 24 hours", f.Span == "24h"},
		{yesterday, "Yesterday (UTC)", f.Span == yesterday},
		{"7d", "Last 7 days", f.Span == "7d"},
	}
}

// Range returns the times that a filter chooses, zero for no limit. From and To
// count for more than a span that goes back from now; they are put into the form
// of a field for date and time.
func (f *TimeFilter) Range(now time.Time) (from, to time.Time) {
	for _, field := range []struct {
		typed *string
		at    *time.Time
	}{{&f.From, &from}, {&f.To, &to}} {
		if readTime(*field.typed, field.at) {
			*field.typed = strings.TrimSuffix(field.at.Format("2006-01-02T15:04:05"), ":00")
		}
	}
	if f.From != "" || f.To != "" {
		f.Span = ""
	}
	switch f.Span {
	case "":
	case yesterday:
		to = now.UTC().Truncate(24 * time.Hour)
		from = to.AddDate(0, 0, -1)
	default:
		from = now.Add(-timeSpans[f.Span])
	}
	return from, to
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
