package superoffice

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/api/ingest"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

func (d *desk) events() []models.Event {
	d.t.Helper()
	page, err := d.store.Events.Search(d.t.Context(), models.EventQuery{Within: models.AllLocations(), Limit: 100})
	d.must(err)
	return page.Rows
}

func TestSuperOfficeSignal(t *testing.T) {
	onBothStores(t, func(d *desk) {
		r := d.do(http.MethodPost, "/v1/Webhook/window.closed/7", `{"windowName":"foo","widgets":1e400}`)
		if r.status != http.StatusNoContent || r.body != "" {
			d.t.Fatalf("%d %s", r.status, r.body)
		}
		rows := d.events()
		if len(rows) != 1 || d.woken.Load() != 1 {
			d.t.Fatalf("%+v, woken %d", rows, d.woken.Load())
		}
		row, err := d.store.Events.ByID(t.Context(), models.AllLocations(), rows[0].ID)
		d.must(err)
		e, err := wire.Decode(row.Payload, row.OccurredAt)
		d.must(err)
		if row.Type != "window.closed" || row.Subject != "7" || row.Location != "main" || string(e.Data) != `{"windowName":"foo","widgets":1e400}` || e.Subject != "7" {
			d.t.Errorf("%+v %s", row, row.Payload)
		}
		if types := <-d.counts; types["custom"] != 1 {
			d.t.Errorf("counted %v", types)
		}
		// Of the CRM's own entities too, without values, at the token's location.
		d.token = d.newToken(models.ScopeSuperOffice, "sales")
		for _, body := range []string{"", "null", "{}"} {
			if r = d.do(http.MethodPost, "/v1/Webhook/contact.changed/0", body); r.status != http.StatusNoContent {
				d.t.Errorf("%q: %d %s", body, r.status, r.body)
			}
		}
		if rows = d.events(); len(rows) != 4 || rows[0].Location != "sales" || rows[0].Type != "contact.changed" || rows[0].Subject != "0" {
			d.t.Errorf("%+v", rows)
		}
		if types := <-d.counts; types["contact.changed"] != 1 {
			d.t.Errorf("counted %v", types)
		}
		// A switched-off feature holds deliveries, not events.
		d.feature("False")
		if r = d.do(http.MethodPost, "/v1/Webhook/lead.scored/2147483647", ""); r.status != http.StatusNoContent {
			d.t.Errorf("%d %s", r.status, r.body)
		}
	})
}

func TestSuperOfficeSignalRefusals(t *testing.T) {
	onSQLite(t, func(d *desk) {
		for _, tc := range []struct{ path, body, says string }{
			{"/lead/7", "", "EventName:"},
			{"/Lead.Scored/7", "", "EventName:"},
			{"/contact.exploded/7", "", "EventName: It is an unknown event: contact has"},
			{"/question.created/7", "", "EventName: question.created needs more"},
			{"/user.created/7", "", "EventName:"},
			{"/webhook.broken/7", "", "EventName:"},
			{"/" + strings.Repeat("a", 200) + ".b/7", "", "EventName:"},
			{"/lead.scored/-1", "", "PrimaryKey:"},
			{"/lead.scored/x", "", "PrimaryKey:"},
			{"/lead.scored/2147483648", "", "PrimaryKey:"},
			{"/lead.scored/1.0", "", "PrimaryKey:"},
			{"/lead.scored/7", "[1]", "Data: The values must be"},
			{"/lead.scored/7", `"x"`, "Data: The values must be"},
			{"/lead.scored/7", `{"a":1,"a":2}`, "appears twice"},
			{"/lead.scored/7", `{"a":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, "Data: "},
		} {
			d.refused(d.do(http.MethodPost, "/v1/Webhook"+tc.path, tc.body), http.StatusBadRequest, tc.says)
		}
		d.refused(d.do(http.MethodPost, "/v1/Webhook/lead.scored/7", `{"a":"`+strings.Repeat("x", ingest.MaxEvent)+`"}`), http.StatusRequestEntityTooLarge)
		if len(d.events()) != 0 || d.woken.Load() != 0 {
			d.t.Errorf("%+v", d.events())
		}
	})
}
