package handlers

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

const exportedRows = 3*exportRows + 1

// newExportConsole has deliveries to export, and sends through a small buffer,
// so that an export stands still once nobody reads it.
func newExportConsole(t *testing.T, kind string, adjust ...func(*Deps)) *console {
	t.Helper()
	c := newConsoleOn(t, kind, adjust...)
	modelstest.Fill(t, c.store, modelstest.Size{Webhooks: 20, Events: 100, Deliveries: exportedRows})
	server := httptest.NewUnstartedServer(c.engine)
	server.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateNew {
			_ = conn.(*net.TCPConn).SetWriteBuffer(4 << 10)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	c.server = server
	return c
}

// TestUnreadExportsHoldNobodyUp: one member has one export, however many are
// asked for, and exports that nobody reads keep neither pages nor other
// exports waiting.
func TestUnreadExportsHoldNobodyUp(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			c := newExportConsole(t, kind)
			administrator := c.cookie
			c.logIn(c.addViewer())
			got := map[string]int{}
			var first net.Conn
			for range 270 {
				status, conn := c.unread("/admin/deliveries.json")
				got[status]++
				if first == nil {
					first = conn
				}
			}
			if got["200"] != 1 || got["429"] != 269 {
				t.Errorf("of one member's exports: %v", got)
			}
			a := c.get("/admin/deliveries.csv").want(http.StatusTooManyRequests)
			if a.Header.Get("Retry-After") == "" || !strings.Contains(a.text("main"), "one export at a time") {
				t.Errorf("it says %q, %v", a.text("main"), a.Header)
			}
			c.get("/admin/deliveries").want(http.StatusOK)
			viewer := c.cookie
			for i := range exportReads + 3 {
				email := fmt.Sprintf("viewer%d@example.com", i)
				c.logIn(c.addUser(models.User{Email: email, Name: email, PasswordHash: adminHash(), Role: models.RoleViewer}))
				if status, _ := c.unread("/admin/deliveries.csv"); status != "200" {
					t.Errorf("another member: %s", status)
				}
			}
			c.cookie = administrator
			if rows := c.exported(); len(rows) != exportedRows {
				t.Errorf("%d rows are exported beside them", len(rows))
			}
			c.get("/admin/webhooks").want(http.StatusOK)
			ok(t, first.Close())
			c.cookie = viewer
			c.await("the member's export has ended", func() bool { return c.get("/admin/deliveries.csv").Status == http.StatusOK })
		})
	}
}

// TestExportThatNobodyReadsEnds: it is cut off once nothing has been read for
// a while, and says so in the log.
func TestExportThatNobodyReadsEnds(t *testing.T) {
	var log logLines
	c := newExportConsole(t, "sqlite", func(d *Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	GiveUpReaders(c.areas.Deliveries, 50*time.Millisecond)
	if status, _ := c.unread("/admin/deliveries.json"); status != "200" {
		t.Fatalf("status %s", status)
	}
	c.await("the export is cut off", func() bool { return strings.Contains(log.String(), "export cut off") })
	GiveUpReaders(c.areas.Deliveries, time.Minute)
	c.await("the place is free", func() bool { return c.get("/admin/deliveries.json").Status == http.StatusOK })
}

// TestExportGoesOnWhereASearchStops: what matches lies beyond what one search
// looks at.
func TestExportGoesOnWhereASearchStops(t *testing.T) {
	c := newConsole(t)
	modelstest.Fill(t, c.store, modelstest.Size{Webhooks: 20, Events: 100, Deliveries: models.ScanMax + 100})
	c.exec("update deliveries set last_error = 'tls' where id = 1")
	for path, want := range map[string]int{"/admin/deliveries.json?error=tls": 1, "/admin/deliveries.json?error=dns": 0} {
		var rows []exported
		body := c.get(path).want(http.StatusOK).Body
		if err := json.Unmarshal([]byte(body), &rows); err != nil || len(rows) != want {
			t.Errorf("%s: %d rows, %v: %s", path, len(rows), err, body)
		}
	}
}
