package handlers

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sentence shows an error that is meant for people: it begins with a capital
// and ends with a full stop.
func sentence(err error) string {
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

// unique sorts words and leaves out repeats.
func unique(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

// formName is the name that a struct's field has in the form.
func formName(f reflect.StructField) string { return f.Tag.Get("form") }
