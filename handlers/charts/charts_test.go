package charts

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

func TestCharts(t *testing.T) {
	now := time.Date(2026, 11, 21, 1, 38, 0, 0, time.UTC)
	hour := now.Truncate(time.Hour)
	hours := []models.WebhookHour{
		{Hour: hour.Add(-10 * 24 * time.Hour), Delivered: 40, MSSum: 4000, MSMax: 900},
		{Hour: hour.Add(-time.Hour), Delivered: 30, Failed: 1, MSSum: 3100, MSMax: 250},
		{Hour: hour, Delivered: 1, MSSum: 80, MSMax: 80},
	}
	day, month := Day(hours, nil, now), Month(hours, nil, now)
	if day.Label != "Attempts, last 24 h: 31 delivered, 1 failed" || day.TimeLabel != "Response time, last 24 h: at most 250 ms" ||
		day.Top != "32" || day.Half != "16" || day.MSTop != "260 ms" || day.First != "02:00" || len(day.Rows) != 24 {
		t.Errorf("the day is %+v", day)
	}
	if last := day.Rows[22]; last.MeanMS != 100 || last.MostMS != 250 || !last.Answered() || day.Rows[0].Answered() {
		t.Errorf("an hour is %+v", last)
	}
	if day.Mean != "M225 61.5h1L235 69.2" || strings.Count(month.Most, "M") != 2 {
		t.Errorf("drawn %s, %s", day.Mean, month.Most)
	}
	if month.Label != "Attempts, last 30 days: 71 delivered, 1 failed" || month.First != "Oct 23" || month.Rows[19].Delivered != 40 || month.MSTop != "900 ms" {
		t.Errorf("the month is %+v", month)
	}
	if day.Points != "" || day.Lone != nil || month.Points != "M195 88.9h0M295 89.0h0" {
		t.Errorf("points of the day %q, of the month %q", day.Points, month.Points)
	}
	if one := Day(hours[2:], nil, now); one.Points != "M235 0.0h0" || one.Lone == nil || one.Lone.MeanMS != 80 || one.Lone.Delivered != 1 {
		t.Errorf("a single value is %+v", one)
	}
	if none := Day(nil, nil, now); none.Lone != nil || none.Points != "" || none.TimeLabel != "" || none.Mean != "" || none.Top != "2" {
		t.Errorf("nothing is %+v", none)
	}
	for n, want := range map[int64]int64{0: 2, 3: 4, 99: 100, 100: 100, 101: 120, 995: 1000, 31282: 32000} {
		if got := roundTop(n); got != want {
			t.Errorf("the top above %d is %d, want %d", n, got, want)
		}
	}
}

func TestSparkline(t *testing.T) {
	now := time.Date(2026, 11, 21, 1, 38, 0, 0, time.UTC)
	at := func(hours int) time.Time { return now.Truncate(time.Hour).Add(time.Duration(-hours) * time.Hour) }
	line := NewSparkline([]models.Tally{
		{Hour: at(30), Delivered: 99}, {Hour: at(23), Delivered: 10}, {Hour: at(0), Delivered: 15, Failed: 5},
	}, []Span{{From: at(3), To: at(1)}, {From: at(0), To: now}}, 9, now)
	if line.Label != "Last 24 hours: 25 delivered, 5 failed, held for 2 h, 9 waiting" || strings.Count(line.None, "M") != 22 {
		t.Errorf("%q with %q", line.Label, line.None)
	}
	if !slices.Equal(line.Held, []Bar{{X: "200.0", W: "20.0"}, {X: "230.0", W: "6.3"}}) {
		t.Errorf("held: %v", line.Held)
	}
	if line.Good != "M5 100V51M235 100V26" || line.All != "M235 100V2" {
		t.Errorf("delivered %q, all %q", line.Good, line.All)
	}
	if empty := NewSparkline(nil, nil, 0, now); empty.Label != "Last 24 hours: nothing sent" || !strings.HasPrefix(empty.None, "M5 100V96M15 100V96M") {
		t.Errorf("nothing is %+v", empty)
	}
}

func TestHeldSpans(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ago := func(hours int) time.Time { return now.Add(time.Duration(-hours) * time.Hour) }
	state := func(hours int, state string) models.StateChange {
		return models.StateChange{At: ago(hours), State: state}
	}
	changes := []models.StateChange{state(30, models.WebhookStopped), state(20, models.WebhookActive), state(10, models.WebhookBroken), state(9, models.WebhookBroken)}
	paused := StateSpans(models.Webhook{State: models.WebhookBroken}, changes, ago(24), now)
	if want := []Span{{From: ago(24), To: ago(20)}, {From: ago(10), To: ago(9)}, {From: ago(9), To: now}}; !slices.Equal(paused, want) {
		t.Errorf("held %v", paused)
	}
	if all := StateSpans(models.Webhook{State: models.WebhookStopped}, nil, ago(24), now); heldWords(all) != "24 h" {
		t.Errorf("all the time: %v", all)
	}
	history := []models.SettingChange{{At: ago(8), OldValue: "False", NewValue: "True"}, {At: ago(12), OldValue: "True", NewValue: "False"}, {At: ago(40), OldValue: "False", NewValue: "True"}}
	off := OffSpans(history, true, ago(24), now)
	if want := []Span{{From: ago(12), To: ago(8)}}; !slices.Equal(off, want) {
		t.Errorf("off %v", off)
	}
	if off = OffSpans(nil, false, ago(24), now); heldWords(off) != "24 h" {
		t.Errorf("never on: %v", off)
	}
	if both := Join(append(paused, Span{From: ago(12), To: ago(8)})); !slices.Equal(both, []Span{{From: ago(24), To: ago(20)}, {From: ago(12), To: now}}) {
		t.Errorf("joined %v", both)
	}
}
