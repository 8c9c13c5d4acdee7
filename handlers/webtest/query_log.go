package webtest

import (
	"strings"
	"sync"
)

// queryLog are the queries to the database while they are counted.
type queryLog struct {
	mu      sync.Mutex
	counted bool
	queries []string
	next    string // text in the statement after which to run then; empty: none
	then    func()
	each    func(statement string) // called after every statement; nil: none
}

func (s *queryLog) add(statement string, _ []any) {
	s.mu.Lock()
	if s.counted {
		s.queries = append(s.queries, statement)
	}
	var then func()
	if s.next != "" && strings.Contains(statement, s.next) {
		s.next, then = "", s.then
	}
	each := s.each
	s.mu.Unlock()
	if then != nil {
		then()
	}
	if each != nil {
		each(statement)
	}
}

// afterEach has a function called after every statement; nil: none.
func (s *queryLog) afterEach(each func(statement string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.each = each
}

// After runs a function once, after the next statement that contains a text, as if
// somebody else did it between two statements of a request.
func (c *Console) After(text string, then func()) {
	c.queries.mu.Lock()
	defer c.queries.mu.Unlock()
	c.queries.next, c.queries.then = text, then
}

// Queries are the statements that go through gorm while a request is answered.
func (c *Console) Queries(request func()) []string {
	c.t.Helper()
	c.queries.mu.Lock()
	c.queries.counted, c.queries.queries = true, nil
	c.queries.mu.Unlock()
	request()
	c.queries.mu.Lock()
	defer c.queries.mu.Unlock()
	c.queries.counted = false
	return c.queries.queries
}
