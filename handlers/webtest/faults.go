package webtest

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	"github.com/PuerkitoBio/goquery"

	"github.com/sitehooks/sitehooks/handlers/web"
)

var errDisk = errors.New("the disk fails")

// failing is the context of a request. Once it is broken, every statement of
// the request fails with errDisk.
type failing struct {
	context.Context
	done chan struct{}

	mu    sync.Mutex
	err   error
	below []func() // end the contexts that were made of it
}

func (f *failing) Done() <-chan struct{} { return f.done }

func (f *failing) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// AfterFunc makes the contexts below end together with this one, and not a
// moment later.
func (f *failing) AfterFunc(end func()) (stop func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.below = append(f.below, end)
	return func() bool { return false }
}

func (f *failing) fail() {
	f.mu.Lock()
	f.err = errDisk
	close(f.done)
	below := f.below
	f.mu.Unlock()
	for _, end := range below {
		end()
	}
}

// mostStatements is more than any page of a test needs.
const mostStatements = 150

// Faults sends a request while the database fails from the first statement on,
// then from the second one on, and so on. Each time the answer is the page that
// says that nothing was changed, nothing was changed, and the log says why. It
// returns the answer of the request that nothing disturbed.
func (c *Console) Faults(method, path string, form url.Values) *Answer {
	c.t.Helper()
	before, titles := c.Stored(), map[string]bool{}
	for n := range mostStatements {
		a, log, late := c.failFrom(n, method, path, form)
		if a.Status != http.StatusInternalServerError {
			if len(late) == 0 {
				delete(titles, a.Text("title"))
				for title := range titles {
					c.t.Errorf("%s %s: without a query it is another page, %q, and not %q", method, path, title, a.Text("title"))
				}
				return a
			}
			titles[a.Text("title")] = true
			// No page is refused because its notices could not be read.
			if !strings.Contains(log, "notices could not be read") {
				c.t.Errorf("%s %s: answers %d although these statements failed: %q", method, path, a.Status, late)
			}
			if c.Stored() != before {
				return a
			}
			continue
		}
		if said := a.Text("main"); !strings.Contains(said, "Nothing was changed. Try again in a moment.") || strings.Contains(a.Body, errDisk.Error()) {
			c.t.Errorf("%s %s: without statement %d it says %q", method, path, n+1, said)
		}
		// database/sql may end a transaction before its next statement is tried.
		cause := strings.Contains(log, errDisk.Error()) || strings.Contains(log, sql.ErrTxDone.Error())
		if !strings.Contains(log, "request failed") || !cause {
			c.t.Errorf("%s %s: without statement %d the log says %q", method, path, n+1, log)
		}
		if after := c.Stored(); after != before {
			c.t.Errorf("%s %s: without statement %d it says that nothing was changed, and yet there is\n%s", method, path, n+1, Difference(before, after))
			before = after
		}
	}
	c.t.Fatalf("%s %s: fails after %d statements as well", method, path, mostStatements)
	return nil
}

// FaultAt sends a request to a database that fails after n statements, and
// returns the answer.
func (c *Console) FaultAt(n int, method, path string, form url.Values) *Answer {
	c.t.Helper()
	a, _, _ := c.failFrom(n, method, path, form)
	return a
}

// failFrom sends a request to a database that fails after n statements. late are
// those that were tried nevertheless.
func (c *Console) failFrom(n int, method, path string, form url.Values) (a *Answer, log string, late []string) {
	c.t.Helper()
	lines, was := &LogLines{}, c.Site.Log
	c.Site.Log = slog.New(slog.NewTextHandler(lines, nil))
	ctx := &failing{Context: c.t.Context(), done: make(chan struct{})}
	if n == 0 {
		ctx.fail()
	}
	c.queries.afterEach(func(statement string) {
		switch n--; {
		case n == 0:
			ctx.fail()
		case n < 0:
			late = append(late, statement)
		}
	})
	defer func() {
		c.queries.afterEach(nil)
		c.Site.Log = was
	}()
	req := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(form.Encode()))
	req.Host = "console.example.com"
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.AddCookie(&http.Cookie{Name: web.SessionCookie, Value: c.Cookie})
	w := httptest.NewRecorder()
	c.Engine.ServeHTTP(w, req)
	a = &Answer{T: c.t, Status: w.Code, Header: w.Result().Header, Body: w.Body.String()}
	var err error
	a.Document, err = goquery.NewDocumentFromReader(strings.NewReader(a.Body))
	OK(c.t, err)
	return a, lines.String(), late
}
