package app

import "strings"

// ErrorText is an error as the operator reads it: each of several faults on a
// line with the name of the program. An indented line belongs to the one
// before.
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
