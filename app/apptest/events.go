package apptest

import (
	"fmt"
	"net/http"
	"strings"
)

// Ingest posts events as the site does.
func (in *Instance) Ingest(body string) Answer {
	in.T.Helper()
	req, err := http.NewRequestWithContext(in.T.Context(), http.MethodPost, in.Base+"/api/v1/events", strings.NewReader(body))
	ok(in.T, err)
	req.Header.Set("Authorization", "Bearer "+IngestToken)
	req.Header.Set("Content-Type", "application/json")
	a, err := Do(in.T, http.DefaultClient, req)
	ok(in.T, err)
	return a
}

// Authorized reads an address of an API with a token.
func (in *Instance) Authorized(token, path string) Answer {
	in.T.Helper()
	req, err := http.NewRequestWithContext(in.T.Context(), http.MethodGet, in.Base+path, http.NoBody)
	ok(in.T, err)
	req.Header.Set("Authorization", "Bearer "+token)
	a, err := Do(in.T, http.DefaultClient, req)
	ok(in.T, err)
	return a
}

// Accept posts events that have to be accepted.
func (in *Instance) Accept(body string) {
	in.T.Helper()
	if a := in.Ingest(body); a.Code != http.StatusAccepted {
		in.T.Fatalf("ingest: %d %s", a.Code, a.Body)
	}
}

// QuestionJSON is an event about a new question. more is added to it, as
// `,"location":"team-a"`.
func QuestionJSON(id string, number int, more string) string {
	return fmt.Sprintf(`{"id":%q,"type":"question.created","question":{"question_id":%d,"title":"Question %s","link":"https://site.example/questions/%d/x"}%s}`,
		id, number, id, number, more)
}
