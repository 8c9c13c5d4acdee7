package app_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/html"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// odd is a text that would be elements, attributes and a script if a page did
// not show it as text. Its name says which field it was put into.
func odd(name string) string {
	return `"><x-` + name + ` onclick=bad()>'<script>bad()</script>&amp; ` + rightToLeft
}

// rightToLeft would reverse the text beside it.
const rightToLeft = "שלום"

// plainOdd is odd for fields that accept only ASCII.
func plainOdd(name string) string { return strings.TrimSuffix(odd(name), " "+rightToLeft) }

// walk is a visit to every page there is, by the links of those before.
type walk struct {
	t       *testing.T
	b       *apptest.Browser
	check   func(what, page string)
	seen    map[string]bool
	kinds   map[string]int // visits by kind of address
	visited int
}

func newWalk(t *testing.T, b *apptest.Browser, check func(what, page string)) *walk {
	return &walk{t: t, b: b, check: check, seen: map[string]bool{}, kinds: map[string]int{}}
}

var (
	partOfPath = regexp.MustCompile(`/([0-9]+|msg_[^/]+|[0-9a-f-]{36})`)
	eventPage  = regexp.MustCompile(`^/admin/trigger-history/[0-9]+$`)
)

// each of a kind is visited so often: its filters, places and things differ in
// their values alone.
const visitsOfAKind = 3

func (w *walk) from(paths ...string) {
	w.t.Helper()
	for len(paths) > 0 {
		path := paths[0]
		paths = paths[1:]
		at, err := url.Parse(path)
		ok(w.t, err)
		kind := partOfPath.ReplaceAllString(at.Path, "/*") + "?" + strings.Join(slices.Sorted(func(yield func(string) bool) {
			for name := range at.Query() {
				if !yield(name) {
					return
				}
			}
		}), "&")
		if eventPage.MatchString(path) { // each event says something else
			kind = path
		}
		if w.seen[path] || w.kinds[kind] >= visitsOfAKind {
			continue
		}
		w.seen[path] = true
		w.kinds[kind]++
		a := w.b.Get(path)
		w.visited++
		switch {
		case a.Code == http.StatusSeeOther:
			paths = append(paths, a.Header.Get("Location"))
			continue
		case a.Code >= 500:
			w.t.Errorf("%s: %d", path, a.Code)
		case !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html"):
			continue
		}
		w.check(path, a.Body)
		paths = append(paths, localLinks(w.t, a.Body)...)
	}
}

func localLinks(t *testing.T, page string) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	ok(t, err)
	var links []string
	for n := range root.Descendants() {
		to, _, _ := strings.Cut(attribute(n, "href"), "#")
		if n.Data == "a" && strings.HasPrefix(to, "/") {
			links = append(links, to)
		}
	}
	return links
}

// roots are where a walk begins; all else is reached by links.
var roots = []string{
	"/admin/webhooks", "/admin/deliveries", "/admin/trigger-history", "/admin/locations", "/admin/members", "/admin/tokens",
	"/admin/audit", "/developer/site-settings", "/admin/system", "/account/password",
	"/admin/webhooks/new?type=generic", "/admin/webhooks/new?type=slack", "/admin/webhooks/new?type=stackauth",
	"/admin/webhooks/new?type=userecho", "/admin/webhooks/new?type=superoffice", "/admin/nothing", "/admin/webhooks/999",
}

// TestPagesAreValid reads every page: of a new installation, with refused
// forms, and of a viewer. TestTextStaysText reads the filled ones.
func TestPagesAreValid(t *testing.T) {
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"))
	b := in.Login()
	check := func(what, page string) { valid(t, what, page) }
	w := newWalk(t, b, check)
	w.from(roots...)
	if w.visited < 20 {
		t.Errorf("only %d pages of a new installation", w.visited)
	}
	refused := func(path string, code int, form url.Values) {
		t.Helper()
		a := b.Post(path, form)
		if a.Code != code {
			t.Errorf("POST %s: %d, want %d", path, a.Code, code)
		}
		check("refused "+path, a.Body)
	}
	b.Set("Webhooks.EnableGenericWebhooks", "True")
	for _, kind := range []string{"generic", "slack", "stackauth", "userecho", "superoffice"} {
		path := "/admin/webhooks/new?type=" + kind
		refused(path, http.StatusUnprocessableEntity, url.Values{"do": {"save"}, "tag_mode": {"odd"}, "community": {"none"}, "secret_1": {"x"}, "secret_2": {"x"}, "headers": {"Host: x"}, "option_digest": {"x"}, "option_properties": {"x"}, "option_errors_email": {"x"}, "url": {"x"}})
		refused(path, http.StatusOK, url.Values{"do": {"preview"}, "location": {"main"}, "name": {"x"}, "url": {"https://example.com/"}, "events": {"question.created"}})
	}
	refused("/admin/webhooks/new?type=generic", http.StatusOK, url.Values{"do": {"generate_1"}})
	refused("/admin/webhooks/bulk", http.StatusUnprocessableEntity, nil)
	refused("/developer/site-settings/edit?name=Webhooks.DispatchDelay", http.StatusUnprocessableEntity, url.Values{"value": {"x"}})
	refused("/admin/members", http.StatusUnprocessableEntity, url.Values{"email": {"x"}, "role": {"x"}})
	refused("/admin/tokens", http.StatusUnprocessableEntity, url.Values{"scope": {"x"}})
	refused("/admin/locations", http.StatusUnprocessableEntity, url.Values{"slug": {"X X"}})
	refused("/admin/locations/main", http.StatusUnprocessableEntity, url.Values{"name": {""}, "description": {"\x00"}})
	refused("/account/password", http.StatusUnprocessableEntity, url.Values{"password": {"x"}, "new_password": {"y"}})
	refused("/admin/members/1/remove", http.StatusUnprocessableEntity, nil)
	refused("/admin/deliveries/resend", http.StatusUnprocessableEntity, nil)
	refused("/attention", http.StatusUnprocessableEntity, nil)
	refused("/admin/audit", http.StatusMethodNotAllowed, nil)
	b.Set("Webhooks.EnableTriggerHistory", "False")
	b.Set("Webhooks.EnableGenericWebhooks", "False")
	w = newWalk(t, b, check)
	w.from("/admin/trigger-history", "/admin/trigger-history/none", "/admin/webhooks")
	b.Post("/logout", nil)
	check("log in", b.Get("/login").Body)
	refused("/login", http.StatusUnauthorized, url.Values{"email": {"x"}, "password": {"y"}})
}

// oddWorld fills every field with odd text, by the pages and the API, and has
// some of it delivered to a receiver whose answers are odd too.
func oddWorld(t *testing.T) (*apptest.Instance, *apptest.Browser) {
	t.Helper()
	in := apptest.Serve(t, apptest.Environment(t, "sqlite"))
	b := in.Login()
	b.Quick()
	took := func(path string, form url.Values) {
		t.Helper()
		if a := b.Post(path, form); a.Code != http.StatusSeeOther && a.Code != http.StatusOK {
			_, main, _ := strings.Cut(a.Body, "<main")
			t.Fatalf("POST %s: %d %s", path, a.Code, main)
		}
	}
	took("/admin/locations/main", url.Values{"name": {odd("location")}, "description": {odd("about")}})
	took("/admin/locations", url.Values{"slug": {"more"}, "name": {odd("more")}})
	a := b.Post("/admin/members", url.Values{"email": {"odd@example.com"}, "name": {odd("member")}, "role": {"administrator"}})
	given := regexp.MustCompile(`id="given-password">([^<]+)<`).FindStringSubmatch(a.Body)
	if given == nil {
		t.Fatalf("no password was given: %s", a.Body)
	}
	word := given[1]
	b.Post("/logout", nil)
	took("/login", url.Values{"email": {"odd@example.com"}, "password": {word}})
	took("/account/password", url.Values{"password": {word}, "new_password": {"correct horse"}, "new_password_again": {"correct horse"}})
	took("/developer/site-settings/edit?name=Webhooks.HistoryRetentionDays", url.Values{"value": {"29"}, "reason": {odd("reason")}})
	took("/admin/tokens", url.Values{"name": {odd("token")}, "scope": {"ingest"}})

	var gone atomic.Bool
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Odd", plainOdd("header"))
		w.Header().Set("Retry-After", "1")
		if gone.Load() {
			w.WriteHeader(http.StatusGone)
		}
		_, _ = io.WriteString(w, odd("answer"))
	}))
	t.Cleanup(r.Close)
	for _, kind := range []string{"generic", "stackauth", "userecho"} {
		page := b.Get("/admin/webhooks/new?type=" + kind).Body
		form := url.Values{
			"name": {odd("name-" + kind)}, "location": {"main"}, "tag_mode": {map[bool]string{true: "specific", false: "all"}[kind == "generic"]}, "tags": {strings.ToLower(odd("tag"))},
			"url": {r.URL + "/hook?key=" + url.QueryEscape(odd("query"))}, "headers": {"X-Own: " + plainOdd("value")}, "do": {"save"}, "events": {},
		}
		for _, box := range regexp.MustCompile(`name="events"[^>]*value="([^"]+)"`).FindAllStringSubmatch(page, -1) {
			form.Add("events", box[1])
		}
		if strings.Contains(page, "option_digest") {
			form.Set("option_digest", "sha256")
		}
		took("/admin/webhooks/new?type="+kind, form)
	}
	text := func(name string) string { return `"` + strings.ReplaceAll(odd(name), `"`, `\"`) + `"` }
	in.Accept(fmt.Sprintf(`{"events":[
		{"id":%s,"type":"question.created","community":"clan","actor":{"user_id":1,"display_name":%s},"question":{"question_id":1,"title":%s,"body":%s,"link":"https://site.example/1","tags":[%s],"owner":{"user_id":1,"display_name":%s}}},
		{"id":"user","type":"user.created","subject":"u1","data":{"display_name":%s}},
		{"id":"topic","type":"topic.created","subject":"1","data":{"header":%s}},
		{"id":"person","type":"person.changed","subject":"1","changes":[%s],"data":{"name":%s}}]}`,
		text("event"), text("actor"), text("title"), text("body"), strings.ToLower(text("tag")), text("owner"), text("user"), text("topic"), text("change"), text("crm")))
	apptest.Eventually(t, "the first deliveries", func() bool {
		var all []map[string]any
		ok(t, json.Unmarshal([]byte(b.Get("/admin/deliveries.json?state=delivered").Body), &all))
		return len(all) == 5
	})
	took("/admin/locations/main?community=clan", url.Values{"name": {odd("community")}, "description": {odd("clan")}})
	// One is paused by somebody with an odd name, one breaks.
	took("/admin/webhooks/2/pause", nil)
	gone.Store(true)
	in.Accept(strings.Replace(apptest.QuestionJSON("held", 3, ""), `"link"`, `"tags":[`+strings.ToLower(text("tag"))+`],"link"`, 1))
	apptest.Eventually(t, "a broken webhook", func() bool {
		return strings.Count(b.Get("/admin/webhooks?state=broken").Body, `class="why is-grey"`) == 1
	})
	took("/admin/webhooks/3/delete", nil)
	return in, b
}

// alone tells whether a text is all that its block says, or is isolated from
// the text beside it, so that its direction reverses nothing.
func alone(text *html.Node) bool {
	whole := strings.TrimSpace(text.Data)
	for n := text.Parent; n != nil; n = n.Parent {
		switch {
		case slices.Contains([]string{"bdi", "title", "pre", "code", "textarea", "option"}, n.Data) || attribute(n, "dir") == "auto":
			return true
		case strings.TrimSpace(textOf(n)) != whole && attribute(n, "aria-label") == "":
			return false
		case slices.Contains(blocks, n.Data) || slices.Contains([]string{"td", "th", "li", "dd", "dt", "label"}, n.Data):
			return true
		}
	}
	return false
}

var oddName = regexp.MustCompile(`"><x-([a-z-]+) `)

// staysText fails when a page made anything of odd text but text, and notes
// which ones it shows in full.
func staysText(t *testing.T, shown map[string]bool, what, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	ok(t, err)
	whole := func(text string) {
		for _, m := range oddName.FindAllStringSubmatch(text, -1) {
			inJSON := strings.ReplaceAll(odd(m[1]), `"`, `\"`)
			if strings.Contains(text, odd(m[1])) || strings.Contains(text, plainOdd(m[1])) || strings.Contains(text, inJSON) {
				shown[m[1]] = true
			}
		}
	}
	for n := range root.Descendants() {
		switch n.Type { //nolint:exhaustive // nothing else holds text
		case html.TextNode:
			whole(n.Data)
			if strings.Contains(n.Data, rightToLeft) && !alone(n) {
				t.Errorf("%s: not kept apart: %.200q in %s of %s", what, n.Data, n.Parent.Data, textOf(n.Parent.Parent))
			}
		case html.ElementNode:
			if strings.HasPrefix(n.Data, "x-") || n.Data == "script" && attribute(n, "src") == "" {
				t.Errorf("%s: an element came out of text: %s", what, n.Data)
			}
			for _, a := range n.Attr {
				whole(a.Val)
				if strings.HasPrefix(a.Key, "on") || strings.Contains(a.Key, "<") || a.Key == "href" && strings.HasPrefix(strings.ToLower(a.Val), "javascript:") {
					t.Errorf("%s: an attribute came out of text: %s", what, a.Key)
				}
			}
		}
	}
}

// TestTextStaysText puts script, quotes and right-to-left text into every field
// and reads every page: it is shown as text, in full, and turns nothing round.
func TestTextStaysText(t *testing.T) {
	_, b := oddWorld(t)
	shown := map[string]bool{}
	check := func(what, page string) {
		valid(t, what, page)
		staysText(t, shown, what, page)
	}
	w := newWalk(t, b, check)
	q := url.QueryEscape(odd("search"))
	w.from(append(slices.Clone(roots), "/admin/webhooks?tag="+q+"&q="+q, "/admin/deliveries?type="+q+"&from="+q, "/admin/trigger-history?q="+q+"&tag="+q+"&location="+q,
		"/admin/audit?q="+q+"&who="+q, "/admin/trigger-history?webhook=1&id="+q, "/admin/deliveries/"+url.PathEscape(odd("path")))...)
	if w.visited < 60 {
		t.Errorf("only %d pages", w.visited)
	}
	form := url.Values{"do": {"test"}, "location": {"main"}, "name": {odd("typed")}, "url": {odd("typed-url")}, "tags": {odd("typed-tag")}, "tag_mode": {"specific"}, "headers": {odd("typed-header")}, "secret_1": {odd("typed-secret")}}
	check("a refused form", b.Post("/admin/webhooks/new?type=generic", form).Body)
	form = url.Values{"do": {"save"}, "option_properties": {odd("property")}, "option_errors_email": {odd("errors")}}
	check("a refused form of another type", b.Post("/admin/webhooks/new?type=superoffice", form).Body)
	check("a refused log-in", b.Post("/login", url.Values{"email": {odd("e-mail")}, "next": {odd("next")}}).Body)
	check("a refused member", b.Post("/admin/members", url.Values{"email": {odd("e-mail")}, "name": {odd("m")}}).Body)
	check("a test", b.Post("/admin/webhooks/1/test", nil).Body)
	for _, name := range []string{
		"location", "about", "more", "community", "clan", "member", "reason", "token", "name-generic", "name-stackauth", "name-userecho", "tag", "property",
		"event", "actor", "title", "body", "owner", "user", "topic", "change", "crm", "answer", "header", "search", "typed", "typed-url", "typed-header", "typed-secret", "e-mail",
	} {
		if !shown[name] {
			t.Errorf("%s is shown in full on no page", name)
		}
	}
	for _, name := range []string{"query", "value"} {
		if shown[name] {
			t.Errorf("%s is shown and should not be", name)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(b.Get("/admin/deliveries.csv").Body)).ReadAll()
	ok(t, err)
	if !slices.ContainsFunc(rows, func(row []string) bool { return row[2] == odd("name-generic") }) {
		t.Errorf("the file of cells has %q", rows)
	}
	var list []struct {
		Webhook string
		HeldWhy string `json:"held_why"`
	}
	file := b.Get("/admin/deliveries.json")
	ok(t, json.Unmarshal([]byte(file.Body), &list))
	if !slices.ContainsFunc(list, func(d struct {
		Webhook string
		HeldWhy string `json:"held_why"`
	},
	) bool {
		return d.HeldWhy == "paused by "+odd("member")
	}) || !strings.HasPrefix(file.Header.Get("Content-Type"), "application/json") {
		t.Errorf("the file is %s", file.Body)
	}
}
