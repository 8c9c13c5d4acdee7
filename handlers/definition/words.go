package definition

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// isText tells what can be stored: UTF-8 without NUL.
func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

// isLine tells text on one line without control characters.
func isLine(s string) bool { return isText(s) && !strings.ContainsFunc(s, unicode.IsControl) }

// sentence is an error's text, which begins as a sentence does, with its full
// stop.
func sentence(err error) string { return strings.TrimSuffix(err.Error(), ".") + "." }

// shown is what somebody typed, fit to be repeated in a sentence.
func shown(typed string) string {
	const most = 80 // characters
	text := []rune(strings.ToValidUTF8(typed, "?"))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// sentenceList lists words as a sentence does: a, b and c.
func sentenceList(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
