package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Unique sorts words and leaves out repeats.
func Unique(words []string) []string {
	slices.Sort(words)
	return slices.Compact(words)
}

// Capitalized begins a word with a capital letter, abbreviations left alone.
func Capitalized(word string) string {
	if word == "" {
		return ""
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// OrNone is words, or none when words is empty.
func OrNone(words, none string) string {
	if words == "" {
		return none
	}
	return words
}

// ListOr lists words as alternatives: a, b or c.
func ListOr(words []string) string {
	if len(words) < 2 {
		return OrNone(strings.Join(words, ""), "other ones")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// PauseWords is a pause in at most two units: 69 s, 5 min 15 s, 2 h 3 min.
func PauseWords(d time.Duration) string {
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

// PacedWords is how long so many deliveries to one webhook take at least, when
// they were asked for together.
func PacedWords(n int64) string {
	return PauseWords(max(time.Second, time.Duration(n)*time.Second/PacedPerSecond))
}

// PacedPerSecond is how many deliveries that were asked for together go out to a
// webhook in a second at most.
const PacedPerSecond = 20

// clockWords says how far a clock is ahead of another: in step, 90 s ahead, 2 s
// behind.
func clockWords(ahead time.Duration) string {
	switch {
	case ahead.Abs() < time.Second:
		return "in step"
	case ahead > 0:
		return PauseWords(ahead) + " ahead"
	default:
		return PauseWords(-ahead) + " behind"
	}
}

// EventWords shows an event type as its receivers call it: answer accepted.
func EventWords(kind string) string {
	switch family, what, _ := strings.Cut(kind, "."); family {
	case "question", "answer":
		return family + " " + what
	default:
		return strings.ReplaceAll(kind, "comment.created", "comment created")
	}
}
