package management_test

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/api/management"
	"github.com/sitehooks/sitehooks/handlers/api/openapi"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// roundsUsual is how many requests are made of each operation: a right one, one
// with a parameter that there is not, and generated ones.
const roundsUsual = 12

// TestGeneratedRequests sends requests that are made from the description, right
// ones and broken ones. None is answered by an error of the server or otherwise
// than described, and none that violates the description succeeds: see conforms.
//
//	API_FUZZ_SEED  repeats a run; its log has the seed
//	API_FUZZ_TIME  how long to go on, such as 10m
func TestGeneratedRequests(t *testing.T) {
	seed := rand.Uint64()
	if text := os.Getenv("API_FUZZ_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		webtest.OK(t, err)
	}
	t.Logf("API_FUZZ_SEED=%d", seed)
	var end time.Time
	if text := os.Getenv("API_FUZZ_TIME"); text != "" {
		span, err := time.ParseDuration(text)
		webtest.OK(t, err)
		end = time.Now().Add(span)
	}
	x := newFuzzer(t, seed)
	for rounds := 0; rounds < roundsUsual || time.Now().Before(end); rounds++ {
		for _, op := range x.operations {
			x.right, x.wrong = rounds == 0, rounds == 1
			if x.send(op); t.Failed() {
				t.Fatalf("%s after %d rounds with API_FUZZ_SEED=%d", op.Name, rounds, seed)
			}
			if x.right && op.succeeded != 1 || x.wrong && op.refused != 1 {
				t.Fatalf("of two requests for %s, a right and a wrong one, %d succeeded and %d were refused", op.Name, op.succeeded, op.refused)
			}
		}
	}
	for _, op := range x.operations {
		t.Logf("%s: %d succeeded, %d were refused", op.Name, op.succeeded, op.refused)
	}
}

var parameter = regexp.MustCompile(`:([a-z]+)`)

// fuzzer sends generated requests to one console.
type fuzzer struct {
	*generator
	d          *desk
	things     things
	ingest     string // a token
	manage     string
	operations []*operation
	// right and wrong: the next request must succeed, or be refused.
	right, wrong bool
}

// operation is one of the description.
type operation struct {
	management.Route
	described          object
	succeeded, refused int
}

func newFuzzer(t *testing.T, seed uint64) *fuzzer {
	t.Helper()
	d := newDesk(t)
	x := &fuzzer{d: d, things: d.thing(), manage: d.token, ingest: d.newToken(models.ScopeIngest, "")}
	var doc struct {
		Paths      map[string]map[string]object
		Components struct{ Schemas object }
	}
	webtest.OK(t, json.Unmarshal(openapi.Build("test"), &doc))
	x.generator = &generator{rand.New(rand.NewPCG(seed, 0)), doc.Components.Schemas, poolsOf(d)}
	for _, route := range slices.Concat(management.Table(), elsewhere) {
		path := management.Prefix + parameter.ReplaceAllString(route.Path, "{$1}")
		described := doc.Paths[path][strings.ToLower(route.Method)]
		if described == nil {
			t.Fatalf("%s is not described", route.Name)
		}
		x.operations = append(x.operations, &operation{Route: route, described: described})
	}
	return x
}

// poolsOf are values that are right for fields of these names, or nearly so.
// Targets are at addresses of which nobody has to ask.
func poolsOf(d *desk) map[string][]any {
	pools := map[string][]any{
		"url":      {d.receiver.URL, d.receiver.URL + "/a?b=${c}", "https://10.0.0.1/", "ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "http://127.0.0.1:99999/"},
		"location": {"main", "python-wranglers", "nowhere", "Main"}, "community": {"python", "data", "A b"}, "state": {"failed", "active"},
		"key": {"a-key", "b", "7", "A"}, "slug": {"python", "data", "A b"}, "tags": {"python", "go", "a b"}, "link": {"https://site.example/1"},
		"secret_1": {"a secret of the tests"}, "secret_2": {"another secret of the tests"}, "value": {"7", "soon"}, "reason": {"A test"},
		"cursor": {"1", "99"}, "webhook": {"1", "a-key"}, "held": {"send", "drop"}, "q": {"python"}, "id": {"an-id", "b2f1c7e0"}, "kind": {"generic", "custom"},
		"title": {"How do webhooks work?"}, "body": {"What it says"}, "subject": {"7", "4294967296"}, "program": {".", ".items[]"}, "events": {}, "type": {"lead.scored"},
	}
	for _, f := range wire.Formats() {
		pools["type"] = append(pools["type"], f.Name)
		for _, e := range f.Options {
			pools["events"] = append(pools["events"], e.Value)
		}
	}
	return pools
}

// send makes one request for an operation and sends it.
func (x *fuzzer) send(op *operation) {
	d := x.d
	if d.token = x.manage; op.Scope == models.ScopeIngest {
		d.token = x.ingest
	}
	a := d.do(op.Method, x.address(op), x.body(op), x.headers(op)...)
	switch {
	case a.Status >= http.StatusInternalServerError || a.Status == http.StatusTooManyRequests:
		d.t.Errorf("%s is answered by %d %s", op.Name, a.Status, a.Body)
	case a.Status >= http.StatusBadRequest:
		op.refused++
	default:
		op.succeeded++
		if op.Method != http.MethodGet {
			x.things = d.again(x.things)
		}
	}
}

// address is the path of an operation with a query.
func (x *fuzzer) address(op *operation) string {
	path := x.things.path(op.Route)
	switch {
	case x.right:
		return path
	case x.wrong && op.Name == "getCursor": // whose query is not looked at
		return strings.Replace(path, "follower", "nobody", 1)
	case x.wrong:
		return path + "?dry-run=true" // is no parameter
	case x.once(8):
		odd := []string{"0", "-1", "99999999999999999999", "no-such", "A%20b", "%00", "%F0%9F%99%82", strings.Repeat("x", 300)}
		path = strings.NewReplacer(web.FormatID(x.things.webhook.ID), pick(x.generator, odd), x.things.delivery, pick(x.generator, odd), models.DispatchDelay, "Odd").Replace(path)
	}
	query := url.Values{}
	parameters, _ := op.described["parameters"].([]any)
	for _, one := range parameters {
		p, _ := one.(object)
		if name, _ := p["name"].(string); p["in"] == "query" && x.once(3) {
			schema, _ := p["schema"].(object)
			value := x.value(schema, name)
			if x.once(6) {
				value = x.other()
			}
			text, is := value.(string)
			if !is {
				raw, _ := json.Marshal(value)
				text = string(raw)
			}
			query.Add(name, text)
		}
	}
	if x.once(15) {
		query.Set("dry-run", "true")
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

// body is nil, or JSON text.
func (x *fuzzer) body(op *operation) any {
	request, _ := op.described["requestBody"].(object)
	if request == nil {
		return nil
	}
	right := strings.NewReplacer("LOCATION", "python-wranglers", "URL", x.d.receiver.URL).Replace(bodies[op.Name])
	switch {
	case x.right:
		return right
	case x.wrong && op.Scope == models.ScopeIngest: // whose query is not looked at
		return "[]"
	}
	content, _ := request["content"].(object)
	kind, _ := content["application/json"].(object)
	schema, _ := kind["schema"].(object)
	value := x.value(schema, "")
	if right != "" && x.once(2) {
		var usual object
		webtest.OK(x.d.t, json.Unmarshal([]byte(right), &usual))
		if made, is := value.(object); is && len(made) > 0 && !x.once(3) {
			name := pick(x.generator, slices.Sorted(maps.Keys(made)))
			usual[name] = made[name]
		}
		value = usual
	}
	if x.once(3) {
		value = x.broken(value)
	}
	text, err := json.Marshal(value)
	webtest.OK(x.d.t, err)
	if x.once(15) {
		return x.damaged(string(text))
	}
	return string(text)
}

func (x *fuzzer) headers(op *operation) (list []string) {
	if x.right {
		return nil
	}
	if x.once(10) {
		list = append(list, pick(x.generator, []string{"If-Match", "If-None-Match"}), pick(x.generator, []string{"*", `"odd"`, "", `W/"x", "y"`}))
	}
	if x.once(20) && bodies[op.Name] != "" {
		list = append(list, "Content-Type", pick(x.generator, []string{"text/plain", "application/xml", "application/json; charset=latin1"}))
	}
	return list
}
