package webhooks_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
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
	day, month := webhooks.DayChart(hours, nil, now), webhooks.MonthChart(hours, nil, now)
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
	if none := webhooks.DayChart(nil, nil, now); none.TimeLabel != "" || none.Mean != "" || none.Top != "2" {
		t.Errorf("nothing is %+v", none)
	}
	for n, want := range map[int64]int64{0: 2, 3: 4, 99: 100, 100: 100, 101: 120, 995: 1000, 31282: 32000} {
		if got := webhooks.RoundTop(n); got != want {
			t.Errorf("the top above %d is %d, want %d", n, got, want)
		}
	}
}

func TestWebhookPageListsItsDeliveries(t *testing.T) {
	c := webtest.NewConsole(t)
	w := c.AddWebhook(nil)
	if got := c.Get(webhooks.WebhookPath(w.ID)).Text("main"); !strings.Contains(got, "None yet. A delivery appears here") {
		t.Errorf("the page says %q", got)
	}
	c.AddDelivery(w)
	a := c.Get(webhooks.WebhookPath(w.ID))
	if got := a.Find("section[aria-labelledby=dl] tbody tr").Length(); got != 1 || a.Find("figure").Length() != 4 {
		t.Errorf("%d deliveries: %s", got, a.Text("main"))
	}
	c.Exec("update deliveries set state = 'failed', due_at = null")
	c.Exec("update lanes set last_at = ?", time.Now().UTC())
	if href := c.Get(webhooks.WebhookPath(w.ID)).Find("a:contains('Resend failed')").AttrOr("href", ""); href != deliveries.ResendPath+"?webhook=1&state=failed" {
		t.Errorf("failed ones are sent again by %q", href)
	}
}
