package web

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

func TestNumbersAndSpans(t *testing.T) {
	for got, want := range map[string]string{
		wording.Count(0): "0", wording.Count(999): "999", wording.Count(1000): "1,000", wording.Count(-1234567): "-1,234,567",
		Plural(1, "webhook", "webhooks"): "1 webhook", Plural(2000, "webhook", "webhooks"): "2,000 webhooks",
		Took(212 * time.Millisecond): "212 ms", Took(99_999 * time.Millisecond): "99,999 ms",
		Took(105 * time.Second): "105 s", Took(315 * time.Second): "5 min 15 s",
		Ago(30 * time.Second): "30 s ago", Ago(94 * time.Minute): "94 min ago", Ago(4 * time.Hour): "4 h ago",
		Ago(50 * time.Hour): "2 d ago", Ago(-5 * time.Minute): "in 5 min",
		wording.List(nil): "", wording.List([]string{"a"}): "a", wording.List([]string{"a", "b", "c"}): "a, b and c",
		initial("mary"): "M", initial(" "): "?", initial("éva"): "É",
		wording.Sentence(errors.New("too short")): "Too short.",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 21, 1, 38, 2, 0, time.UTC)
	if got := Moment(now, now); got != "Nov 21 at 01:38:02" {
		t.Error(got)
	}
	if got := Moment(now.AddDate(-1, 0, 0), now); got != "Nov 21, 2025 at 01:38:02" {
		t.Error(got)
	}
}

func TestCutKeepsWholeCharacters(t *testing.T) {
	text := strings.Repeat("é", 20)
	for limit := 3; limit < 41; limit++ {
		if got := wording.Cut(text, limit); len(got) > limit || !utf8.ValidString(got) {
			t.Errorf("cut to %d is %q", limit, got)
		}
	}
	if wording.Cut("short", 5) != "short" {
		t.Error("what fits is cut")
	}
}
