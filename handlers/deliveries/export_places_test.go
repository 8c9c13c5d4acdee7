package deliveries_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

const exportedRows = 3*deliveries.ExportRows + 1

// newExportConsole has deliveries to export, and sends through a small buffer,
// so that an export stands still once nobody reads it.
func newExportConsole(t *testing.T, kind string, adjust ...func(*handlers.Deps)) *webtest.Console {
	t.Helper()
	c := webtest.NewConsoleOn(t, kind, adjust...)
	modelstest.Fill(t, c.Store, modelstest.Size{Webhooks: 20, Events: 100, Deliveries: exportedRows})
	server := httptest.NewUnstartedServer(c.Engine)
	server.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateNew {
			_ = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c.Server = server
	return c
}

// TestUnreadExportsHoldNobodyUp: one member has one export, however many are
// asked for, and exports that nobody reads keep neither pages nor other
// exports waiting.
func TestUnreadExportsHoldNobodyUp(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			c := newExportConsole(t, kind)
			administrator := c.Cookie
			c.LogIn(c.AddViewer())
			got := map[string]int{}
			var first net.Conn
			for range 270 {
				status, conn := c.Unread("/admin/deliveries.json")
				got[status]++
				if first == nil {
					first = conn
				}
			}
			if got["200"] != 1 || got["429"] != 269 {
				t.Errorf("of one member's exports: %v", got)
			}
			a := c.Get("/admin/deliveries.csv").Want(http.StatusTooManyRequests)
			if a.Header.Get("Retry-After") == "" || !strings.Contains(a.Text("main"), "one export at a time") {
				t.Errorf("it says %q, %v", a.Text("main"), a.Header)
			}
			c.Get("/admin/deliveries").Want(http.StatusOK)
			viewer := c.Cookie
			for i := range deliveries.ExportReads + 3 {
				email := fmt.Sprintf("viewer%d@example.com", i)
				c.LogIn(c.AddUser(models.User{Email: email, Name: email, PasswordHash: webtest.AdminHash(), Role: models.RoleViewer}))
				if status, _ := c.Unread("/admin/deliveries.csv"); status != "200" {
					t.Errorf("another member: %s", status)
				}
			}
			c.Cookie = administrator
			if rows := c.Exported(); len(rows) != exportedRows {
				t.Errorf("%d rows are exported beside them", len(rows))
			}
			c.Get("/admin/webhooks").Want(http.StatusOK)
			webtest.OK(t, first.Close())
			c.Cookie = viewer
			c.Await("the member's export has ended", func() bool { return c.Get("/admin/deliveries.csv").Status == http.StatusOK })
		})
	}
}

// TestExportShowsHowFarItIs: to the member whose export it is, while it goes on
// and when it has ended.
func TestExportShowsHowFarItIs(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			c := newExportConsole(t, kind)
			progress := func() (text string, a *webtest.Answer) {
				a = c.Get("/admin/deliveries/export").Want(http.StatusOK)
				return a.Text("section[aria-label=Progress]"), a
			}
			if text, a := progress(); text != "" || a.Header.Get("Refresh") != "" {
				t.Errorf("before any export it says %q", text)
			}
			// With two instances running, either may be sending it.
			webtest.OK(t, c.Store.Instances.Seen(t.Context(), models.Instance{ID: "one", Name: "one"}))
			webtest.OK(t, c.Store.Instances.Seen(t.Context(), models.Instance{ID: "jobs", Name: "jobs", Role: "jobs"})) // sends no page
			webtest.Says(t, "one instance", c.Get("/admin/deliveries/export").Text("main"), "The download begins immediately.")
			if _, a := progress(); a.Find("p[role=status]").Length() != 0 {
				t.Errorf("one instance says %q", a.Text("main"))
			}
			webtest.OK(t, c.Store.Instances.Seen(t.Context(), models.Instance{ID: "two", Name: "two"}))
			webtest.Says(t, "two instances", c.Get("/admin/deliveries/export").Text("main"), "another instance is sending it, and only that one knows how far it is")
			_, conn := c.Unread("/admin/deliveries.csv")
			for lines, read := 0, bufio.NewReader(conn); lines < deliveries.ExportRows+100; lines++ { // a part of the second chunk
				_, err := read.ReadString('\n')
				webtest.OK(t, err)
			}
			text, a := progress()
			percent, err := strconv.Atoi(a.Find("progress").AttrOr("value", ""))
			if err != nil || percent < 1 || percent > 99 || !strings.Contains(text, "1,000 deliveries written") ||
				!strings.Contains(text, "You can leave this page") || a.Header.Get("Refresh") != "2" {
				t.Errorf("while it goes on it says %q, %d %%, Refresh %q", text, percent, a.Header.Get("Refresh"))
			}
			webtest.OK(t, conn.Close())
			c.Await("the end of what was cancelled", func() bool { text, a = progress(); return strings.Contains(text, "is not complete") })
			if a.Header.Get("Refresh") != "" || a.Find("progress").Length() != 0 {
				t.Errorf("after it was cancelled it says %q", text)
			}
			c.Exported()
			c.Await("the end", func() bool { text, _ = progress(); return strings.Contains(text, "is complete") })
			if !strings.Contains(text, "3,001 deliveries written") {
				t.Errorf("at its end it says %q", text)
			}
			c.LogIn(c.AddViewer())
			if text, _ := progress(); text != "" {
				t.Errorf("another member reads %q", text)
			}
		})
	}
}

// TestExportThatNobodyReadsEnds: it is cut off once nothing has been read for
// a while, and says so in the log.
func TestExportThatNobodyReadsEnds(t *testing.T) {
	var log webtest.LogLines
	c := newExportConsole(t, "sqlite", func(d *handlers.Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	deliveries.GiveUpReaders(c.Areas.Deliveries, 50*time.Millisecond)
	if status, _ := c.Unread("/admin/deliveries.json"); status != "200" {
		t.Fatalf("status %s", status)
	}
	c.Await("the export is cut off", func() bool { return strings.Contains(log.String(), "export cut off") })
	deliveries.GiveUpReaders(c.Areas.Deliveries, time.Minute)
	c.Await("the place is free", func() bool { return c.Get("/admin/deliveries.json").Status == http.StatusOK })
}

// TestExportGoesOnWhereASearchStops: the matching rows lie beyond the rows that
// one search reads.
func TestExportGoesOnWhereASearchStops(t *testing.T) {
	c := webtest.NewConsole(t)
	modelstest.Fill(t, c.Store, modelstest.Size{Webhooks: 20, Events: 100, Deliveries: models.ScanMax + 100})
	c.Exec("update deliveries set event_types = ',answer.created,' where id = 1")
	for path, want := range map[string]int{"/admin/deliveries.json?type=answer.created": 1, "/admin/deliveries.json?type=comment.created": 0} {
		var rows []deliveries.Exported
		body := c.Get(path).Want(http.StatusOK).Body
		if err := json.Unmarshal([]byte(body), &rows); err != nil || len(rows) != want {
			t.Errorf("%s: %d rows, %v: %s", path, len(rows), err, body)
		}
	}
}
