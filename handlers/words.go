package handlers

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
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

// capitalized begins a word with a capital letter, abbreviations left alone.
func capitalized(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

func orNone(words, none string) string {
	if words == "" {
		return none
	}
	return words
}

// listOr lists words as alternatives: a, b or c.
func listOr(words []string) string {
	if len(words) < 2 {
		return orNone(strings.Join(words, ""), "other ones")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// pauseWords is a pause in at most two units: 69 s, 5 min 15 s, 2 h 3 min.
func pauseWords(d time.Duration) string {
	d = d.Round(time.Second)
	switch {
	case d < 100*time.Second:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	default:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
}

// eventWords shows an event type as its receivers call it: answer accepted.
func eventWords(kind string) string {
	switch family, what, _ := strings.Cut(kind, "."); family {
	case "question", "answer":
		return family + " " + what
	default:
		return strings.ReplaceAll(kind, "comment.created", "comment created")
	}
}
