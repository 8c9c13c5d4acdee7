package superoffice

import (
	"fmt"
	"net/http"
	"testing"
)

const agent = "/v1/Agents/Webhook/"

func (d *desk) rpc(name, body string) received {
	d.t.Helper()
	return d.do(http.MethodPost, agent+name, body)
}

// TestSuperOfficeTwin: the RPC does the same as the REST API.
func TestSuperOfficeTwin(t *testing.T) {
	onBothStores(t, func(d *desk) {
		if got, want := d.rpc("CreateDefaultWebhook", "null"), d.do(http.MethodGet, "/v1/Webhook/default", ""); got.body != want.body || got.status != http.StatusOK {
			d.t.Errorf("%d %s", got.status, got.body)
		}
		h := d.ok(d.rpc("SaveWebhook", `{"webhookId":0,"name":"My hook","events":["contact.created"],"targetUrl":"`+d.target.URL+`","secret":"first","state":1,"type":"webhook"}`))
		if got := d.target.requests(); len(got) != 1 || !got[0].signedWith("first") {
			d.t.Errorf("%+v", got)
		}
		read := d.rpc(fmt.Sprintf("GetWebhook?webhookid=%d", h.WebhookID), "")
		if rest := d.do(http.MethodGet, pathOf(h), ""); read.body != rest.body {
			d.t.Errorf("%s, %s", read.body, rest.body)
		}
		saved := d.ok(d.rpc("SaveWebhook", fmt.Sprintf(`{"WEBHOOKID":%d,"NAME":"Other","EVENTS":["sale.sold"],"TARGETURL":%q,"STATE":"2"}`, h.WebhookID, d.target.URL)))
		if saved.WebhookID != h.WebhookID || *saved.Name != "Other" || saved.State != "Stopped" || d.count() != 1 {
			d.t.Errorf("%+v", saved)
		}
		for body, want := range map[string]string{
			"": "Other", "null": "Other", "{}": "Other", `{"nameFilter":null,"eventFilter":null,"statusFilter":0}`: "Other",
			`{"NameFilter":"other","statusfilter":"Stopped"}`: "Other", `{"statusFilter":1}`: "", `{"eventFilter":"sale.sold"}`: "Other", `{"nameFilter":"x"}`: "",
		} {
			if got := d.names(d.rpc("GetAllWebhooks", body)); got != want {
				d.t.Errorf("%s: %s", body, got)
			}
		}
		if r := d.rpc("TestWebhook", `{"Webhook":`+d.body(nil)+`}`); r.status != http.StatusOK || !hasKeys(r.body, "Success", "Message") {
			d.t.Errorf("%d %s", r.status, r.body)
		}
		for _, body := range []string{
			`{"eventName":"window.closed","primaryKey":7,"data":{"a":1}}`, `{"EventName":"window.closed","primaryKey":null}`, `{"eventName":"window.closed","data":null}`,
		} {
			if r := d.rpc("SignalEvent", body); r.status != http.StatusNoContent {
				d.t.Errorf("%s: %d %s", body, r.status, r.body)
			}
		}
		if rows := d.events(); len(rows) != 3 || rows[2].Subject != "7" || rows[0].Subject != "0" {
			d.t.Errorf("%+v", rows)
		}
		if r := d.rpc("GetLastError", fmt.Sprintf(`{"webhookId":%d}`, h.WebhookID)); r.status != http.StatusOK || r.body != `""` {
			d.t.Errorf("%d %s", r.status, r.body)
		}
		if r := d.rpc(fmt.Sprintf("DeleteWebhook?WebhookId=%d", h.WebhookID), "null"); r.status != http.StatusNoContent || r.body != "" || d.count() != 0 {
			d.t.Errorf("%d %s", r.status, r.body)
		}
		d.refused(d.rpc(fmt.Sprintf("GetWebhook?webhookId=%d", h.WebhookID), "null"), http.StatusNotFound)
		d.refused(d.rpc(fmt.Sprintf("DeleteWebhook?webhookId=%d", h.WebhookID), "null"), http.StatusNotFound)
		d.refused(d.rpc("GetLastError", fmt.Sprintf(`{"webhookId":%d}`, h.WebhookID)), http.StatusNotFound)
		d.refused(d.rpc("SaveWebhook", d.body(map[string]any{"WebhookId": h.WebhookID})), http.StatusNotFound)
	})
}

func TestSuperOfficeTwinRefusals(t *testing.T) {
	onSQLite(t, func(d *desk) {
		for _, tc := range []struct{ name, body, says string }{
			{"SaveWebhook", "null", "keys of a webhook"},
			{"SaveWebhook", `{"WebhookId":"x"}`, "WebhookId:"},
			{"SaveWebhook", `{"WebhookId":-1}`, "WebhookId:"},
			{"GetWebhook", "null", "webhookId:"},
			{"DeleteWebhook", "null", "webhookId:"},
			{"GetAllWebhooks", "[]", "Body:"},
			{"GetAllWebhooks", `{"nameFilter":1}`, "nameFilter:"},
			{"GetAllWebhooks", `{"statusFilter":9}`, "statusFilter:"},
			{"GetAllWebhooks", `{"statusFilter":[]}`, "statusFilter:"},
			{"GetAllWebhooks", `{"nameFilter":"a","NAMEFILTER":"b"}`, "nameFilter: It appears twice"},
			{"TestWebhook", "null", "webhook:"},
			{"TestWebhook", `{"webhook":[]}`, "keys of a webhook"},
			{"SignalEvent", "null", "EventName:"},
			{"SignalEvent", `{"eventName":5}`, "eventName:"},
			{"SignalEvent", `{"eventName":"a.b","primaryKey":"7"}`, "PrimaryKey:"},
			{"SignalEvent", `{"eventName":"a.b","primaryKey":-7}`, "PrimaryKey:"},
			{"SignalEvent", `{"eventName":"a.b","data":[]}`, "Data:"},
			{"GetLastError", "null", "webhookId:"},
		} {
			d.refused(d.rpc(tc.name, tc.body), http.StatusBadRequest, tc.says)
		}
		d.refused(d.rpc("GetLastError", `{"webhookId":"x"}`), http.StatusNotFound)
		if d.count() != 0 || len(d.events()) != 0 {
			d.t.Error("something was stored")
		}
	})
}
