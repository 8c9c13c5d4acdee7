// Package openapi describes the management API, the ingest API and the cursors of
// followers as OpenAPI 3.1. The description is made of the table of operations, of the structs that are
// bound and answered, and of the tables by which events are checked, so that it
// cannot differ from them. It knows no requests.
package openapi

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/inbound"
	"github.com/sitehooks/sitehooks/handlers/api/ingest"
	"github.com/sitehooks/sitehooks/handlers/api/management"
	"github.com/sitehooks/sitehooks/models"
)

// Path is the address of the description.
const Path = management.Prefix + "/openapi.json"

// object is a part of the description.
type object = map[string]any

// Build returns the description for a version of Sitehooks.
func Build(version string) []byte {
	d := &describer{schemas: object{}}
	paths := object{}
	for _, route := range slices.Concat(management.Table(), cursors()) {
		path := management.Prefix + parameter.ReplaceAllString(route.Path, "{$1}")
		item, _ := paths[path].(object)
		if item == nil {
			item = object{}
			paths[path] = item
		}
		item[strings.ToLower(route.Method)] = d.operation(route)
	}
	events, _ := paths[management.Prefix+"/events"].(object)
	events["post"] = d.postEvents()
	d.schema(typeOf(api.ProblemDetails{}), false)
	addValues(d.schemas)
	return api.PlainJSON(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Sitehooks", "version": version,
			"summary":     "Webhooks of a site: report events, and manage who hears of them",
			"description": "Programs report what happens with a token of the scope ingest, read with read, and do what administrators do with manage. A token may be bound to one location. Faults are problem details (RFC 9457).",
			"license":     object{"name": "MIT", "identifier": "MIT"},
		},
		"servers":  []any{object{"url": "/"}},
		"security": []any{object{"token": []any{}}},
		"tags":     tags(),
		"paths":    paths,
		"components": object{
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer", "description": "A token, made on the page API tokens or with sitehooks token create"}},
			"schemas":         d.schemas,
		},
	})
}

var parameter = regexp.MustCompile(`:([a-z]+)`)

func tags() (list []any) {
	var seen []string
	for _, route := range management.Table() {
		if name := tagOf(route); !slices.Contains(seen, name) {
			seen = append(seen, name)
			list = append(list, object{"name": name, "description": "Operations on " + name + "."})
		}
	}
	return list
}

// tagOf is the first part of an operation's path.
func tagOf(route management.Route) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(route.Path, "/"), "/")
	return name
}

func (d *describer) operation(route management.Route) object {
	op := object{
		"operationId": route.Name, "summary": strings.TrimSuffix(route.Summary, "."), "tags": []string{tagOf(route)},
		"description": route.Summary + " Needs the scope " + route.Scope + ".", "security": scope(route.Scope),
	}
	var params []any
	for _, found := range parameter.FindAllStringSubmatch(route.Path, -1) {
		params = append(params, object{"name": found[1], "in": "path", "required": true, "schema": object{"type": "string"}, "description": pathWords[found[1]]})
	}
	params = append(params, d.query(route.Query)...)
	if route.Tagged && route.Method != http.MethodGet {
		for name, words := range map[string]string{"If-Match": "An ETag: change this version only", "If-None-Match": "*: only if there is none yet"} {
			params = append(params, object{"name": name, "in": "header", "schema": object{"type": "string"}, "description": words})
		}
		slices.SortFunc(params, func(a, b any) int { return strings.Compare(nameOf(a), nameOf(b)) })
	}
	if params != nil {
		op["parameters"] = params
	}
	body := object{}
	if route.Body != nil {
		body["schema"] = d.schema(typeOf(route.Body), true)
		_, needed := d.fields(typeOf(route.Body), true)["required"]
		op["requestBody"] = object{"required": needed, "content": object{api.TypeJSON: body}}
	}
	exemplify(route.Name, params, body)
	op["responses"] = d.responses(route)
	return op
}

// scope is the role that the token of an operation needs.
func scope(name string) []any { return []any{object{"token": []string{name}}} }

func nameOf(parameter any) string {
	p, _ := parameter.(object)
	name, _ := p["name"].(string)
	return name
}

// pathWords say what stands in an address.
var pathWords = map[string]string{
	"webhook": "Number or key of a webhook", "delivery": "Id of a delivery, as its receiver gets it", "event": "Our own number of an event",
	"name": "Name of a source", "setting": "Name of a site setting", "location": "Slug of a location",
}

func content(kind string, schema object) object { return object{kind: object{"schema": schema}} }

func (d *describer) responses(route management.Route) object {
	all := object{}
	for _, status := range slices.Concat(route.Faults, management.Common) {
		fault := d.fault(status)
		if route.Name == "putCursor" && status == http.StatusConflict {
			fault["headers"] = headers("Retry-After")
		}
		all[strconv.Itoa(status)] = fault
	}
	success := object{"description": meanings[route.Status]}
	if route.Output != nil {
		schema := d.schema(typeOf(route.Output), false)
		if route.Dry != nil && typeOf(route.Dry) != typeOf(route.Output) {
			schema = object{"anyOf": []any{schema, d.schema(typeOf(route.Dry), false)}}
		}
		success["content"] = content(api.TypeJSON, schema)
	}
	if route.Tagged && route.Output != nil {
		success["headers"] = headers("ETag")
	}
	all[strconv.Itoa(route.Status)] = created(route, route.Status, success)
	for _, status := range route.Faults { // a PUT that creates, or a dry run
		if status == http.StatusCreated || status == http.StatusOK {
			other := maps.Clone(success)
			other["description"] = meanings[status]
			all[strconv.Itoa(status)] = created(route, status, other)
		}
	}
	return all
}

// created adds to the answer of an operation the address of what it created. One
// location alone has none.
func created(route management.Route, status int, answer object) object {
	if status == http.StatusCreated && route.Name != "putLocation" {
		all := headers("Location")
		had, _ := answer["headers"].(object)
		maps.Copy(all, had)
		answer["headers"] = all
	}
	return answer
}

// headers describe those of these names.
func headers(names ...string) object {
	all := object{}
	for _, name := range names {
		kind := "string"
		if name == "Retry-After" {
			kind = "integer"
		}
		all[name] = object{"description": headerWords[name], "schema": object{"type": kind}}
	}
	return all
}

// headerWords say what stands in a header of an answer.
var headerWords = map[string]string{
	"Accept": "Media types that are accepted", "Accept-Encoding": "identity: no Content-Encoding is accepted", "ETag": "Version of what was answered",
	"Location": "Path of what was created", "Retry-After": "Seconds to wait", "WWW-Authenticate": "The kind of token, and the scope, that is needed",
}

// faultHeaders are those of an answer with a status.
var faultHeaders = map[int][]string{
	http.StatusUnauthorized:         {"WWW-Authenticate"},
	http.StatusForbidden:            {"WWW-Authenticate"},
	http.StatusUnsupportedMediaType: {"Accept", "Accept-Encoding"},
	http.StatusTooManyRequests:      {"Retry-After"},
	http.StatusServiceUnavailable:   {"Retry-After"},
}

// meanings say what a status of an answer tells.
var meanings = map[int]string{
	http.StatusOK:                    "Done.",
	http.StatusCreated:               "It was created.",
	http.StatusAccepted:              "It is stored, and will be done.",
	http.StatusNoContent:             "Done. There is no body.",
	http.StatusBadRequest:            "The query or the body cannot be read, or has a field of another kind.",
	http.StatusUnauthorized:          "There is no valid token.",
	http.StatusForbidden:             "The token has another scope, or is for another location.",
	http.StatusNotFound:              "There is no such thing, or none that the token may see.",
	http.StatusConflict:              "Its present state, or another one like it, does not allow this.",
	http.StatusPreconditionFailed:    "It was changed since the version in If-Match, or exists although If-None-Match is *.",
	http.StatusRequestEntityTooLarge: "The body is too large.",
	http.StatusUnsupportedMediaType:  "The body is of another media type.",
	http.StatusUnprocessableEntity:   "A rule refuses the value of a field; errors names each field with the reason.",
	http.StatusTooManyRequests:       "Too many requests are in work. Repeat it after the seconds in Retry-After.",
	http.StatusServiceUnavailable:    "The database is not available. Repeat it after the seconds in Retry-After.",
}

func (d *describer) fault(status int) object {
	answer := object{"description": meanings[status], "content": content("application/problem+json", d.schema(typeOf(api.ProblemDetails{}), false))}
	if names := faultHeaders[status]; names != nil {
		answer["headers"] = headers(names...)
	}
	return answer
}

// postEvents is the ingest API.
func (d *describer) postEvents() object {
	var any1 []any
	for _, name := range ingest.SchemaNames() {
		any1 = append(any1, object{"$ref": "#/components/schemas/" + name})
	}
	maps.Copy(d.schemas, ingest.Schemas())
	d.schemas["NewEvent"] = object{"anyOf": any1}
	one := object{"$ref": "#/components/schemas/NewEvent"}
	d.schemas["NewEvents"] = object{
		"type": "object", "properties": object{"events": object{"type": "array", "items": one, "minItems": 1, "maxItems": 1000}}, "required": []string{"events"},
	}
	responses := object{"202": object{"description": "The events are stored.", "content": content(api.TypeJSON, d.schema(typeOf(ingest.Accepted{}), false))}}
	for _, status := range []int{400, 401, 403, 413, 415, 429, 503} {
		responses[strconv.Itoa(status)] = d.fault(status)
	}
	body := object{"schema": d.named("PostedEvents", object{"anyOf": []any{one, object{"$ref": "#/components/schemas/NewEvents"}}})}
	exemplify("postEvents", nil, body)
	return object{
		"operationId": "postEvents", "summary": "Report events", "tags": []string{"events"}, "security": scope(models.ScopeIngest),
		"description": "Report one event, or 1 to 1,000 at once, in at most 4 MiB. Nothing of a request with a fault is stored. Needs the scope ingest.",
		"requestBody": object{"required": true, "content": object{
			api.TypeJSON:           body,
			"application/x-ndjson": object{"schema": object{"type": "string", "description": "An event on each line"}},
		}},
		"responses": responses,
	}
}

// cursors are the operations of followers.
func cursors() []management.Route {
	const path = "/sources/:name/cursor"
	return []management.Route{
		{
			Method: http.MethodGet, Path: path, Name: "getCursor", Scope: models.ScopeIngest, Summary: "Get the place that a follower has reached.",
			Output: inbound.Cursor{}, Status: http.StatusOK, Faults: []int{http.StatusNotFound},
		},
		{
			Method: http.MethodPut, Path: path, Name: "putCursor", Scope: models.ScopeIngest,
			Summary: "Store the place that a follower has reached, and take, keep or give back its lease. The first one adds the source. A field that neither the request nor the answer has is refused.",
			Body:    inbound.CursorInput{}, Output: inbound.Cursor{}, Status: http.StatusOK,
			Faults: []int{http.StatusConflict, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType},
		},
	}
}

// Handler answers with the description, which is open and the same for everyone.
func Handler(version string) gin.HandlerFunc {
	body := Build(version)
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	return func(c *gin.Context) {
		c.Header("Cache-Control", "no-cache")
		c.Header("ETag", tag)
		if c.GetHeader("If-None-Match") == tag {
			c.Status(http.StatusNotModified)
			return
		}
		c.Data(http.StatusOK, api.TypeJSON, body)
	}
}
