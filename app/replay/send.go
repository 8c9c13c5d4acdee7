package replay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sitehooks/sitehooks/app/client"
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
	client.Client
	wait    func(ctx context.Context, d time.Duration) error
	say     func(string) // tells people why nothing happens
	reached bool         // something answered before
}

func newSender(o Options, say func(string)) *sender {
	return &sender{Client: client.Client{Base: o.URL, Token: o.Token}, wait: wait, say: say}
}

// send posts until the events are stored. Posting them again is harmless,
// since their ids stay the same.
func (s *sender) send(ctx context.Context, body []byte) (accepted, duplicates int, err error) {
	for attempt := 1; ; attempt++ {
		accepted, duplicates, err = s.PostEvents(ctx, body, "")
		var later *client.LaterError
		if !errors.As(err, &later) {
			s.reached = true
			return accepted, duplicates, err
		}
		if s.reached = s.reached || later.Reached; !s.reached {
			// An instance may be restarting; an address may simply be wrong.
			return 0, 0, fmt.Errorf("%w; check that `sitehooks serve` is running there, or set --url", err)
		}
		if attempt == maxTries {
			return 0, 0, fmt.Errorf("gave up after %d attempts: %w", attempt, err)
		}
		pause := later.After
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
