package app_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// largestBody is as large a body as may be sent. Every fourth is full of large
// events, and the others have one, so that not all of it has to be stored.
func largestBody(n int) string {
	const size = 4 << 20
	event := func(i int, text string) string {
		return apptest.QuestionJSON(fmt.Sprintf("large-%d-%d", n, i), n*16+i+1, `,"data":{"text":"`+text+`"}`)
	}
	if n%4 > 0 {
		body := event(0, "")
		return body + strings.Repeat(" ", size-len(body))
	}
	events := make([]string, 16)
	for i := range events {
		events[i] = event(i, strings.Repeat("x", 255<<10))
	}
	return `{"events":[` + strings.Join(events, ",") + `]}`
}

// TestIngestKeepsToItsMemory: an instance that is told of little memory lives
// through as many of the largest requests as a site may send, and loses none of
// those that it accepted.
func TestIngestKeepsToItsMemory(t *testing.T) {
	const requests, most = 128, 216 // MiB
	apptest.OnBoth(t, func(t *testing.T, kind string) {
		env := apptest.Environment(t, kind)
		in := apptest.Serve(t, env, "SITEHOOKS_LOG_LEVEL=error", "GOMEMLIMIT=128MiB")
		accepted := make([]bool, requests)
		var all sync.WaitGroup
		for n := range requests {
			all.Go(func() {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.Base+"/api/v1/events", io.MultiReader(strings.NewReader(largestBody(n))))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Authorization", "Bearer "+apptest.IngestToken)
				req.Header.Set("Content-Type", "application/json")
				a, err := apptest.Do(t, http.DefaultClient, req)
				accepted[n] = a.Code == http.StatusAccepted
				if err != nil || !accepted[n] && (a.Code != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "") {
					t.Errorf("request %d: %d %.80s, %v", n, a.Code, a.Body, err)
				}
			})
		}
		all.Wait()
		peak := peakMiB(t, in.Cmd.Process.Pid)
		var count int
		for n := range requests {
			if accepted[n] {
				count++
				if a := in.Ingest(apptest.QuestionJSON(fmt.Sprintf("large-%d-0", n), n*16+1, "")); !strings.Contains(a.Body, `"duplicates":1`) {
					t.Errorf("event %d was accepted and is not stored: %d %s", n, a.Code, a.Body)
				}
			}
		}
		t.Logf("%d of %d accepted, %.0f MiB at most", count, requests, peak)
		if peak > most || count == 0 {
			t.Errorf("%d of %d accepted, with %.0f MiB of memory at most", count, requests, peak)
		}
	})
}
