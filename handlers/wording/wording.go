// Package wording puts things into sentences for people, and tells which text
// can be shown and stored. It is a leaf: pages, APIs and definition use it.
package wording

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsText reports whether a value can be stored: valid UTF-8 without NUL.
func IsText(v string) bool { return utf8.ValidString(v) && !strings.ContainsRune(v, 0) }

// IsPrintable tells text without control characters other than those given.
func IsPrintable(value, but string) bool {
	odd := func(r rune) bool { return unicode.IsControl(r) && !strings.ContainsRune(but, r) }
	return IsText(value) && !strings.ContainsFunc(value, odd)
}

// IsLine tells text on one line without control characters.
func IsLine(value string) bool { return IsPrintable(value, "") }

// IsVisible tells text of which something can be seen: not only spaces and
// characters without a shape, such as U+200B.
func IsVisible(value string) bool {
	return strings.ContainsFunc(value, func(r rune) bool { return r != ' ' && unicode.IsPrint(r) })
}

// IsShown tells text all of whose characters can be seen, or are spaces.
func IsShown(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Printable writes each character that a terminal would not print as its number,
// such as \u001b, but for those that are kept.
func Printable(s, keep string) string {
	var b strings.Builder
	for _, c := range s {
		if unicode.IsPrint(c) || strings.ContainsRune(keep, c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, "\\u%04x", c)
		}
	}
	return b.String()
}

// Sentence shows an error that is meant for people: it begins with a capital
// and ends with a full stop.
func Sentence(err error) string {
	text := strings.TrimSpace(err.Error())
	if text == "" {
		return ""
	}
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// List lists words as a sentence does: a, b and c.
func List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// Count writes a whole number with commas between the thousands.
func Count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Cut shortens a text to at most limit bytes, at a whole character.
func Cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const more = "…"
	end := limit - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}

// Notes joins those parts that are not empty.
func Notes(parts ...string) string {
	var list []string
	for _, p := range parts {
		if p != "" {
			list = append(list, p)
		}
	}
	return strings.Join(list, ", ")
}
