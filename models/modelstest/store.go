package modelstest

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/secret"
)

// Clock is a clock that a test moves.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts a clock at a fixed time.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 11, 21, 1, 38, 2, 0, time.UTC)}
}

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Key is the sealing key of test stores.
func Key() []byte { return bytes.Repeat([]byte{7}, secret.KeySize) }

// Options returns the options for a new, empty database of either kind:
// "sqlite" or "postgres".
func Options(t testing.TB, kind string) models.Options {
	t.Helper()
	box, err := secret.NewBox(Key())
	if err != nil {
		t.Fatal(err)
	}
	o := models.Options{Box: box, Log: slog.New(slog.DiscardHandler)}
	if kind == "sqlite" {
		o.DataDir = t.TempDir()
		copySQLite(t, o)
		return o
	}
	o.DatabaseURL = PostgresURLFromTemplate(t, func(url string) error {
		prepared := o
		prepared.DatabaseURL = url
		s, err := models.Open(context.Background(), prepared)
		if err == nil {
			s.Close()
		}
		return err
	})
	return o
}

// Open opens a store that ends with the test.
func Open(t testing.TB, o models.Options) *models.Store {
	t.Helper()
	s, err := models.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Kinds are the databases that every storage and job test runs on.
func Kinds() []string { return []string{"sqlite", "postgres"} }

// Each runs a test on both databases, on a clock of its own.
func Each(t *testing.T, test func(t *testing.T, s *models.Store, clock *Clock)) {
	t.Helper()
	for _, kind := range Kinds() {
		t.Run(kind, func(t *testing.T) {
			clock := NewClock()
			o := Options(t, kind)
			o.Clock = clock.Now
			test(t, Open(t, o), clock)
		})
	}
}
