// Package static serves the files that the pages load besides their HTML:
// Stacks, the icons, app.css and the small ES modules.
//
// It promises: a page that takes its addresses from Path loads each file once,
// then never asks for it again until a release changes it. It does not know
// the pages, and it never serves a file that is not embedded.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed *.css *.svg js vendor
var embedded embed.FS

// Prefix is the path under which Handler expects to be mounted.
const Prefix = "/static/"

// contentTypes has every kind of file that is served. The types are not left
// to the system's table, which differs from machine to machine.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".txt": "text/plain; charset=utf-8",
}

// set is all the files with one hash over their names and contents. One for
// all, because ES modules import each other by relative addresses: under a hash
// of its own each module would load its neighbours by an outdated one.
type set struct {
	files map[string][]byte
	hash  string
}

var current = sync.OnceValue(func() set { return newSet(embedded) })

func newSet(from fs.FS) set {
	s, sum := set{files: map[string][]byte{}}, sha256.New()
	err := fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || contentTypes[path.Ext(name)] == "" {
			return err
		}
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		s.files[name] = content
		one := sha256.Sum256(content)
		sum.Write([]byte(name + "\x00"))
		sum.Write(one[:])
		return nil
	})
	if err != nil {
		panic(err) // an embedded file cannot fail to be read
	}
	s.hash = hex.EncodeToString(sum.Sum(nil))[:16]
	return s
}

// Path is the address of a file, like "app.css" or "vendor/icons.svg". It
// changes with the files' contents. It panics when there is no such file: a
// page that names one is faulty, and its first test shows it.
func Path(name string) string {
	return current().path(name)
}

func (s set) path(name string) string {
	if _, ok := s.files[name]; !ok {
		panic("static: no file " + name)
	}
	return Prefix + s.hash + "/" + name
}

// Handler serves the files under Prefix, compressed beforehand. An address of
// Path may be kept for a year. With another release's hash, or with none, the
// same name gives the file as it is now, to be asked for again each time: while
// instances are being replaced, a page of one may load its files from another.
func Handler() http.Handler {
	return shared()
}

var shared = sync.OnceValue(func() handler { return newHandler(current()) })

type handler struct {
	set
	zipped map[string][]byte // only where that is smaller
}

func newHandler(s set) handler {
	h := handler{set: s, zipped: map[string][]byte{}}
	for name, content := range s.files {
		if small := compress(content); len(small) < len(content) {
			h.zipped[name] = small
		}
	}
	return h
}

// ServeHTTP leaves conditions and ranges to http.ServeContent.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, keep := h.find(strings.TrimPrefix(r.URL.Path, Prefix))
	content, ok := h.files[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	header := w.Header()
	header.Set("Content-Type", contentTypes[path.Ext(name)])
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-cache")
	if keep {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	tag := h.hash
	if small, ok := h.zipped[name]; ok {
		header.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			content, tag = small, tag+"-gzip"
			header.Set("Content-Encoding", "gzip")
		}
	}
	header.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}

// find takes the hash off an address and tells whether it is the current one.
func (s set) find(address string) (name string, keep bool) {
	if hash, rest, ok := strings.Cut(address, "/"); ok && len(hash) == len(s.hash) {
		return rest, hash == s.hash
	}
	return address, false
}
