package management_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/openapi"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// desk is the API over a real store, in the whole console.
type desk struct {
	*webtest.Console
	t        *testing.T
	token    string // used by do
	receiver *webtest.Receiver
}

// each runs a test on both databases.
func each(t *testing.T, test func(d *desk)) {
	t.Helper()
	for _, kind := range []string{"sqlite", "postgres"} {
		t.Run(kind, func(t *testing.T) { test(newDeskOn(t, kind)) })
	}
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	return newDeskOn(t, "sqlite")
}

func newDeskOn(t *testing.T, kind string) *desk {
	t.Helper()
	d := &desk{t: t, Console: webtest.NewConsoleOn(t, kind, webtest.WithAPIs), receiver: webtest.NewReceiver(t)}
	d.Cookie = ""
	d.token = d.newToken(models.ScopeManage, "")
	return d
}

func (d *desk) newToken(scope, location string) string {
	d.t.Helper()
	plain, err := d.Store.Tokens.Create(d.t.Context(), models.Token{
		Name: "deploy " + scope, Scope: scope, Location: location, CreatedBy: d.Admin.Name, CreatedByID: d.Admin.ID,
	})
	webtest.OK(d.t, err)
	return plain
}

// got is an answer of the API.
type got struct {
	*webtest.Answer
	value map[string]any // of a JSON object
}

// do sends a request; body is JSON text, or anything to be written as JSON.
func (d *desk) do(method, path string, body any, header ...string) got {
	d.t.Helper()
	text, is := body.(string)
	if !is && body != nil {
		raw, err := json.Marshal(body)
		webtest.OK(d.t, err)
		text = string(raw)
	}
	req := d.Request(method, "/api/v1"+path, strings.NewReader(text))
	req.Header.Set("Authorization", "Bearer "+d.token)
	if text != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	a := got{Answer: d.Do(req)}
	if fault := conforms(req, text, a.Answer); fault != nil {
		d.t.Errorf("%s %s answers otherwise than its description says: %v\n%s", method, path, fault, a.Body)
	}
	if strings.HasPrefix(a.Body, "{") {
		webtest.OK(d.t, json.Unmarshal([]byte(a.Body), &a.value))
	}
	return a
}

// described is the description of the API, as clients read it.
var described = sync.OnceValues(func() (routers.Router, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Build("test"))
	if err != nil {
		return nil, err
	}
	return legacy.NewRouter(doc)
})

// conforms tells how an answer differs from the description. Requests that
// succeeded must conform to it too. An address below the prefix that it does not
// have differs, unless nothing is there.
func conforms(req *http.Request, body string, a *webtest.Answer) error {
	router, err := described()
	if err != nil {
		return err
	}
	at, err := url.Parse(req.URL.RequestURI())
	if err != nil {
		return err
	}
	asked := &http.Request{Method: req.Method, URL: at, Header: req.Header, Body: io.NopCloser(strings.NewReader(body))}
	route, params, unknown := router.FindRoute(asked)
	if unknown != nil {
		return undescribed(asked, a, unknown)
	}
	options := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}
	in := &openapi3filter.RequestValidationInput{Request: asked, PathParams: params, Route: route, Options: options}
	if a.Status < http.StatusBadRequest {
		if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
			return fmt.Errorf("the request: %w", err)
		}
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: a.Status, Header: a.Header, Body: io.NopCloser(strings.NewReader(a.Body)), Options: options,
	})
	if err != nil {
		return err
	}
	for _, name := range toldHeaders {
		if a.Header.Get(name) != "" && route.Operation.Responses.Status(a.Status).Value.Headers[name] == nil {
			return fmt.Errorf("the header %s is not described", name)
		}
	}
	return nil
}

// toldHeaders are those that clients go by: one that is sent is described.
var toldHeaders = []string{"Accept", "Accept-Encoding", "Accept-Patch", "Allow", "Content-Location", "ETag", "Last-Modified", "Link", "Location", "Retry-After", "WWW-Authenticate"}

// undescribed is nil for the answer at an address where nothing is.
func undescribed(asked *http.Request, a *webtest.Answer, unknown error) error {
	if a.Status == http.StatusNotFound || a.Status == http.StatusMethodNotAllowed {
		return nil
	}
	return fmt.Errorf("%s %s is not described: %w", asked.Method, asked.URL.Path, unknown)
}

// want fails unless the answer has a status.
func (a got) want(status int) got {
	a.T.Helper()
	a.Want(status)
	return a
}

// says fails unless the answer is a problem with this status, whose sentence
// about a field begins so.
func (a got) says(status int, field, begins string) got {
	a.T.Helper()
	a.Want(status)
	var p api.ProblemDetails
	webtest.OK(a.T, json.Unmarshal([]byte(a.Body), &p))
	if got := a.Header.Get("Content-Type"); got != "application/problem+json" || p.Status != status {
		a.T.Errorf("%q with status %d", got, p.Status)
	}
	for _, one := range p.Errors {
		if one.Field == field && strings.HasPrefix(one.Message, begins) {
			return a
		}
	}
	a.T.Errorf("no fault of %q begins with %q: %s", field, begins, a.Body)
	return a
}

// usual is a webhook without a fault, with some fields replaced; one that is
// absent stands for its removal.
func (d *desk) usual(change map[string]any) map[string]any {
	body := map[string]any{"type": "generic", "name": "Python", "location": "main", "events": []string{"answer.accepted"}, "url": d.receiver.URL + "/hook?a=1"}
	for key, value := range change {
		if body[key] = value; value == absent {
			delete(body, key)
		}
	}
	return body
}

const absent = "(absent)"

// created makes a webhook.
func (d *desk) created(change map[string]any) got {
	d.t.Helper()
	return d.do(http.MethodPost, "/webhooks", d.usual(change)).want(http.StatusCreated)
}

// path is the address of a webhook.
func (a got) path() string { return fmt.Sprint("/webhooks/", a.value["id"]) }

// same fails unless two values are the same JSON.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("%s is %s, want %s", what, a, b)
	}
}
