package app_test

import (
	"fmt"
	"net/http"
	"strings"
)

// ingest posts events as the site does.
func (in *instance) ingest(body string) answer {
	in.t.Helper()
	req, err := http.NewRequestWithContext(in.t.Context(), http.MethodPost, in.base+"/api/v1/events", strings.NewReader(body))
	ok(in.t, err)
	req.Header.Set("Authorization", "Bearer "+ingestToken)
	req.Header.Set("Content-Type", "application/json")
	a, err := do(in.t, http.DefaultClient, req)
	ok(in.t, err)
	return a
}

func (in *instance) accept(body string) {
	in.t.Helper()
	if a := in.ingest(body); a.code != http.StatusAccepted {
		in.t.Fatalf("ingest: %d %s", a.code, a.body)
	}
}

func questionJSON(id string, number int, more string) string {
	return fmt.Sprintf(`{"id":%q,"type":"question.created","question":{"question_id":%d,"title":"Question %s","link":"https://site.example/questions/%d/x"}%s}`,
		id, number, id, number, more)
}
