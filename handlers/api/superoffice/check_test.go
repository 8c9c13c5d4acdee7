package superoffice

import (
	"net/http"
	"strings"
	"testing"
)

// TestSuperOfficeRefusals: each fault is a clear 400 that names its key, on
// every way to say it, and nothing is stored.
func TestSuperOfficeRefusals(t *testing.T) {
	onSQLite(t, func(d *desk) {
		h := d.created(nil)
		for _, tc := range []struct {
			change map[string]any
			says   string
		}{
			{map[string]any{"Name": nil}, "Name: Enter"},
			{map[string]any{"Name": "  "}, "Name: Enter"},
			{map[string]any{"Name": 7}, "Name: It must be a string"},
			{map[string]any{"Name": strings.Repeat("é", 201)}, "Name: This is longer"},
			{map[string]any{"Name": "a\nb"}, "Name: This contains line breaks"},
			{map[string]any{"Events": nil}, "Events: Choose at least one"},
			{map[string]any{"Events": []string{}}, "Events: Choose at least one"},
			{map[string]any{"Events": "contact.created"}, "Events: They must be a list"},
			{map[string]any{"Events": []any{1}}, "Events: They must be a list"},
			{map[string]any{"Events": []string{"contact.exploded"}}, "Events: “contact.exploded”"},
			{map[string]any{"Events": []string{"contact.created", "nonsense"}}, "Events: “nonsense”"},
			{map[string]any{"Events": []string{"user.created"}}, "Events: “user.created”"},
			{map[string]any{"TargetUrl": nil}, "TargetUrl: Enter the URL"},
			{map[string]any{"TargetUrl": "http://example.com/hook"}, "TargetUrl: This type sends to https addresses only."},
			{map[string]any{"TargetUrl": "https://"}, "TargetUrl: "},
			{map[string]any{"TargetUrl": "https://user:pass@example.com/"}, "TargetUrl: The URL must not contain a user name"},
			{map[string]any{"TargetUrl": "https://10.0.0.1/"}, "TargetUrl: Sitehooks is not allowed to send"},
			{map[string]any{"TargetUrl": "https://169.254.169.254/"}, "SITEHOOKS_ALLOW_TARGETS"},
			{map[string]any{"TargetUrl": []string{}}, "TargetUrl: It must be a string"},
			{map[string]any{"Secret": strings.Repeat("x", 257)}, "Secret: Use 1 to 256"},
			{map[string]any{"Secret": "a\tb"}, "Secret: Use 1 to 256"},
			{map[string]any{"Secret": 12345}, "Secret: It must be a string"},
			{map[string]any{"State": "Asleep"}, "State: It must be"},
			{map[string]any{"State": 4}, "State: It must be"},
			{map[string]any{"State": true}, "State: It must be"},
			{map[string]any{"Type": "crmscript"}, "Type: The only supported type"},
			{map[string]any{"WebhookId": "1"}, "WebhookId: It must be"},
			{map[string]any{"WebhookId": 1.5}, "WebhookId: It must be"},
			{map[string]any{"ErrorsEmail": 1}, "ErrorsEmail: It must be a string"},
			{map[string]any{"ErrorsEmail": "a\r\nb"}, "ErrorsEmail: This is too long"},
			{map[string]any{"Headers": []string{"X-A"}}, "Headers: They must be a JSON object"},
			{map[string]any{"Headers": map[string]any{"X-A": 1}}, "Headers: The value of X-A"},
			{map[string]any{"Headers": map[string]any{"X-New": nil}}, "Headers: The header X-New has no value"},
			{map[string]any{"Headers": map[string]any{"X-A": "1", "x-a": "2"}}, "Headers: x-a appears twice"},
			{map[string]any{"Headers": map[string]any{"X-SuperOffice-Signature": "forged"}}, "Headers: The header X-SuperOffice-Signature is set"},
			{map[string]any{"Headers": map[string]any{"x-superoffice-anything": "forged"}}, "Headers: "},
			{map[string]any{"Headers": map[string]any{"webhook-signature": "forged"}}, "Headers: "},
			{map[string]any{"Headers": map[string]any{"Content-Length": "1"}}, "Headers: The header Content-Length is set"},
			{map[string]any{"Headers": map[string]any{"X-A": "a\r\nX-B: b"}}, "Headers: The value of the header X-A contains a line break"},
			{map[string]any{"Headers": map[string]any{"X A": "a"}}, "Headers: "},
			{map[string]any{"Properties": []int{1}}, "Properties: They must be"},
			{map[string]any{"Properties": map[string]any{"Event": "forged"}}, "Properties: “Event” is a key"},
			{map[string]any{"Properties": map[string]any{"primarykey": 1}}, "Properties: “primarykey” is a key"},
			{map[string]any{"Properties": map[string]any{"Values": 1}}, "Properties: “Values” is a key"},
			{map[string]any{"Properties": map[string]any{"a": strings.Repeat("x", 4096)}}, "Properties: This is too long"},
		} {
			body := d.body(tc.change)
			d.refused(d.do(http.MethodPost, "/v1/Webhook", body), http.StatusBadRequest, tc.says)
			d.refused(d.do(http.MethodPost, "/v1/Agents/Webhook/SaveWebhook", body), http.StatusBadRequest, tc.says)
			d.refused(d.do(http.MethodPut, pathOf(h), body), http.StatusBadRequest, tc.says)
			if strings.HasPrefix(tc.says, "Name: Enter") || strings.HasPrefix(tc.says, "Events: Choose at least") {
				continue // a test needs neither
			}
			d.refused(d.do(http.MethodPost, "/v1/Webhook/Test", body), http.StatusBadRequest, tc.says)
		}
		d.refused(d.do(http.MethodPost, "/v1/Webhook", `{"Secret":5,"TargetUrl":"http://a"}`), http.StatusBadRequest, "Secret:", "TargetUrl:", "Name:", "Events:")
		d.refused(d.do(http.MethodPut, pathOf(h), d.body(map[string]any{"WebhookId": h.WebhookID + 1})), http.StatusBadRequest, "WebhookId:")
		if d.count() != 1 || len(d.target.requests()) > 0 {
			d.t.Errorf("%d webhooks; the target was asked", d.count())
		}
	})
}

// TestSuperOfficeTargetMustAnswer: only 200 lets a webhook be saved.
func TestSuperOfficeTargetMustAnswer(t *testing.T) {
	onSQLite(t, func(d *desk) {
		for _, status := range []int{201, 204, 302, 404, 410, 500} {
			d.target.answers(status)
			d.refused(d.do(http.MethodPost, "/v1/Webhook", d.body(nil)), http.StatusBadRequest, "TargetUrl: The receiver did not accept the test notification: ")
		}
		// A certificate that nobody vouches for, and nobody there.
		stranger := newTarget(t)
		stranger.TLS.Certificates[0] = selfSigned(t)
		d.refused(d.do(http.MethodPost, "/v1/Webhook", d.body(map[string]any{"TargetUrl": stranger.URL})), http.StatusBadRequest, "TargetUrl: ", "certificate")
		stranger.Close()
		d.refused(d.do(http.MethodPost, "/v1/Webhook", d.body(map[string]any{"TargetUrl": stranger.URL})), http.StatusBadRequest, "TargetUrl: ")
		if d.count() != 0 || d.woken.Load() != 0 {
			d.t.Errorf("%d webhooks", d.count())
		}
		d.target.answers(http.StatusOK)
		d.created(nil)
	})
}

func TestSuperOfficeTest(t *testing.T) {
	onSQLite(t, func(d *desk) {
		const path = "/v1/Webhook/Test"
		var result testResult
		attempt := func(body string) testResult {
			d.t.Helper()
			r := d.do(http.MethodPost, path, body)
			if r.status != http.StatusOK || !hasKeys(r.body, "Success", "Message") {
				d.t.Fatalf("%d %s", r.status, r.body)
			}
			d.decode(r.body, &result)
			return result
		}
		// A target is enough.
		if got := attempt(`{"targetUrl":"` + d.target.URL + `","secret":"key"}`); !got.Success || !strings.Contains(got.Message, "HTTP 200 OK") || !strings.Contains(got.Message, "thanks for test") {
			d.t.Errorf("%+v", got)
		}
		if got := d.target.requests(); len(got) != 1 || !got[0].signedWith("key") {
			d.t.Errorf("%+v", got)
		}
		d.target.answers(http.StatusTeapot)
		got := attempt(d.body(map[string]any{"Headers": map[string]string{"X-Api-Key": "very private"}}))
		if got.Success || !strings.Contains(got.Message, "418") || strings.Contains(got.Message, "very private") {
			d.t.Errorf("%+v", got)
		}
		d.refused(d.do(http.MethodPost, path, `{"Name":"x"}`), http.StatusBadRequest, "TargetUrl:")
		d.refused(d.do(http.MethodPost, path, `{"WebhookId":9,"TargetUrl":"`+d.target.URL+`"}`), http.StatusNotFound)
		if d.count() != 0 {
			d.t.Error("a test was stored")
		}
		// A saved one is tried with the stored values, unless it would go
		// elsewhere.
		d.target.answers(http.StatusOK)
		h := d.created(map[string]any{"Secret": "stored secret", "Headers": map[string]string{"X-Api-Key": "very private"}})
		attempt(d.body(map[string]any{"WebhookId": h.WebhookID, "TargetUrl": d.target.URL + "/elsewhere"}))
		posted := d.target.requests()
		if len(posted) != 1 || !posted[0].signedWith("stored secret") || posted[0].header.Get("X-Api-Key") != "very private" {
			d.t.Errorf("%+v", posted)
		}
		d.refused(d.do(http.MethodPost, path, d.body(map[string]any{"WebhookId": h.WebhookID, "TargetUrl": d.other.URL})), http.StatusBadRequest, "Secret:", "Headers:")
		if len(d.other.requests()) > 0 {
			d.t.Error("the other host was asked")
		}
	})
}
