package webtest

import "sync"

// queryLog are the queries to the database while they are counted.
type queryLog struct {
	mu      sync.Mutex
	counted bool
	queries []string
}

func (s *queryLog) add(statement string, _ []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counted {
		s.queries = append(s.queries, statement)
	}
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
