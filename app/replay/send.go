package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// maxTries is how often in a row one request is sent before giving up.
	maxTries = 10
	// longestPause is the maximum wait before the next try. A longer
	// Retry-After is cut to it.
	longestPause = time.Minute
)

// sender posts lines of events to an instance.
type sender struct {
	base, token string
	client      *http.Client
	wait        func(ctx context.Context, d time.Duration) error
	say         func(string) // tells people why nothing happens
	reached     bool         // something answered before
}

func newSender(o Options, say func(string)) *sender {
	return &sender{base: o.URL, token: o.Token, wait: wait, say: say, client: &http.Client{
		Timeout:       time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// laterError says that the same request may succeed later.
type laterError struct {
	after  time.Duration // 0: not said
	reason string
}

func (e *laterError) Error() string { return e.reason }

// send posts until the events are stored. Posting them again is harmless,
// since their ids stay the same.
func (s *sender) send(ctx context.Context, body []byte) (accepted, duplicates int, err error) {
	for attempt := 1; ; attempt++ {
		accepted, duplicates, err = s.attempt(ctx, body)
		var later *laterError
		if !errors.As(err, &later) {
			return accepted, duplicates, err
		}
		if attempt == maxTries {
			return 0, 0, fmt.Errorf("gave up after %d attempts: %w", attempt, err)
		}
		pause := later.after
		if pause == 0 {
			pause = time.Second << (attempt - 1)
		}
		pause = min(pause, longestPause)
		s.say(fmt.Sprintf("waiting %s, since %v", pause.Round(time.Second), err))
		if err = s.wait(ctx, pause); err != nil {
			return 0, 0, err
		}
	}
}

func (s *sender) attempt(ctx context.Context, body []byte) (accepted, duplicates int, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.base+"/api/v1/events", bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	q.Header.Set("Content-Type", "application/x-ndjson")
	q.Header.Set("Authorization", "Bearer "+s.token)
	p, err := s.client.Do(q)
	if err != nil {
		return 0, 0, s.unreachable(ctx, err)
	}
	defer p.Body.Close()
	text, err := io.ReadAll(io.LimitReader(p.Body, 1<<20))
	if err != nil {
		return 0, 0, s.unreachable(ctx, err)
	}
	s.reached = true
	if p.StatusCode != http.StatusAccepted {
		return 0, 0, s.refused(p, text)
	}
	var answer struct{ Accepted, Duplicates int }
	if err := json.Unmarshal(text, &answer); err != nil {
		return 0, 0, fmt.Errorf("the server at %s is not Sitehooks", s.base)
	}
	return answer.Accepted, answer.Duplicates, nil
}

// unreachable is worth another try only where something answered before: an
// instance may be starting anew, an address may simply be wrong.
func (s *sender) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if outer, is := errors.AsType[*url.Error](err); is {
		err = outer.Err
	}
	if s.reached {
		return &laterError{reason: fmt.Sprintf("%s cannot be reached: %v", s.base, err)}
	}
	return fmt.Errorf("%s cannot be reached: %w; check that `sitehooks serve` is running there, or set --url", s.base, err)
}

// refused puts an answer other than 202 into words.
func (s *sender) refused(p *http.Response, text []byte) error {
	var problem struct {
		Detail string
		Errors []struct {
			Index          *int
			Field, Message string
		}
	}
	known := json.Unmarshal(text, &problem) == nil && problem.Detail != ""
	reason := p.Status
	if known {
		reason += ": " + problem.Detail
	}
	switch p.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return &laterError{after: retryAfter(p.Header.Get("Retry-After")), reason: s.base + " answered " + reason}
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%s does not accept the token: %s (--token, or SITEHOOKS_INGEST_TOKEN)", s.base, reason)
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return fmt.Errorf("%s redirects to %s; set --url to the right address", s.base, p.Header.Get("Location"))
	}
	if !known {
		return fmt.Errorf("%s answered %s; it does not seem to be Sitehooks", s.base, reason)
	}
	var lines strings.Builder
	for i, e := range problem.Errors {
		if e.Index == nil {
			continue
		}
		if i == 5 {
			break
		}
		fmt.Fprintf(&lines, "\n  event %d of the request, %s %s", *e.Index, e.Field, e.Message)
	}
	return fmt.Errorf("%s answered %s%s", s.base, reason, lines.String())
}

// retryAfter reads seconds or a date; 0 when there is neither.
func retryAfter(value string) time.Duration {
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
