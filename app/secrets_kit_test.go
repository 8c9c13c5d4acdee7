package app_test

import (
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/PuerkitoBio/goquery"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "github.com/libtnb/sqlite"       // the driver sqlite

	"github.com/sitehooks/sitehooks/app/apptest"
	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// vault knows every secret that a test uses, and looks for them.
type vault struct {
	t       testing.TB
	mu      sync.Mutex
	secrets map[string]string // name → secret
}

func (v *vault) get(what string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.secrets[what]
}

// of are the secrets whose names begin with an owner.
func (v *vault) of(owner string) (list []string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for what, secret := range v.secrets {
		if strings.HasPrefix(what, owner+" ") {
			list = append(list, secret)
		}
	}
	return list
}

// make returns a new secret that no other text contains by chance.
func (v *vault) make(what string) string {
	return v.keep(what, strings.ReplaceAll(what, " ", "-")+"-"+strings.ToLower(rand.Text()))
}

func (v *vault) keep(what, secret string) string {
	v.t.Helper()
	if len(secret) < 12 {
		v.t.Fatalf("%s is %q", what, secret)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.secrets[what] = secret
	return secret
}

// without runs something where one secret may be seen.
func (v *vault) without(what string, run func()) {
	secret := v.get(what)
	v.mu.Lock()
	delete(v.secrets, what)
	v.mu.Unlock()
	run()
	v.keep(what, secret)
}

// spelt are ways in which frameworks write a text.
func spelt(secret string) []string {
	units := func(chars, verb string) string {
		return regexp.MustCompile(chars).ReplaceAllStringFunc(secret, func(c string) string { return fmt.Sprintf(verb, c[0]) })
	}
	return []string{
		secret, url.QueryEscape(secret), regexp.MustCompile("%..").ReplaceAllStringFunc(url.QueryEscape(secret), strings.ToLower), html.EscapeString(secret),
		strings.ReplaceAll(secret, "/", `\/`), units(`[=&+<>']`, `\u%04x`), units(`[=&+<>'/]`, `\u%04X`), units(`[/=+]`, "&#x%x;"), fmt.Sprintf("%q", secret),
		hex.EncodeToString([]byte(secret)), fmt.Sprintf("%X", secret), fmt.Sprintf("% x", secret), fmt.Sprintf("%d", []byte(secret)),
	}
}

// inBasic is a text in base64 behind a user, and at each place of a group.
func inBasic(secret string) (forms []string) {
	for _, before := range []string{"", "u", "us", "user:"} {
		forms = append(forms, base64.StdEncoding.EncodeToString([]byte(before+secret+"\n")))
	}
	return forms
}

// inner are forms of which parts depend on the text beside them: that part of a
// base64 which only the secret decides.
func inner(secret string) (forms []string) {
	for before := range 3 {
		whole := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("x", before) + secret))
		forms = append(forms, whole[before*8/6+1:len(whole)-1])
	}
	return forms
}

// none fails when a place holds a secret, as it is or in a coding.
func (v *vault) none(place, text string) {
	v.t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for what, secret := range v.secrets {
		forms := slices.Concat(spelt(secret), inner(secret))
		if raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_")); err == nil && len(raw) >= 16 {
			forms = append(forms, string(raw), hex.EncodeToString(raw))
		}
		for _, form := range forms {
			if i := strings.Index(text, form); i >= 0 {
				v.t.Errorf("%s: the %s is in it: …%s…", place, what, text[max(0, i-150):min(len(text), i+len(form)+50)])
				break
			}
		}
	}
}

// crawl reads every page that the links and forms of others lead to, and
// returns their number. Pages whose query differs in values alone are one.
func crawl(b *apptest.Browser, visit func(path, body string)) int {
	b.T.Helper()
	seen := map[string]bool{}
	next := []string{"/admin/webhooks", "/account/password", "/login/oidc", "/admin/nothing", "/metrics", "/admin/deliveries.csv", "/admin/deliveries.json"}
	for ; len(next) > 0; next = next[1:] {
		at, err := url.Parse(next[0])
		ok(b.T, err)
		if key := fmt.Sprint(at.Path, slices.Sorted(keysOf(at.Query()))); seen[key] || strings.HasPrefix(at.Path, "/static/") {
			continue
		} else if seen[key] = true; len(seen) > 1000 {
			b.T.Fatalf("the pages have no end: %s", next[0])
		}
		a := b.Get(at.RequestURI())
		visit(at.RequestURI(), a.Body+fmt.Sprint(a.Header))
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(a.Body))
		ok(b.T, err)
		doc.Find("a[href]").Each(func(_ int, link *goquery.Selection) {
			if to, err := at.Parse(link.AttrOr("href", "")); err == nil && to.Host == "" {
				next = append(next, to.RequestURI())
			}
		})
		if to := a.Header.Get("Location"); strings.HasPrefix(to, "/") {
			next = append(next, to)
		}
	}
	return len(seen)
}

func keysOf(v url.Values) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range v {
			if !yield(key) {
				return
			}
		}
	}
}

// openDatabase opens the database of an environment beside its instance.
func openDatabase(t testing.TB, env []string) *sql.DB {
	t.Helper()
	driver, at := "sqlite", "file:"+filepath.Join(apptest.ValueOf(env, "SITEHOOKS_DATA_DIR"), models.SQLiteFile)+"?_pragma=busy_timeout(60000)"
	if address := apptest.ValueOf(env, "DATABASE_URL"); address != "" {
		driver, at = "pgx", address
	}
	db, err := sql.Open(driver, at)
	ok(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// database looks at all tables, and with SQLite at the bytes of all files but
// the key's own.
func (v *vault) database(env []string) {
	v.t.Helper()
	v.none("the database", modelstest.DumpSQL(v.t, openDatabase(v.t, env)))
	dir := apptest.ValueOf(env, "SITEHOOKS_DATA_DIR")
	if dir == "" {
		return
	}
	files, err := os.ReadDir(dir)
	ok(v.t, err)
	for _, f := range files {
		if f.Name() == "secret.key" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		ok(v.t, err)
		v.none("the file "+f.Name(), string(raw))
	}
}

// tattler is a receiver that answers with all that it knows: every header and
// the address of the request, and the secrets that it shares with the sender.
type tattler struct {
	*apptest.Receiver
	failing atomic.Bool
}

func newTattler(t *testing.T, v *vault) (server *tattler, trust string) {
	t.Helper()
	server = &tattler{}
	server.Receiver, trust = apptest.NewTypesReceiver(t)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Headers", fmt.Sprint(r.Header))
		w.Header().Set("X-Address", r.RequestURI)
		owner, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		for i, secret := range v.of(owner) {
			w.Header().Set(fmt.Sprintf("X-Echo-%d", i), strings.Join(slices.Concat(spelt(secret), inBasic(secret)), ", "))
		}
		if server.failing.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprintf(w, "no such page: %s %v\n", strings.ReplaceAll(r.RequestURI, "/", `\/`), r.Header)
		for _, secret := range v.of(owner) {
			for _, form := range slices.Concat(spelt(secret), inBasic(secret)) {
				fmt.Fprintln(w, form, url.QueryEscape(form), strings.ReplaceAll(form, "/", `\/`))
			}
		}
	})
	return server, trust
}
