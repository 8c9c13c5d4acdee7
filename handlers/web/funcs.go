package web

import (
	"fmt"
	"html/template"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

// Funcs are the functions that all templates share. All times are shown in
// UTC, in the words of the design: May 12, 2021 at 16:12.
func Funcs(asset func(name string) string) template.FuncMap {
	sprite := asset("vendor/icons.svg")
	return template.FuncMap{
		"asset":      asset,
		"icon":       func(name string, size int) Icon { return Icon{Href: sprite + "#" + name, Size: size} },
		"day":        Day,
		"clock":      func(t time.Time) string { return t.UTC().Format("15:04") },
		"exact":      func(t time.Time) string { return t.UTC().Format("Jan 2, 2006 at 15:04:05") },
		"moment":     func(t time.Time) string { return Moment(t, time.Now()) },
		"iso":        func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"ago":        func(t time.Time) string { return Ago(time.Since(t)) },
		"took":       Took,
		"clockAhead": clockWords,
		"span":       Span,
		"count":      countAny,
		"plural":     func(n any, one, many string) string { return Plural(whole(n), one, many) },
		"initial":    initial,
		"list":       wording.List,
		"themes":     func() []string { return allThemes },
		"themeName":  themeName,
		"themeClass": themeClass,
		"flashIcon":  flashIcon,
		"field":      NewField,
		"select":     NewSelect,
		"aside":      func(key, about string) aside { return aside{key, about} },
	}
}

// Icon is one symbol of the sprite at a size in pixels.
type Icon struct {
	Href string
	Size int
}

// aside is a button that puts a notice aside.
type aside struct{ Key, About string }

// Badge is a state in words with the class that gives its colour and dot.
type Badge struct{ Class, Text string }

// Moment is a time to the second, without the year when it is this year.
func Moment(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.Year() == now.Year() {
		return t.Format("Jan 2 at 15:04:05")
	}
	return t.Format("Jan 2, 2006 at 15:04:05")
}

// Ago says in one unit how long something is past, or ahead.
func Ago(d time.Duration) string {
	if d < 0 {
		return "in " + Span(-d)
	}
	return Span(d) + " ago"
}

// Day is a date, in UTC.
func Day(t time.Time) string { return t.UTC().Format("Jan 2, 2006") }

// Span writes a duration rounded down to one unit: 59 s, 119 min, 47 h, 2 d.
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", d/time.Hour)
	default:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	}
}

// Took shows a duration: 212 ms up to 99,999 ms, then 105 s, then 5 min 15 s.
func Took(d time.Duration) string {
	switch {
	case d < 100*time.Second:
		return wording.Count(d.Milliseconds()) + " ms"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	default:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
}

// whole takes a template's int or int64.
func whole(n any) int64 {
	switch n := n.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	default:
		panic(fmt.Sprintf("count of a %T", n)) // a fault of a template, found by its first test
	}
}

func countAny(n any) string { return wording.Count(whole(n)) }

// Plural is a number with the word that fits it: 1 webhook, 2 webhooks.
func Plural(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return wording.Count(n) + " " + many
}

func initial(name string) string {
	r, size := utf8.DecodeRuneInString(strings.TrimSpace(name))
	if size == 0 {
		return "?"
	}
	return strings.ToUpper(string(r))
}

func flashIcon(kind string) string {
	if kind == "success" || kind == "info" {
		return "Check16Circle"
	}
	return "AlertFill"
}
