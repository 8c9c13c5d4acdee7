package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
)

// chainTypes are the types that are also kinds of sources, and the events of
// their own that the chain carries.
var chainTypes = map[string]string{"generic": "", "stackauth": "user.updated", "userecho": "topic.satisfaction_changed", "superoffice": "contact.changed"}

// TestChainedInstances: one instance's webhooks are another's sources, one of
// each type. Every event that the first sends arrives at the second's receiver
// once and as it was; a webhook back to the first is refused there as a loop.
func TestChainedInstances(t *testing.T) {
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		direct, trust := apptest.NewTypesReceiver(t) // what the first instance sends
		final, _ := apptest.NewTypesReceiver(t)      // what comes out of the second; its certificate is the same
		first := apptest.Serve(t, apptest.Environment(t, kind), trust)
		second := apptest.Serve(t, apptest.Environment(t, kind), trust)
		a, b := first.Login(), second.Login()
		a.Quick()
		b.Quick()
		entrance := secure(t, second.Base)
		for name, own := range chainTypes {
			// A location of its own keeps what came over one type from the others.
			second.Accept(fmt.Sprintf(`{"id":"knock","type":"lead.scored","location":%q}`, name))
			addSource(t, b, name, url.Values{"name": {"from-" + name}, "location": {name}, "secret_1": {apptest.TypeSecrets[name]}})
			toFinal := chainForm(name, final.URL+"/"+name, own)
			toFinal.Set("location", name)
			b.CreateType(name, toFinal)
			a.CreateType(name, chainForm(name, direct.URL+"/"+name, own))
			a.CreateType(name, chainForm(name, entrance+"/in/from-"+name, own))
		}
		events := chainEvents()
		for _, e := range events {
			first.Accept(e)
		}
		for name := range chainTypes {
			apptest.Eventually(t, name+" out of the second instance", func() bool {
				return len(things(direct, name)) > 0 && len(things(final, name)) >= len(things(direct, name)) && len(things(direct, name)) == expected(name)
			})
		}
		// What comes later would be there now as well: it goes the same way.
		first.Accept(chainQuestion(99, "last"))
		for name := range chainTypes {
			apptest.Eventually(t, name+"'s last event", func() bool { return strings.Contains(strings.Join(things(final, name), ""), "Title 99") })
			want, arrived := things(direct, name), things(final, name)
			slices.Sort(want)
			slices.Sort(arrived)
			if !slices.Equal(want, arrived) {
				t.Errorf("%s: the first instance sent\n%s\nand out of the second came\n%s", name, strings.Join(want, "\n"), strings.Join(arrived, "\n"))
			}
			for _, d := range final.Of(name) {
				if err := apptest.VerifyType(name, d); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}

		// Back to the first: the second's webhook sends what came from there.
		addSource(t, a, "generic", url.Values{"name": {"back"}, "location": {"main"}, "secret_1": {apptest.TypeSecrets["generic"]}})
		back := chainForm("generic", first.Base+"/in/back", "")
		back.Set("location", "generic")
		b.CreateType("generic", back)
		first.Accept(chainQuestion(100, "round"))
		apptest.Eventually(t, "the loop on the page of the source", func() bool {
			return strings.Contains(a.Get("/admin/sources/back").Body, "This is a loop: the notification was sent by this installation and has come back.")
		})
		if strings.Contains(a.Get("/admin/trigger-history").Body, "back:") {
			t.Error("the first instance stored its own event again")
		}
	})
}

// TestACopyMayBeChained: a copied database refuses what the original sends as a
// loop, until it has an id of its own.
func TestACopyMayBeChained(t *testing.T) {
	env := apptest.WithKey(apptest.Environment(t, "sqlite"))
	original := apptest.Serve(t, env)
	a := original.Login()
	a.Quick()
	dir, addr := t.TempDir(), "SITEHOOKS_ADDR="+apptest.FreePort(t)
	copied := append(slices.Clone(env), "SITEHOOKS_DATA_DIR="+dir)
	_, errs, err := apptest.Output(t, env, "", "backup", filepath.Join(dir, models.SQLiteFile))
	if err != nil {
		t.Fatal(err, errs)
	}
	second := apptest.Serve(t, copied, addr)
	b := second.Login()
	addSource(t, b, "generic", url.Values{"name": {"original"}, "location": {"main"}, "secret_1": {apptest.TypeSecrets["generic"]}})
	a.CreateType("generic", chainForm("generic", second.Base+"/in/original", ""))
	original.Accept(chainQuestion(1, "before"))
	apptest.Eventually(t, "the copy takes the original for itself, and says what to do", func() bool {
		page := b.Get("/admin/sources/original").Body
		return strings.Contains(page, "This is a loop") && strings.Contains(page, "sitehooks id --new")
	})
	ok(t, second.Terminate())
	_, errs, err = apptest.Output(t, copied, "", "id", "--new")
	if err != nil {
		t.Fatal(err, errs)
	}
	apptest.Serve(t, copied, addr)
	original.Accept(chainQuestion(2, "after"))
	apptest.Eventually(t, "the original's event reaches the copy", func() bool {
		return strings.Contains(b.Get("/admin/trigger-history").Body, "Title 2")
	})
}

// secure is an address of an instance over https, with the certificate that
// the tests trust. SuperOffice sends to no other.
func secure(t *testing.T, base string) string {
	t.Helper()
	to, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }})
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func addSource(t *testing.T, b *apptest.Browser, kind string, form url.Values) {
	t.Helper()
	form.Set("do", "save")
	if a := b.Post("/admin/sources/new?kind="+kind, form); a.Code != http.StatusSeeOther {
		t.Fatalf("add a source of the kind %s: %d %s", kind, a.Code, a.Body)
	}
}

func chainForm(name, target, own string) url.Values {
	form := apptest.TypeForm(name, target)
	form.Set("url", target)
	if own != "" {
		form["events"] = append(slices.Clone(form["events"]), own)
	}
	return form
}

func chainQuestion(number int, id string) string {
	return fmt.Sprintf(`{"id":%q,"type":"question.created","question":{"question_id":%d,"title":"Title %d","link":"https://s.example/questions/%d/t","tags":["tea"]}}`,
		id, number, number, number)
}

// chainEvents are one of each activity of a Q&A site, and of other systems.
func chainEvents() []string {
	const q = `"question":{"question_id":12,"title":"Tea & <biscuits>","body":"é 🙂","link":"https://s.example/questions/12/tea","tags":["tea","b"],"score":3,"last_edit_date":1538680811651}`
	const a = `"answer":{"answer_id":21,"body":"<p>Both.</p>","score":-1,"owner":{"user_id":7,"display_name":"Mary"}}`
	const c = `"comment":{"comment_id":31,"body":"Why?"}`
	const who = `"actor":{"user_id":42,"display_name":"J Marshall"}`
	return []string{
		`{"id":"e1","type":"question.created",` + who + `,` + q + `}`,
		`{"id":"e2","type":"question.edited",` + who + `,` + q + `}`,
		`{"id":"e3","type":"answer.created",` + who + `,` + q + `,` + a + `}`,
		`{"id":"e4","type":"answer.edited",` + who + `,` + q + `,` + a + `}`,
		`{"id":"e5","type":"answer.accepted",` + who + `,` + q + `,` + a + `}`,
		`{"id":"e6","type":"comment.created",` + q + `,` + a + `,` + c + `}`,
		`{"id":"e7","type":"comment.created",` + q + `,` + strings.Replace(c, "31", "32", 1) + `}`,
		`{"id":"e8","type":"user.updated","subject":"u1","data":{"id":"u1","n":12345678901234567890.10}}`,
		`{"id":"e9","type":"topic.satisfaction_changed","subject":"5","data":{"id":5,"header":"H"}}`,
		`{"id":"e10","type":"contact.changed","subject":"18","changes":["name"],"data":{"z":1,"a":2}}`,
	}
}

// expected is how many of chainEvents a type carries.
func expected(name string) int {
	switch name {
	case "generic":
		return 7
	case "userecho":
		return 6 // edits have no name there
	default:
		return 8
	}
}

// ownOfDelivery are the parts of a body that are a delivery's or a webhook's own.
var ownOfDelivery = regexp.MustCompile(`"(EventId|WebhookName)":"[^"]*",?`)

// things are the items or bodies that arrived for a type.
func things(r *apptest.Receiver, name string) (all []string) {
	for _, d := range r.Of(name) {
		if name != "generic" {
			all = append(all, ownOfDelivery.ReplaceAllString(string(d.Body), ""))
			continue
		}
		all = append(all, itemsOf(d.Body)...)
	}
	return all
}

// itemsOf are the items of a generic body as they stand there.
func itemsOf(body []byte) (items []string) {
	var arrays map[string][]json.RawMessage
	if err := json.Unmarshal(body, &arrays); err != nil {
		return []string{err.Error()}
	}
	for _, array := range arrays {
		for _, item := range array {
			items = append(items, string(item))
		}
	}
	return items
}
