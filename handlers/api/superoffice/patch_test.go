package superoffice

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/models"
)

const (
	asOperations = "application/json-patch+json"
	asMerge      = "application/merge-patch+json"
)

func TestSuperOfficePatchOperations(t *testing.T) {
	onBothStores(t, func(d *desk) {
		h := d.created(map[string]any{
			"Secret": "first", "Headers": map[string]string{"X-A": "1", "X-B": "2"}, "Properties": map[string]any{"a/b": "é", "n": 1},
		})
		got := d.ok(d.do(http.MethodPatch, pathOf(h), `[
			{"op":"test","path":"/Name","value":"My hook"},
			{"op":"test","path":"/Properties/a~1b","value":"\u00e9"},
			{"op":"test","path":"state","value":1},
			{"op":"test","path":"/secret","value":null},
			{"OP":"Replace","PATH":"name","VALUE":"Other"},
			{"op":"add","path":"/events/-","value":"lead.scored"},
			{"op":"remove","path":"/Events/0"},
			{"op":"copy","from":"/Properties/n","path":"/Properties/m"},
			{"op":"move","from":"properties/a~1b","path":"/Properties/c"},
			{"op":"remove","path":"/Headers/x-a"},
			{"op":"add","path":"/Headers/X-C","value":"3"},
			{"op":"replace","path":"/ErrorsEmail","value":"ops@example.com"},
			{"op":"replace","path":"/State","value":2}
		]`, "Content-Type", asOperations))
		_, o := d.opened(h.WebhookID)
		if *got.Name != "Other" || strings.Join(got.Events, ",") != "sale.sold,lead.scored" || string(got.Properties) != `{"n":1,"m":1,"c":"é"}` ||
			*got.ErrorsEmail != "ops@example.com" || got.State != "Stopped" || o.Secrets[0] != "first" ||
			len(o.Headers) != 2 || o.Headers[0] != (models.Header{Name: "X-B", Value: "2"}) || o.Headers[1] != (models.Header{Name: "X-C", Value: "3"}) {
			d.t.Errorf("%+v %+v", got, o)
		}
		// JSON says by itself which patch it is.
		got = d.ok(d.do(http.MethodPatch, pathOf(h), `[{"op":"remove","path":"/Headers"},{"op":"add","path":"/Secret","value":"second"},{"op":"remove","path":"/Properties"}]`))
		if _, o = d.opened(h.WebhookID); o.Secrets[0] != "second" || len(o.Headers) != 0 || string(got.Properties) != "{}" {
			d.t.Errorf("%+v", o)
		}
		if got = d.ok(d.do(http.MethodPatch, pathOf(h), `[]`)); *got.Name != "Other" {
			d.t.Errorf("%+v", got)
		}
	})
}

func TestSuperOfficePatchTestFails(t *testing.T) {
	onSQLite(t, func(d *desk) {
		h := d.created(map[string]any{"Secret": "first", "Headers": map[string]string{"X-A": "1"}})
		for _, test := range []string{
			`{"op":"test","path":"/Name","value":"Other"}`,
			`{"op":"test","path":"/Events/7","value":"contact.created"}`,
			`{"op":"test","path":"/Properties/none","value":1}`,
			`{"op":"test","path":"/State","value":"Stopped"}`,
			// Secrets cannot be guessed by a test operation.
			`{"op":"test","path":"/Secret","value":"first"}`,
			`{"op":"test","path":"/Headers/X-A","value":"1"}`,
		} {
			r := d.do(http.MethodPatch, pathOf(h), `[{"op":"replace","path":"/Name","value":"Changed"},`+test+`]`)
			d.refused(r, http.StatusConflict, "Patch[1]: The test of")
		}
		if w, _ := d.opened(h.WebhookID); w.Name != "My hook" {
			d.t.Errorf("%+v", w)
		}
	})
}

func TestSuperOfficePatchRefusals(t *testing.T) {
	onSQLite(t, func(d *desk) {
		h := d.created(nil)
		for _, tc := range []struct{ body, says string }{
			{`[1]`, "Patch[0]: It must be an object"},
			{`[null]`, "Patch[0]: It must be an object"},
			{`[{}]`, "Patch[0]: Its op must be"},
			{`[{"op":"erase","path":"/Name"}]`, "Patch[0]: Its op must be"},
			{`[{"op":1,"path":"/Name"}]`, "Patch[0]: Its op must be"},
			{`[{"op":"remove"}]`, "Patch[0]: It needs path"},
			{`[{"op":"remove","path":null}]`, "Patch[0]: It needs path"},
			{`[{"op":"remove","path":7}]`, "Patch[0]: "},
			{`[{"op":"add","path":"/Name"}]`, "Patch[0]: It needs value"},
			{`[{"op":"test","path":"/Name"}]`, "Patch[0]: It needs value"},
			{`[{"op":"move","path":"/Name"}]`, "Patch[0]: It needs from"},
			{`[{"op":"remove","path":"/Nickname"}]`, "A webhook has no key at /Nickname"},
			{`[{"op":"remove","path":"/Properties/none"}]`, "Patch[0]: "},
			{`[{"op":"replace","path":"/Events/9","value":"sale.sold"}]`, "Patch[0]: "},
			{`[{"op":"remove","path":"/Events/-1"}]`, "Patch[0]: "},
			{`[{"op":"add","path":"/Name/x","value":"y"}]`, "Patch[0]: "},
			{`[{"op":"replace","path":"","value":[]}]`, "Patch[0]: The result"},
			{`[{"op":"replace","path":"","value":null}]`, "Patch[0]: "},
			{`[{"op":"remove","path":""}]`, "Patch[0]: "},
			{`[{"op":"remove","path":"/Name"}]`, "Name: Enter"},
			{`[{"op":"replace","path":"/Events","value":["nonsense"]}]`, "Events: “nonsense”"},
			{`[{"op":"replace","path":"/WebhookId","value":99}]`, "WebhookId:"},
			{`[` + strings.Repeat(`{"op":"test","path":"/Name","value":"My hook"},`, 100) + `{"op":"test","path":"/Name","value":"My hook"}]`, "more than 100"},
			{doubling(30), "larger than"},
			{`"Name"`, "Body: It must be a list"},
			{`null`, "Body: It must be a list"},
			{``, "Body: It must be a list"},
			{`{"Name":""}`, "Name: Enter"},
			{`{"Name":"a","name":"b"}`, "Name: It appears twice"},
			{`{"Headers":{"X-A":"1","x-a":"2"}}`, "twice"},
			{`{"Events":null}`, "Events: Choose"},
			{`{"Headers":[]}`, "Headers: They must be"},
			{`{"Properties":{"Event":1}}`, "Properties: “Event”"},
		} {
			d.refused(d.do(http.MethodPatch, pathOf(h), tc.body, "Content-Type", api.TypeJSON), http.StatusBadRequest, tc.says)
		}
		d.refused(d.do(http.MethodPatch, pathOf(h), `[]`, "Content-Type", asMerge), http.StatusBadRequest, "Body:")
		d.refused(d.do(http.MethodPatch, pathOf(h), `{}`, "Content-Type", asOperations), http.StatusBadRequest, "Body:")
		if r := d.do(http.MethodGet, pathOf(h), ""); !strings.Contains(r.body, `"Name":"My hook","Events":["contact.created","sale.sold"]`) {
			d.t.Error(r.body)
		}
	})
}

// doubling makes the properties twice as large, n times.
func doubling(n int) string {
	operations := []string{`{"op":"add","path":"/Properties/a","value":"` + strings.Repeat("x", 1000) + `"}`}
	for i := range n {
		operations = append(operations, fmt.Sprintf(`{"op":"copy","from":"/Properties","path":"/Properties/c%d"}`, i))
	}
	return "[" + strings.Join(operations, ",") + "]"
}

func TestSuperOfficeMergePatch(t *testing.T) {
	onBothStores(t, func(d *desk) {
		h := d.created(map[string]any{
			"Secret": "first", "Headers": map[string]string{"X-A": "1", "X-B": "2"}, "ErrorsEmail": "ops@example.com",
			"Properties": map[string]any{"a": map[string]any{"b": 1, "c": 2}, "d": nil},
		})
		got := d.ok(d.do(http.MethodPatch, pathOf(h), `{"name":"Other","events":["quote.sent"],"secret":null,"state":"Stopped",
			"headers":{"x-a":null,"X-C":"3"},"Properties":{"a":{"b":null},"e":[null]},"ErrorsEmail":null,"Unknown":{}}`, "Content-Type", asMerge))
		_, o := d.opened(h.WebhookID)
		if *got.Name != "Other" || strings.Join(got.Events, ",") != "quote.sent" || got.State != "Stopped" || *got.ErrorsEmail != "" ||
			string(got.Properties) != `{"a":{"c":2},"d":null,"e":[null]}` || o.Secrets[0] != "first" || o.URL != d.target.URL+"/hook?a=1" ||
			len(o.Headers) != 2 || o.Headers[0].Value != "2" || o.Headers[1].Value != "3" {
			d.t.Errorf("%+v %s %+v", got, got.Properties, o)
		}
		d.ok(d.do(http.MethodPatch, pathOf(h), `{"Secret":"","Headers":null}`))
		if _, o = d.opened(h.WebhookID); o.Secrets[0] != "" || len(o.Headers) != 0 {
			d.t.Errorf("%+v", o)
		}
		got = d.ok(d.do(http.MethodPatch, pathOf(h), `{"State":"Active"}`))
		if got.State != "Active" || *got.Name != "Other" {
			d.t.Errorf("%+v", got)
		}
	})
}

// FuzzSuperOfficePatch: no patch makes the API panic, and the result of one is
// JSON.
func FuzzSuperOfficePatch(f *testing.F) {
	for _, seed := range []string{
		`[{"op":"test","path":"/Name","value":"a"}]`, `[{"op":"move","from":"/Events/0","path":"/Events/-"}]`, `{"Headers":{"X":null}}`,
		`[{"op":"copy","from":"","path":"/Properties/a"}]`, `[{"op":"replace","path":"","value":{}}]`, `[{"op":"remove","path":"/Headers/~2"}]`,
	} {
		f.Add(seed)
	}
	document := `{"WebhookId":1,"Name":"a","Events":["contact.created"],"Secret":null,"Headers":{"X":null},"Properties":{"a":[1,{"b":2}]}}`
	f.Fuzz(func(t *testing.T, body string) {
		value, err := api.ValidJSON([]byte(body))
		if err != nil {
			return
		}
		compacted, nul, deep := api.Compact(nil, value)
		if nul >= 0 || deep >= 0 {
			return
		}
		patched, err := (&call{body: compacted}).patched(t.Context(), []byte(document))
		if err != nil {
			return
		}
		if _, err := api.ValidJSON(patched); err != nil {
			t.Fatalf("%s makes %s: %v", body, patched, err)
		}
		if _, err := readDefinition(patched); err != nil {
			t.Fatalf("%s makes %s: %v", body, patched, err)
		}
	})
}
