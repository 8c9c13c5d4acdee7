// Package repeat logs warnings that may repeat without end, such as refused
// requests: the first at once, those after it once a minute with their number.
package repeat

import (
	"log/slog"
	"slices"
	"sync"
	"time"
)

// interval is how often a warning that repeats is logged.
const interval = time.Minute

// Log writes to a log. Its methods may be called from any goroutine; the zero
// value is not usable.
type Log struct {
	log *slog.Logger

	mu       sync.Mutex
	warnings map[string]*warning // logged within the last minute, by key
}

// warning is a logged warning with the number of repetitions since.
type warning struct {
	text  string
	args  []any // of the newest
	times int
}

// New returns a Log that writes to another.
func New(log *slog.Logger) *Log { return &Log{log: log, warnings: map[string]*warning{}} }

// Warn logs a warning. When one with the same key was logged within a minute,
// it is counted and logged at the end of that minute, with the newest text and
// arguments and how many there were. Keys must be few: each takes memory for a
// minute.
func (l *Log) Warn(key, text string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w := l.warnings[key]; w != nil {
		w.text, w.args, w.times = text, args, w.times+1
		return
	}
	l.warnings[key] = &warning{}
	l.log.Warn(text, args...)
	time.AfterFunc(interval, func() { l.flush(key) })
}

// flush logs the number of repetitions, and forgets a warning that did not
// repeat.
func (l *Log) flush(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := l.warnings[key]
	if w.times == 0 {
		delete(l.warnings, key)
		return
	}
	l.log.Warn(w.text, slices.Concat(w.args, []any{slog.Int("times", w.times)})...)
	l.warnings[key] = &warning{}
	time.AfterFunc(interval, func() { l.flush(key) })
}
