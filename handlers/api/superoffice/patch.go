package superoffice

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/sitehooks/sitehooks/handlers/api"
)

const (
	maxOperations = 100
	maxPatched    = 256 << 10 // bytes of a definition, so that copies cannot grow for ever
)

// change applies a JSON Patch (RFC 6902) or a merge patch (RFC 7396) to a
// webhook and saves it. Both work on the webhook as programs see it: without a
// secret, and with headers without their values. A value stays unless the patch
// sets another one.
func (s *API) change(ctx context.Context, c *call) (answer, error) {
	w, err := s.named(ctx, c)
	if err != nil {
		return answer{}, err
	}
	old, err := s.rules.Open(w)
	if err != nil {
		return answer{}, err
	}
	document, err := c.patched(ctx, api.PlainJSON(entityOf(w, old.Opened)))
	if err != nil {
		return answer{}, err
	}
	d, err := readDefinition(document)
	if err != nil {
		return answer{}, err
	}
	// Headers were there, so a document without them had them taken out.
	d.HeadersGiven = true
	return s.update(ctx, c, old, d)
}

// patched applies the body to a document.
func (c *call) patched(ctx context.Context, document []byte) ([]byte, error) {
	switch kind := c.body[0]; {
	case kind == '[' && c.patch != patchMerge:
		return applyOperations(ctx, document, c.body)
	case kind == '{' && c.patch != patchOperations:
		return applyMerge(document, c.body)
	}
	return nil, badKey("Body", "It must be a list of operations (JSON Patch) or an object with the keys to change (merge patch).")
}

// patchOperation is one operation of a JSON Patch.
type patchOperation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	From  *string         `json:"from,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

// applyOperations applies one operation after the other; the first that fails
// ends it all, and so does the end of the request.
func applyOperations(ctx context.Context, document, body []byte) ([]byte, error) {
	options := jsonpatch.NewApplyOptions()
	options.SupportNegativeIndices, options.EscapeHTML = false, false
	n := 0
	for element := range api.Elements(body) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at := api.Item("Patch", n)
		if n++; n > maxOperations {
			return nil, badKey("Patch", "It has more than %d operations.", maxOperations)
		}
		op, err := readOperation(at, element, document)
		if err != nil {
			return nil, err
		}
		patch, err := jsonpatch.DecodePatch(api.PlainJSON([]patchOperation{op}))
		if err == nil {
			document, err = patch.ApplyWithOptions(document, options)
		}
		switch {
		case err != nil && op.Op == "test":
			return nil, &failure{
				status: http.StatusConflict,
				faults: keyFaults{{at, api.Clip("The test of " + op.Path + " failed: the webhook has another value there.")}},
			}
		case errors.Is(err, jsonpatch.ErrMissing):
			return nil, badKey(at, "There is nothing at %s.", op.Path)
		case err != nil:
			return nil, badKey(at, "It cannot be applied to %s.", op.Path)
		case len(document) > maxPatched:
			return nil, badKey(at, "It makes the webhook larger than %d bytes.", maxPatched)
		case document[0] != '{':
			return nil, badKey(at, "The result is not a webhook.")
		}
	}
	return document, nil
}

// operationNeeds are the keys of each operation besides op and path.
var operationNeeds = map[string][]string{
	"add": {"value"}, "replace": {"value"}, "test": {"value"}, "remove": nil, "move": {"from"}, "copy": {"from"},
}

// readOperation reads an operation of the patch on a document, its paths
// spelt as the document spells them.
func readOperation(at string, raw, document []byte) (patchOperation, error) {
	op := patchOperation{}
	if raw[0] != '{' {
		return op, badKey(at, "It must be an object with op and path.")
	}
	var wrong keyFaults
	parts := named(raw, []string{"op", "path", "from", "value"}, &wrong)
	op.Op = strings.ToLower(textArgument(parts, "op", &wrong))
	needs, known := operationNeeds[op.Op]
	if !known {
		return op, badKey(at, "Its op must be add, remove, replace, move, copy or test.")
	}
	for _, key := range append([]string{"path"}, needs...) {
		v := parts[key]
		if v == nil || key != "value" && v[0] != '"' {
			return op, badKey(at, "It needs %s.", key)
		}
		if key == "value" {
			op.Value = v
			continue
		}
		path, ok := spelt(api.Unquote(v), document)
		if !ok {
			return op, badKey(at, "A webhook has no key at %s.", path)
		}
		if key == "from" {
			op.From = &path
		} else {
			op.Path = path
		}
	}
	if op.Path == "/"+keyState && op.Value != nil {
		if name, ok := readState(op.Value); ok && name != "" {
			op.Value = api.PlainJSON(name)
		}
	}
	return op, wrong.failure()
}

var (
	unescapePath = strings.NewReplacer("~1", "/", "~0", "~")
	escapePath   = strings.NewReplacer("~", "~0", "/", "~1")
)

// spelt is a path in the document's own spelling: its first part is a key
// whose case does not matter, and the names of headers have none either. The
// vendor lets the slash in front be left out. False: there is no such key.
func spelt(path string, document []byte) (string, bool) {
	if path == "" {
		return "", true
	}
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	key := foldName(definitionKeys, unescapePath.Replace(parts[0]))
	if key == "" {
		return path, false
	}
	parts[0] = key
	if key == keyHeaders && len(parts) == 2 {
		if name := foldName(headerNames(document), unescapePath.Replace(parts[1])); name != "" {
			parts[1] = escapePath.Replace(name)
		}
	}
	return "/" + strings.Join(parts, "/"), true
}

// headerNames are those in a document.
func headerNames(document []byte) []string {
	var names []string
	for key, value := range api.Members(document) {
		if string(key) == keyHeaders && value[0] == '{' {
			for name := range api.Members(value) {
				names = append(names, string(name))
			}
		}
	}
	return names
}

// applyMerge applies a merge patch, whose keys have no case either.
func applyMerge(document, body []byte) ([]byte, error) {
	var wrong keyFaults
	keys := named(body, definitionKeys, &wrong)
	if err := wrong.failure(); err != nil {
		return nil, err
	}
	patch := map[string]json.RawMessage{}
	for key, value := range keys {
		patch[key] = value
	}
	if v := keys[keyHeaders]; v != nil && v[0] == '{' {
		names := headerNames(document)
		headers := map[string]json.RawMessage{}
		for name, value := range api.Members(v) {
			spelt := foldName(names, string(name))
			if spelt == "" {
				spelt = string(name)
			}
			if _, twice := headers[spelt]; twice {
				return nil, badKey(keyHeaders, "%s appears twice.", spelt)
			}
			headers[spelt] = slices.Clone(value)
		}
		patch[keyHeaders] = api.PlainJSON(headers)
	}
	merged, err := jsonpatch.MergePatch(document, api.PlainJSON(patch))
	if err != nil {
		return nil, badKey("Body", "It cannot be applied to the webhook.")
	}
	return merged, nil
}
