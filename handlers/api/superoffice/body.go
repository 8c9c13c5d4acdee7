package superoffice

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/api"
)

// patchKind is the content type of a body, which matters only for PATCH.
type patchKind int

const (
	patchEither patchKind = iota // JSON: an array is a list of operations
	patchOperations
	patchMerge
)

var bodyTypes = map[string]patchKind{
	api.TypeJSON:                   patchEither,
	"text/json":                    patchEither,
	"application/json-patch+json":  patchOperations,
	"application/merge-patch+json": patchMerge,
}

// read takes the body of a request, whose absence is a null.
func (c *call) read(w http.ResponseWriter, q *api.Request) error {
	b, rej := q.Read(w, c.request)
	if rej != nil {
		return failureOf(rej)
	}
	defer b.Release()
	raw := bytes.TrimSpace(b.Text)
	if len(raw) == 0 {
		return nil
	}
	if err := c.readType(); err != nil {
		return err
	}
	value, err := api.ValidJSON(raw)
	if err != nil {
		return unreadable(err)
	}
	var nul, deep int
	c.body, nul, deep = api.Compact(nil, value)
	switch {
	case deep >= 0:
		return badKey(bodyKey(api.Dotted(api.PlaceOf(value, deep))), "It is nested deeper than %d levels.", api.MaxDepth)
	case nul >= 0:
		return badKey(bodyKey(api.Dotted(api.PlaceOf(value, nul))), `It contains the character NUL (\u0000), which cannot be stored.`)
	}
	return nil
}

func (c *call) readType() error {
	unknown := &failure{
		status:  http.StatusUnsupportedMediaType,
		message: "The body must be JSON in UTF-8, sent as application/json, or for PATCH as application/json-patch+json or application/merge-patch+json, without Content-Encoding.",
	}
	kind, params, err := mime.ParseMediaType(c.request.Header.Get("Content-Type"))
	patch, ok := bodyTypes[kind]
	charset := params["charset"]
	if err != nil || !ok || len(c.request.Header.Values("Content-Encoding")) > 0 || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
		return unknown
	}
	c.patch = patch
	return nil
}

// unreadable says where a body is no JSON.
func unreadable(err error) error {
	var f api.Faults
	f.Syntax(new(0), err)
	text := f[0].Message
	if errors.Is(err, api.ErrMoreJSON) {
		text = "is followed by something else"
	}
	return badKey(bodyKey(f[0].Field), "It %s.", text)
}

// bodyKey names the whole body where no key is to be named.
func bodyKey(field string) string {
	if field == "" {
		return "Body"
	}
	return field
}

// foldName is the name as the list spells it; empty: it is not there.
func foldName(names []string, name string) string {
	for _, known := range names {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return ""
}

func isNull(value []byte) bool { return len(value) == 0 || value[0] == 'n' }
