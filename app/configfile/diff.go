package configfile

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// summary says what a new thing is. Nothing that may be secret is in it.
func summary(body object) (lines []string) {
	for _, field := range []string{"type", "kind", "name", "location", "events", "tags"} {
		if value, given := body[field]; given && value != nil {
			lines = append(lines, field+": "+short(value))
		}
	}
	return lines
}

// differences says how fields change. Of secrets, URLs and header values it says
// only that they do.
func differences(now, body object, fields []string) (lines []string) {
	for _, field := range fields {
		old, next := now[field], body[field]
		switch {
		case field == "url" || strings.HasPrefix(field, "secret_") || field == "program":
			lines = append(lines, field+": "+changeWord(body, field))
		case field == "headers" || field == "options" || field == "fields":
			lines = append(lines, keyedDifference(field, old, next)...)
		case isList(old) && isList(next) && field != "communities":
			lines = append(lines, field+":"+listDifference(old, next))
		case field == "communities":
			lines = append(lines, field+": described")
		default:
			lines = append(lines, fmt.Sprintf("%s: %s → %s", field, short(old), short(next)))
		}
	}
	return lines
}

func changeWord(body object, field string) string {
	if value, given := body[field]; given && value == nil {
		return "removed"
	}
	return "changed"
}

func isList(v any) bool { _, is := v.([]any); return is }

// listDifference names what comes and goes.
func listDifference(old, next any) string {
	var b strings.Builder
	was, is := words(old), words(next)
	for _, one := range is {
		if !slices.Contains(was, one) {
			b.WriteString(" +" + one)
		}
	}
	for _, one := range was {
		if !slices.Contains(is, one) {
			b.WriteString(" -" + one)
		}
	}
	return b.String()
}

func words(v any) (list []string) {
	all, _ := v.([]any)
	for _, one := range all {
		list = append(list, fmt.Sprint(one))
	}
	return list
}

// keyedDifference names the keys that come and go, or whose value changes. The
// values of headers cannot be read.
func keyedDifference(field string, old, next any) (lines []string) {
	was, _ := old.(object)
	is, _ := next.(object)
	for _, key := range slices.Sorted(maps.Keys(is)) {
		before, there := was[key]
		switch {
		case !there:
			lines = append(lines, field+": +"+key)
		case field != "headers" && fmt.Sprint(before) != fmt.Sprint(is[key]):
			lines = append(lines, fmt.Sprintf("%s.%s: %s → %s", field, key, short(before), short(is[key])))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(was)) {
		if _, stays := is[key]; !stays {
			lines = append(lines, field+": -"+key)
		}
	}
	if len(lines) == 0 {
		lines = []string{field + ": values changed"}
	}
	return lines
}

// short is a value as JSON, cut to a line.
func short(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	const most = 120
	if runes := []rune(string(text)); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return string(text)
}
