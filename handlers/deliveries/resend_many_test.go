package deliveries_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// failures are failed deliveries of a webhook, numbered.
func failures(s *webtest.HistorySite, w models.Webhook, from, to int) {
	s.Helper()
	for i := from; i < to; i++ {
		id := w.Name + web.FormatID(int64(i))
		s.Event(id, "Title of "+id, nil)
		s.Dispatch(1)
		s.Attempt(w.ID, models.DeliveryFailed, models.Attempt{Code: 500}, 0, "broken "+webtest.Nasty)
	}
}

func TestResendAllThatMatch(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w := s.Hook("Board "+webtest.Nasty, nil)
	failures(s, w, 0, 3)
	s.Event("one more", "Waits", nil)
	s.Dispatch(1)
	b := s.As(models.RoleAdministrator)
	list := b.Get("/admin/deliveries?state=failed&webhook=" + web.FormatID(w.ID))
	path := list.Find(".s-page-title--actions a").First().AttrOr("href", "")
	doc := b.Get(path)
	webtest.Says(t, "the question", webtest.Words(doc.Find("main")), "Resend 3 deliveries?", "webhook Board "+webtest.Nasty, "state Failed", "same ID and body")
	if got := webtest.Words(doc.Find("main form[method=post] button")); got != "Resend 3" {
		t.Errorf("the button says %q", got)
	}
	webtest.Says(t, "the question about all", webtest.Words(b.Get("/admin/deliveries/resend").Find("main")), "Selection: all deliveries.", "1 is already waiting to be sent")
	since := url.Values{"from": {"2199-01-01T00:00"}}
	doc.Find("main form[method=get] input[type=hidden]").Each(func(_ int, field *goquery.Selection) {
		since.Set(field.AttrOr("name", ""), field.AttrOr("value", ""))
	})
	webtest.Says(t, "the question since a time", webtest.Words(b.Get(deliveries.ResendPath+"?"+since.Encode()).Find("main")), "Nothing to resend", "state Failed", "from 2199-01-01 00:00")
	form := url.Values{}
	doc.Find("main form[method=post] input").Each(func(_ int, field *goquery.Selection) { form.Set(field.AttrOr("name", ""), field.AttrOr("value", "")) })
	failures(s, w, 3, 4) // comes after the question
	woken := s.Woken
	status, _ := b.Post(doc.Find("main form[method=post]").AttrOr("action", ""), form)
	if status != http.StatusSeeOther || s.Woken != woken+1 {
		t.Fatalf("resend: %d", status)
	}
	progress := b.To
	doc = b.Get(progress)
	webtest.Says(t, "the progress", webtest.Words(doc.Find("main")), "0 of 3 deliveries done", "About 1 s left.", "refreshes until")
	if doc.Find("progress").AttrOr("max", "") != "3" {
		t.Error("there is no bar of 3")
	}
	rows, _, err := s.Store.Deliveries.List(t.Context(), models.DeliveryQuery{Within: models.AllLocations(), State: models.DeliveryFailed, Limit: 10})
	s.Must(err)
	again := 0
	for _, row := range rows {
		if row.Resend {
			again++
		}
	}
	if again != 3 {
		t.Errorf("%d are sent again", again)
	}
	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, w.ID))
	webtest.Says(t, "the progress of a paused one", webtest.Words(b.Get(progress).Find("main")), "is on hold", "3 deliveries wait")
	doc = b.Get("/admin/deliveries/resend?state=failed")
	webtest.Says(t, "the question about a paused one", webtest.Words(doc.Find("main")), "Nothing to resend", "3 are already waiting to be sent", "its webhook is paused")
	if doc.Find("main form[method=post]").Length() > 0 {
		t.Error("it offers to send nothing")
	}
	if status, _ = b.Post("/admin/deliveries/resend?state=failed", form); status != http.StatusUnprocessableEntity {
		t.Errorf("nothing to send: %d", status)
	}
	for _, bad := range []string{"/admin/deliveries/resend?state=odd", "/admin/deliveries/resend?webhook=x"} {
		if status = b.Status(bad); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", bad, status)
		}
	}
	if status, _ = b.Post("/admin/deliveries/resend", nil); status != http.StatusUnprocessableEntity {
		t.Errorf("without saying which: %d", status)
	}
	if b.Status("/admin/deliveries/resent") != http.StatusNotFound {
		t.Error("a progress of nothing")
	}
	doc = b.Get("/admin/deliveries/resent?at=1&total=5&back=https://evil.example")
	webtest.Says(t, "a resending that is over", webtest.Words(doc.Find("main")), "5 of 5 deliveries done", "Every delivery has been attempted")
	if to := doc.Find("main a.s-btn").AttrOr("href", ""); to != "/admin/deliveries" {
		t.Errorf("the way back leads to %q", to)
	}
	if to := b.Get("/admin/deliveries?state=pending").Find(".s-page-title--actions > a[href*=resend]").Length(); to != 0 {
		t.Error("what waits is offered to be resent")
	}
}

// TestResendingSaysHowLong: as long as the webhook with the most deliveries takes
// at 20 a second, of those that can be sent.
func TestResendingSaysHowLong(t *testing.T) {
	s := webtest.NewHistorySite(t)
	report := func(from, to int) {
		s.Events(to-from, func(i int) models.NewEvent { return webtest.HistoryEvent(t, "e-"+web.FormatID(int64(from+i)), "One") })
		s.Dispatch(1)
	}
	paused := s.Hook("Paused", nil)
	report(0, 40)
	s.Hook("Most", nil)
	report(40, 99)
	s.Hook("Few", nil)
	report(99, 100)
	_, err := s.Store.SQLite().ExecContext(t.Context(), "delete from delivery_queue") // all were delivered
	s.Must(err)
	b := s.As(models.RoleAdministrator)
	form := url.Values{}
	b.Get(deliveries.ResendPath).Find("main form[method=post] input").Each(func(_ int, field *goquery.Selection) {
		form.Set(field.AttrOr("name", ""), field.AttrOr("value", ""))
	})
	if status, _ := b.Post(deliveries.ResendPath, form); status != http.StatusSeeOther {
		t.Fatalf("resend: %d", status)
	}
	progress := b.To
	webtest.Says(t, "the progress", webtest.Words(b.Get(progress).Find("main")), "0 of 161 deliveries done", "About 5 s left.")
	s.Must(s.Store.Webhooks.Pause(t.Context(), webtest.Boss, paused.ID))
	webtest.Says(t, "the progress beside a paused one", webtest.Words(b.Get(progress).Find("main")), "0 of 161 deliveries done", "About 3 s left.")
}

func TestExport(t *testing.T) {
	s := webtest.NewHistorySite(t)
	w := s.Hook("=cmd()|'x' "+webtest.Nasty, nil)
	failures(s, w, 0, 2)
	b := s.As(models.RoleViewer)
	offers := b.Get(b.Get("/admin/deliveries?state=failed").Find(".s-page-title--actions a:contains(Export)").AttrOr("href", ""))
	webtest.Says(t, "the page", webtest.Words(offers.Find("main")), "Selection: state Failed.", "2 deliveries, newest first.")
	link := offers.Find("a[download]").First().AttrOr("href", "")
	text, header := b.Download(link)
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	s.Must(err)
	for line := range strings.Lines(text) {
		if cells := strings.Split(strings.TrimSuffix(line, "\n"), `","`); len(cells) != len(deliveries.ExportColumns) || line[0] != '"' {
			t.Errorf("not every cell is quoted: %s", line)
		}
	}
	if len(lines) != 3 || lines[1][2] != "'=cmd()|'x' "+webtest.Nasty || lines[1][5] != "failed" || lines[1][13] != "500" || len(lines[1]) != len(deliveries.ExportColumns) {
		t.Errorf("the table is %q", lines)
	}
	if !strings.HasPrefix(header.Get("Content-Disposition"), "attachment; filename=\"deliveries-") || header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers: %v", header)
	}
	if strings.Contains(text, "questions") || strings.Contains(text, "hooks.example") {
		t.Error("a body or a URL is in it")
	}
	for path, want := range map[string]int{"/admin/deliveries.json": 2, "/admin/deliveries.json?state=dropped": 0} {
		text, _ = b.Download(path)
		var list []deliveries.Exported
		if err = json.Unmarshal([]byte(text), &list); err != nil || len(list) != want {
			t.Errorf("%s: %d, %v: %s", path, len(list), err, text)
		}
	}
	for _, path := range []string{"/admin/deliveries.csv?state=odd", "/admin/deliveries/export?state=odd"} {
		if status := b.Status(path); status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", path, status)
		}
	}
}

// TestExportDisarmsFormulas: names and reasons that hold formulas come out of
// the export as text, whichever character a spreadsheet splits lines at.
func TestExportDisarmsFormulas(t *testing.T) {
	s := webtest.NewHistorySite(t)
	cases := map[string]string{
		"a=b": "a=b", "a - b": "a - b", "a; b": "a; b", "+1": "'+1", "-1": "'-1", "@x": "'@x", "  =x": "'  =x", "＝x": "'＝x",
		"a;=1+1": "a;'=1+1", "a,-1": "a,'-1", "a\t@x": "a\t'@x", "a\n=x": "a\n'=x", "a; +1": "a;' +1", `a;"=1`: `a;'"=1`, `"=1`: `'"=1`,
		"=1;;=2,x,＋3": "'=1;;'=2,x,'＋3", ", \n=x": ", \n'=x",
	}
	for name := range cases {
		s.Hook(name, nil)
	}
	s.Event("one", "One", nil)
	s.Dispatch(len(cases))
	b := s.As(models.RoleViewer)
	text, _ := b.Download("/admin/deliveries.csv")
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	s.Must(err)
	found := map[string]bool{}
	for _, line := range lines[1:] {
		found[line[2]] = true
	}
	for name, want := range cases {
		if !found[want] {
			t.Errorf("%q does not come out as %q", name, want)
		}
	}
	for _, separator := range []string{";", "\t", "\n"} {
		for field := range strings.SplitSeq(text, separator) {
			if field = strings.TrimLeft(field, "\" \u200b"); field != "" && strings.ContainsAny(field[:1], "=+-@") {
				t.Errorf("split at %q, a field is %.40q", separator, field)
			}
		}
	}
}

func TestLongExportIsWhole(t *testing.T) {
	s := webtest.NewHistorySite(t)
	s.Hook("One", nil)
	for at := 0; at < 2100; at += 700 {
		s.Events(700, func(i int) models.NewEvent { return webtest.HistoryEvent(t, "e-"+web.FormatID(int64(at+i)), "One") })
		s.Dispatch(1)
	}
	b := s.As(models.RoleViewer)
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Server.URL+"/admin/deliveries.json", nil)
	s.Must(err)
	p, err := b.Client.Do(q)
	s.Must(err)
	defer p.Body.Close()
	var list []deliveries.Exported
	s.Must(json.NewDecoder(p.Body).Decode(&list))
	seen := map[string]bool{}
	for _, one := range list {
		seen[one.ID] = true
	}
	if len(list) != 2100 || len(seen) != 2100 {
		t.Errorf("%d lines, %d of them different", len(list), len(seen))
	}
}
