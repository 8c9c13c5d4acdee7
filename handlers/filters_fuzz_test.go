package handlers_test

import (
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// filtered are the addresses that read filters and places from their query.
var filtered = []string{
	"/admin/webhooks", "/admin/deliveries", "/admin/deliveries.json", "/admin/deliveries.csv", "/admin/trigger-history",
	"/admin/trigger-history/1", "/admin/audit", "/admin/webhooks/new", "/admin/webhooks/bulk", "/admin/webhooks/location",
	"/admin/deliveries/export", "/admin/deliveries/resend", "/admin/deliveries/resent", "/admin/trigger-history/1/erase", "/developer/site-settings/edit",
	"/superoffice/api/v1/Webhook",
}

// asker asks two consoles, one over each database, with something in them.
type asker struct {
	consoles []*webtest.Console
	token    string
}

func newAsker(f *testing.F) *asker {
	f.Helper()
	a := &asker{}
	for _, kind := range []string{"sqlite", "postgres"} {
		c := webtest.NewConsoleOn(f, kind, webtest.WithAPIs)
		w := c.AddWebhook(func(in *models.WebhookInput) { in.TagMode, in.Tags = models.TagsSpecific, []string{"go"} })
		c.AddWebhook(func(in *models.WebhookInput) { in.Type, in.Name = "superoffice", "CRM" })
		c.AddDelivery(w)
		_, _, err := c.Store.Events.Record(f.Context(), []models.NewEvent{webtest.HistoryEvent(f, "e-1", "A question")})
		webtest.OK(f, err)
		a.token, err = c.Store.Tokens.Issue(f.Context(), c.Admin.Actor(), models.Token{Name: "crm", Scope: models.ScopeSuperOffice})
		webtest.OK(f, err)
		a.consoles = append(a.consoles, c)
	}
	return a
}

// ask wants the same answer of both, and one that is no fault of ours.
func (a *asker) ask(t *testing.T, path, query string) {
	t.Helper()
	var status []int
	for _, c := range a.consoles {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		req.Host, req.URL.RawQuery = "console.example.com", query
		req.AddCookie(&http.Cookie{Name: web.SessionCookie, Value: c.Cookie})
		req.Header.Set("Authorization", "Bearer "+a.token)
		w := httptest.NewRecorder()
		c.Engine.ServeHTTP(w, req)
		if w.Code >= http.StatusInternalServerError {
			t.Fatalf("%s?%s: %d", path, query, w.Code)
		}
		status = append(status, w.Code)
	}
	if status[0] != status[1] && path != "/superoffice/api/v1/Webhook" { // whose token is the other's
		t.Fatalf("%s?%s: %d, and %d over the other database", path, query, status[0], status[1])
	}
}

// FuzzFilters: no query breaks a page, on either database.
func FuzzFilters(f *testing.F) {
	a := newAsker(f)
	for n, query := range []string{
		"q=%25&sort=team&dir=desc&per=200&type=generic&state=failing&owner=0&tag=go&activity=question.created", "q=%00", "q=%ff&tag=%ED%A0%80",
		"after=e30&before=eyJrIjoiIiwiaSI6MX0", "before=9223372036854775807", "before=9223372036854775808", "before=-1", "before=1e3", "owner=99999999999999999999",
		"from=0000-01-01T00:00&to=9999-12-31T23:59", "from=9999-12-31T23:59:59Z&to=0000-01-01", "from=-1-01-01&time=7d", "time=1h&code=5xx&error=timeout&state=held",
		"code=9xx&webhook=0&type='; drop table webhooks; --", "webhook=9223372036854775807&event=x", "from=2026-02-30T25:61", "a=1;b=2&%zz=1&=&&&", "id=1&id=2&id=x&do=delete",
		"at=9223372036854775807&total=-1&back=//evil.example", "name=Webhooks.DispatchDelay", "nameFilter=%25&eventFilter=x&statusFilter=2",
		"location=main&type=question.created&tag=GO&q=" + strings.Repeat("%C3%A9", 300), "who=Mary%20Wilkins&about=webhook&q=_",
	} {
		for i := n % 3; i < len(filtered); i += 3 { // a third of all pairs is enough to begin with
			f.Add(uint8(i), query)
		}
	}
	f.Fuzz(func(t *testing.T, page uint8, query string) {
		a.ask(t, filtered[int(page)%len(filtered)], query)
	})
}

// FuzzCursor: no place in a list, forged or not, breaks it.
func FuzzCursor(f *testing.F) {
	a := newAsker(f)
	f.Add("2026-11-21T00:00:00Z", int64(1), uint8(0), false)
	f.Add("9999-12-31T23:59:59.999999999Z", int64(1<<62), uint8(1), true)
	f.Add("0000-01-01T00:00:00Z", int64(-1), uint8(2), true)
	f.Add("\x00", int64(0), uint8(3), false)
	f.Add("main' or 1=1 --\xff", int64(7), uint8(4), true)
	f.Fuzz(func(t *testing.T, key string, id int64, sort uint8, back bool) {
		text, err := json.Marshal(map[string]any{"k": key, "i": id})
		if err != nil {
			t.Fatal(err)
		}
		name := "after"
		if back {
			name = "before"
		}
		query := url.Values{
			name: {base64.RawURLEncoding.EncodeToString(text)}, "sort": {[]string{"created", "type", "team", "", "odd"}[sort%5]}, "dir": {[]string{"desc", "asc"}[sort%2]},
		}
		a.ask(t, "/admin/webhooks", query.Encode())
		query.Set("before", web.FormatID(id))
		for _, path := range []string{"/admin/deliveries", "/admin/trigger-history", "/admin/audit"} {
			a.ask(t, path, query.Encode())
		}
	})
}

// FuzzExportCells: for any content of a delivery, its line in the export has as
// many cells as the head, no spreadsheet finds a formula in it, and apart from
// apostrophes it has the content unchanged.
func FuzzExportCells(f *testing.F) {
	for _, text := range []string{
		"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1", "a,b", "\"q\"", "a\r\nb", "a;=1", "\x00=1", "\ufeff=1", "\u00a0=1", "\u200b=1", "'=1", "-", "",
		"=cmd|' /C calc'!A0", "\u2028=1", "\v=1", "a\n=1", "a;\"=1", ", \n=1", ";\x00,\"\"\u200b-1", "\t\t=;=",
	} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, name, reason string) {
		row := models.DeliveryRow{Delivery: models.Delivery{PublicID: "msg_1", State: models.DeliveryFailed, Reason: reason, CreatedAt: time.Unix(0, 0)}}
		row.Webhook.Name = name
		line := deliveries.CsvLine(deliveries.NewExported(row).Cells())
		read, err := csv.NewReader(strings.NewReader(line)).Read()
		if err != nil || len(read) != len(deliveries.ExportColumns) {
			t.Fatalf("%q, %q: %d cells, %v", name, reason, len(read), err)
		}
		bare := strings.NewReplacer("'", "", "\r\n", "\n").Replace // as the reader of the package has it
		for i, cell := range map[int]string{2: name, 17: reason} {
			if bare(read[i]) != bare(cell) {
				t.Errorf("%q became %q", cell, read[i])
			}
			for field := range strings.FieldsFuncSeq(read[i], func(r rune) bool { return strings.ContainsRune(";,\t\r\n", r) }) {
				seen := strings.TrimLeftFunc(field, func(r rune) bool { return r == '"' || unicode.IsSpace(r) || !unicode.IsPrint(r) })
				if first, _ := utf8.DecodeRuneInString(seen); seen != "" && strings.ContainsRune("=+-@＝＋－＠", first) {
					t.Errorf("%q is exported as %q", cell, read[i])
				}
			}
		}
	})
}
