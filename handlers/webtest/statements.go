package webtest

import "sync"

// statements are those that the database was asked, while somebody counts them.
type statements struct {
	mu      sync.Mutex
	counted bool
	asked   []string
}

func (s *statements) add(statement string, _ []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counted {
		s.asked = append(s.asked, statement)
	}
}

// Asked are the statements that go through gorm while a request is answered.
func (c *Console) Asked(request func()) []string {
	c.t.Helper()
	c.asked.mu.Lock()
	c.asked.counted, c.asked.asked = true, nil
	c.asked.mu.Unlock()
	request()
	c.asked.mu.Lock()
	defer c.asked.mu.Unlock()
	c.asked.counted = false
	return c.asked.asked
}
