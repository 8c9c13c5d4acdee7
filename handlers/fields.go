package handlers

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// nameMax is how long the name of a location, member or token may be.
const nameMax = 100

// locationSlug is what the ingest API takes as a location.
var locationSlug = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// checkName says in a sentence what is wrong with a name; empty: nothing.
func checkName(name string) string {
	switch n := utf8.RuneCountInString(name); {
	case name == "":
		return "Enter a name."
	case n > nameMax:
		return "This has " + count(int64(n)) + " characters; a name has up to " + count(nameMax) + "."
	case !isText(name) || strings.ContainsFunc(name, unicode.IsControl):
		return "This has characters in it that cannot be shown."
	}
	return ""
}

// checkEmail says in a sentence what is wrong with an address; empty: nothing.
func checkEmail(email string) string {
	a, err := mail.ParseAddress(email)
	switch {
	case email == "":
		return "Enter an e-mail address."
	case err != nil || a.Address != email || len(email) > 254 || !isText(email):
		return "This is not an e-mail address, such as mary@example.com."
	}
	return ""
}

// errorLine is one line of the summary above a refused form.
type errorLine struct{ Field, Text string }

// errorLines puts the faults of a form in the order of its fields.
func errorLines(f faults, fields ...string) []errorLine {
	var lines []errorLine
	for i := 0; i+1 < len(fields); i += 2 {
		if text := f[fields[i]]; text != "" {
			lines = append(lines, errorLine{fields[i], fields[i+1] + ": " + text})
		}
	}
	return lines
}
