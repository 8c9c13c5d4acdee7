package web

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// NameMax is how long the name of a location, member or token may be.
const NameMax = 100

// LocationSlug is what the ingest API takes as a location.
var LocationSlug = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// CheckName says in a sentence what is wrong with a name; empty: nothing.
func CheckName(name string) string {
	switch n := utf8.RuneCountInString(name); {
	case name == "":
		return "Enter a name."
	case n > NameMax:
		return "This has " + Count(int64(n)) + " characters; a name has up to " + Count(NameMax) + "."
	case !IsText(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "This has characters in it that cannot be shown."
	}
	return ""
}

// CheckEmail says in a sentence what is wrong with an address; empty: nothing.
func CheckEmail(email string) string {
	a, err := mail.ParseAddress(email)
	switch {
	case email == "":
		return "Enter an e-mail address."
	case err != nil || a.Address != email || len(email) > 254 || !IsText(email):
		return "This is not an e-mail address, such as mary@example.com."
	}
	return ""
}

// ErrorLine is one line of the summary above a refused form.
type ErrorLine struct{ Field, Text string }

// ErrorLines puts the faults of a form in the order of its fields.
func ErrorLines(f Faults, fields ...string) []ErrorLine {
	var lines []ErrorLine
	for i := 0; i+1 < len(fields); i += 2 {
		if text := f[fields[i]]; text != "" {
			lines = append(lines, ErrorLine{fields[i], fields[i+1] + ": " + text})
		}
	}
	return lines
}
