package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func get(t *testing.T, h http.Handler, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestEveryFileIsServedForAYear(t *testing.T) {
	h := Handler()
	for name, want := range current().files {
		res := get(t, h, Path(name))
		if res.Code != http.StatusOK || !bytes.Equal(res.Body.Bytes(), want) {
			t.Errorf("%s: %d, or its content differs", name, res.Code)
		}
		if got := res.Header().Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control %q", name, got)
		}
		if got := res.Header().Get("Content-Type"); got == "" || got != contentTypes[filepath.Ext(name)] {
			t.Errorf("%s: Content-Type %q", name, got)
		}
	}
}

func TestGzip(t *testing.T) {
	h, path := Handler(), Path("app.css")
	for accept, want := range map[string]string{
		"gzip": "gzip", "gzip, deflate, br, zstd": "gzip", "br;q=1, GZIP;q=0.5": "gzip", "*": "gzip",
		"": "", "br": "", "gzip;q=0": "", "gzip; q=0.0, *": "", "*;q=0": "", "gzip;q=x": "",
	} {
		res := get(t, h, path, "Accept-Encoding", accept)
		answer := res.Body.Bytes()
		if got := res.Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q, want %q", accept, got, want)
		}
		if got := res.Header().Get("Content-Length"); want == "" && got != strconv.Itoa(len(answer)) {
			t.Errorf("Accept-Encoding %q: Content-Length %q for %d bytes", accept, got, len(answer))
		}
		if res.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: no Vary", accept)
		}
		if want == "gzip" && !bytes.Equal(unzip(t, answer), current().files["app.css"]) {
			t.Errorf("Accept-Encoding %q: the content differs", accept)
		}
	}
}

func unzip(t *testing.T, content []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func TestConditions(t *testing.T) {
	h, path := Handler(), Path("app.css")
	plain, zipped := get(t, h, path).Header().Get("ETag"), get(t, h, path, "Accept-Encoding", "gzip").Header().Get("ETag")
	if plain == "" || plain == zipped {
		t.Fatalf("ETags %s and %s have to differ", plain, zipped)
	}
	if res := get(t, h, path, "If-None-Match", plain); res.Code != http.StatusNotModified || res.Body.Len() != 0 {
		t.Errorf("its own ETag: %d", res.Code)
	}
	if res := get(t, h, path, "If-None-Match", plain, "Accept-Encoding", "gzip"); res.Code != http.StatusOK {
		t.Errorf("the other encoding's ETag: %d", res.Code)
	}
	if res := get(t, h, path, "Range", "bytes=0-9"); res.Code != http.StatusPartialContent || res.Body.Len() != 10 {
		t.Errorf("a range: %d", res.Code)
	}
}

// While a release is rolled out, a page of the one may ask the other for files.
func TestOtherHashesAreNotKept(t *testing.T) {
	files := fstest.MapFS{"app.css": {Data: []byte("a{}")}, "js/a.js": {Data: []byte("1")}, "secret.go": {Data: []byte("no")}}
	before := newSet(files)
	files["js/a.js"] = &fstest.MapFile{Data: []byte("2")}
	after := newSet(files)
	if before.hash == after.hash {
		t.Fatal("the hash stayed when a file changed")
	}
	h := newHandler(after)
	for _, path := range []string{before.path("js/a.js"), Prefix + "js/a.js"} {
		res := get(t, h, path)
		if got := res.Body.String(); got != "2" || res.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %q with Cache-Control %q", path, got, res.Header().Get("Cache-Control"))
		}
	}
	for _, name := range []string{"", "js", "js/", "nothing.css", "secret.go", "../static.go", after.hash + "/", after.hash + "/js/../app.css"} {
		if res := get(t, h, Prefix+name); res.Code != http.StatusNotFound {
			t.Errorf("%q: %d", name, res.Code)
		}
	}
}

func TestOnlyReadingMethods(t *testing.T) {
	for method, want := range map[string]int{http.MethodHead: http.StatusOK, http.MethodPost: http.StatusMethodNotAllowed} {
		w := httptest.NewRecorder()
		Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, Path("app.css"), nil))
		if w.Code != want || (want == http.StatusOK && w.Body.Len() != 0) {
			t.Errorf("%s: %d with %d bytes", method, w.Code, w.Body.Len())
		}
	}
}

func TestUnknownNamesPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a name without a file got an address")
		}
	}()
	Path("nothing.css")
}

// TestSpriteHasTheIconsNamed looks at the list that the sprite is built from
// and at the names that templates ask for.
func TestSpriteHasTheIconsNamed(t *testing.T) {
	has := map[string]bool{}
	for _, m := range regexp.MustCompile(`<symbol id="([^"]+)"`).FindAllStringSubmatch(string(current().files["vendor/icons.svg"]), -1) {
		has[m[1]] = true
	}
	list, err := os.ReadFile("assets/icons.txt")
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Fields(string(list)); !slices.Equal(want, slices.Sorted(maps.Keys(has))) {
		t.Errorf("the sprite and assets/icons.txt differ, or the list is not sorted: run make assets")
	}
	pages, err := filepath.Glob("../templates/*/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("no templates found: %v", err)
	}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bicon "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			if !has[m[1]] {
				t.Errorf("%s shows the icon %s, which is not in assets/icons.txt", page, m[1])
			}
		}
	}
}

// TestEveryClassIsUsed finds rules of app.css for classes that no template, no
// script and no handler writes.
func TestEveryClassIsUsed(t *testing.T) {
	var written strings.Builder
	comment := regexp.MustCompile(`(?m)(^|\s)//.*$`)
	for _, pattern := range []string{"../templates/*.html", "../templates/*/*.html", "js/*.js", "../handlers/*/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(name, "_test.go") {
				written.Write(comment.ReplaceAll(text, nil))
			}
		}
	}
	words := map[string]bool{}
	for _, word := range regexp.MustCompile(`[\w-]+`).FindAllString(written.String(), -1) {
		words[word] = true
	}
	css := regexp.MustCompile(`(?s)/\*.*?\*/|\{[^{}]*\}`).ReplaceAllString(string(current().files["app.css"]), "{}")
	classes := regexp.MustCompile(`\.([A-Za-z][\w-]*)`).FindAllStringSubmatch(css, -1)
	for _, m := range classes {
		if !words[m[1]] {
			t.Errorf("app.css has rules for .%s, which nothing has", m[1])
		}
	}
	if len(classes) < 200 {
		t.Errorf("only %d classes were found", len(classes))
	}
}

func BenchmarkHandler(b *testing.B) {
	for b.Loop() {
		newHandler(current())
	}
}
