package wire

import (
	"strconv"
	"strings"
	"time"
)

// optionRate is the key of the field that every type has: how many requests a
// second a receiver gets at most.
const optionRate = "max_per_second"

// The bounds of what can be entered there.
const (
	rateLeast = 0.01
	rateMost  = 1000
)

func rateField() Field {
	return Field{
		Key: optionRate, Label: "At most … requests a second", Check: checkRate,
		Help: "Optional, for receivers that limit requests: a number such as 5, or 0.5 for one in two seconds. The rest waits its turn.",
	}
}

// checkRate keeps a number between the bounds.
func checkRate(typed string) (string, error) {
	n, err := strconv.ParseFloat(strings.TrimSpace(typed), 64)
	if err != nil || !(n >= rateLeast && n <= rateMost) {
		return "", Sentence("Enter a number from 0.01 to 1000, such as 5 or 0.5, or leave this empty.")
	}
	return strconv.FormatFloat(n, 'f', -1, 64), nil
}

// Gap is the least time between the starts of two requests to one webhook: the
// type's own, or that of the webhook's options where it is longer.
func (f *Format) Gap(options map[string]string) time.Duration {
	n, err := strconv.ParseFloat(options[optionRate], 64)
	if err != nil || n < rateLeast {
		return f.Policy.MinGap
	}
	return max(f.Policy.MinGap, time.Duration(float64(time.Second)/n))
}
