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
	"github.com/sitehooks/sitehooks/handlers/definition"
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
	return s.update(ctx, c, func(old *definition.Saved) (*givenWebhook, error) {
		document, err := c.patched(ctx, api.PlainJSON(entityOf(old.Webhook, old.Opened)))
		if err != nil {
			return nil, err
		}
		d, err := readDefinition(document)
		if err != nil {
			return nil, err
		}
		// Headers were there, so a document without them had them taken out.
		d.HeadersGiven = true
		return d, nil
	})
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

// operations are those of a JSON Patch.
var operations = map[string]bool{"add": true, "replace": true, "test": true, "remove": true, "move": true, "copy": true}

// operationBody is one operation as it comes in a body.
type operationBody struct {
	Op    value `json:"op" binding:"json_once"`
	Path  value `json:"path" binding:"json_once"`
	From  value `json:"from" binding:"json_once"`
	Value value `json:"value" binding:"json_once"`
}

// readOperation reads an operation of the patch on a document, its paths
// spelt as the document spells them.
func readOperation(at string, raw, document []byte) (patchOperation, error) {
	op := patchOperation{}
	if raw[0] != '{' {
		return op, badKey(at, "It must be an object with op and path.")
	}
	var in operationBody
	wrong := bind(raw, &in)
	if op.Op = strings.ToLower(in.Op.text()); !operations[op.Op] {
		return op, badKey(at, "Its op must be add, remove, replace, move, copy or test.")
	}
	if err := wrong.failure(); err != nil {
		return op, err
	}
	var err error
	if op.Path, err = operationPath(at, "path", in.Path, document); err != nil {
		return op, err
	}
	if op.Op == "move" || op.Op == "copy" {
		from, err := operationPath(at, "from", in.From, document)
		if err != nil {
			return op, err
		}
		op.From = &from
	}
	if op.Op == "add" || op.Op == "replace" || op.Op == "test" {
		if in.Value == "" {
			return op, badKey(at, "It needs value.")
		}
		op.Value = json.RawMessage(in.Value)
	}
	if op.Path == "/"+keyState && op.Value != nil {
		if name, ok := readState(in.Value); ok && name != "" {
			op.Value = api.PlainJSON(name)
		}
	}
	return op, nil
}

// operationPath is a path of an operation, spelt as the document spells it.
func operationPath(at, key string, typed value, document []byte) (string, error) {
	if typed == "" || typed[0] != '"' {
		return "", badKey(at, "It needs %s.", key)
	}
	path, ok := documentPath(typed.text(), document)
	if !ok {
		return "", badKey(at, "A webhook has no key at %s.", path)
	}
	return path, nil
}

var (
	unescapePath = strings.NewReplacer("~1", "/", "~0", "~")
	escapePath   = strings.NewReplacer("~", "~0", "/", "~1")
)

// documentPath is a path in the document's own spelling: its first part is a key
// whose case does not matter, and the names of headers have none either. The
// vendor lets the slash in front be left out. False: there is no such key.
func documentPath(path string, document []byte) (string, bool) {
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
	var in definitionBody
	wrong := bind(body, &in)
	if err := wrong.failure(); err != nil {
		return nil, err
	}
	if in.Headers.given() {
		names := headerNames(document)
		headers := map[string]json.RawMessage{}
		for name, text := range api.Members([]byte(in.Headers)) {
			known := foldName(names, string(name))
			if known == "" {
				known = string(name)
			}
			if _, twice := headers[known]; twice {
				return nil, badKey(keyHeaders, "%s appears twice.", known)
			}
			headers[known] = slices.Clone(text)
		}
		in.Headers = value(api.PlainJSON(headers))
	}
	merged, err := jsonpatch.MergePatch(document, api.PlainJSON(in))
	if err != nil {
		return nil, badKey("Body", "It cannot be applied to the webhook.")
	}
	return merged, nil
}
