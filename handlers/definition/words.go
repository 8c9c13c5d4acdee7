package definition

import "strings"

// shown is the input in a form that fits into a sentence.
func shown(typed string) string {
	const most = 80 // characters
	text := []rune(strings.ToValidUTF8(typed, "?"))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
