package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Simulator is a site full of people: it posts their activity to the
// ingest API over HTTP, as a real site would. An answer that asks to come back
// later is obeyed with the same events and ids; a refusal ends the run.
type Simulator struct {
	Base  string // address of the console, without a slash at the end
	Token string
	Seed  uint64
	// Client posts; nil: one with a time-out of 10 s.
	Client *http.Client
	// Wait passes the time between two steps; nil: a timer.
	Wait func(ctx context.Context, d time.Duration) error

	run   string // part of every id, so that a later run has its own
	count int
}

// Run posts until ctx ends, which is no error; it returns one when the API
// refuses an event.
func (s *Simulator) Run(ctx context.Context) error {
	if s.Client == nil {
		s.Client = &http.Client{Timeout: 10 * time.Second}
	}
	if s.Wait == nil {
		s.Wait = wait
	}
	s.run = strings.ToLower(rand.Text()[:8])
	story := newStory(s.Seed, time.Now)
	for events := story.opening(); ; events = story.next() {
		if err := s.post(ctx, events); err != nil {
			return ended(ctx, err)
		}
		if err := s.Wait(ctx, story.pause()); err != nil {
			return ended(ctx, err)
		}
	}
}

// ended tells the end of ctx from a fault.
func ended(ctx context.Context, err error) error {
	select {
	case <-ctx.Done():
		return nil
	default:
		return err
	}
}

// post sends events until they are accepted.
func (s *Simulator) post(ctx context.Context, events []event) error {
	for i := range events {
		s.count++
		events[i].ID = fmt.Sprintf("demo-%s-%d", s.run, s.count)
	}
	body, err := json.Marshal(map[string]any{"events": events})
	if err != nil {
		return err
	}
	for {
		later, err := s.send(ctx, body)
		if err != nil || !later {
			return err
		}
		if err := s.Wait(ctx, 2*time.Second); err != nil {
			return err
		}
	}
}

// send posts once; later says that the same should be tried again.
func (s *Simulator) send(ctx context.Context, body []byte) (later bool, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Base+"/api/v1/events", bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Authorization", "Bearer "+s.Token)
	p, err := s.Client.Do(q)
	if err != nil {
		return ctx.Err() == nil, ctx.Err() // not there (yet): the console may be starting
	}
	defer p.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(p.Body, 2000))
	switch {
	case p.StatusCode == http.StatusAccepted:
		return false, nil
	case p.StatusCode == http.StatusTooManyRequests || p.StatusCode >= 500:
		return true, nil
	}
	return false, fmt.Errorf("the ingest API refused the sample activity: %s: %s", p.Status, text)
}

// wait passes the time, or returns ctx's error when that ends before.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
