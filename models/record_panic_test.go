package models_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// A panic while events are stored, which the web server survives, keeps no
// later request from being stored.
func TestAPanicWhileRecordingKeepsNobodyWaiting(t *testing.T) {
	for _, kind := range modelstest.Kinds() {
		t.Run(kind, func(t *testing.T) {
			var broken atomic.Bool
			o := modelstest.Options(t, kind)
			o.Clock = func() time.Time {
				if broken.Load() {
					panic("no time")
				}
				return time.Now()
			}
			s := modelstest.Open(t, o)
			record := func(id string) (n int, err error) {
				n, _, err = s.Events.Record(t.Context(), []models.NewEvent{{
					EventID: id, Type: "question.created", Location: "main", Title: id, Payload: []byte("{}"),
				}})
				return n, err
			}
			broken.Store(true)
			func() {
				defer func() { _ = recover() }()
				n, err := record("first")
				t.Errorf("recorded %d in spite of it: %v", n, err)
			}()
			broken.Store(false)
			done := make(chan error, 1)
			go func() {
				_, err := record("second")
				done <- err
			}()
			select {
			case err := <-done:
				ok(t, err)
			case <-time.After(2 * time.Minute):
				t.Fatal("the next one waits for ever")
			}
		})
	}
}
