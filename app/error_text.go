package app

import "strings"

// ErrorText is an error as the operator reads it: each of several faults on a line
// that says who speaks. A line that is set in belongs to the one before.
func ErrorText(err error) string {
	const who = "sitehooks: "
	var b strings.Builder
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, " ") {
			b.WriteString(who)
		}
		b.WriteString(line)
	}
	return b.String()
}
