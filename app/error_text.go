package app

import (
	"strings"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

// ErrorText is an error as the operator reads it: each of several faults on a
// line with the name of the program. An indented line belongs to the one
// before. What could move the cursor of a terminal is written as its number.
func ErrorText(err error) string {
	const who = "sitehooks: "
	var b strings.Builder
	for line := range strings.Lines(wording.Printable(err.Error(), "\n\t")) {
		if !strings.HasPrefix(line, " ") {
			b.WriteString(who)
		}
		b.WriteString(line)
	}
	return b.String()
}
