package follow

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/sitehooks/sitehooks/app/client"
)

// cursor is a source's place and how its follower fares, as the instance keeps
// them.
type cursor struct {
	Place         json.RawMessage `json:"place,omitempty"`
	BehindSeconds int64           `json:"behind_seconds"`
	Skipped       int64           `json:"skipped"` // events that the instance did not take; in a report: since the last one
	LastSkipped   string          `json:"last_skipped"`
	Error         string          `json:"error"` // why the system cannot be read
}

// leaseRequest asks for the lease, and says whose it shall be.
type leaseRequest struct {
	Location     string `json:"location,omitempty"`
	Holder       string `json:"holder"`
	LeaseSeconds int    `json:"lease_seconds"`
}

// leasedError says that another follower has the lease.
type leasedError struct{ holder string }

func (e *leasedError) Error() string { return "another follower is at work: " + e.holder }

// cursors speaks to the cursor API about one source.
type cursors struct {
	client *client.Client
	path   string
	lease  leaseRequest
}

// leaseRounds is how many rounds long the lease is that a follower takes,
// shortestLease its least length in seconds.
const (
	leaseRounds   = 3
	shortestLease = 1
)

func newCursors(c *client.Client, o Options) cursors {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	// Two followers on one machine, or one that was restarted, are different
	// holders.
	holder := fmt.Sprintf("%s process %d (%s)", host, os.Getpid(), rand.Text()[:6])
	return cursors{client: c, path: "/api/v1/sources/" + o.Name + "/cursor", lease: leaseRequest{
		Location: cmp.Or(o.Location, "main"), Holder: holder,
		LeaseSeconds: int(max(shortestLease*time.Second, leaseRounds*o.Every) / time.Second),
	}}
}

// renew is how long after a report the next one must come, or the lease could
// end.
func (s cursors) renew() time.Duration {
	return time.Duration(s.lease.LeaseSeconds) * time.Second / leaseRounds
}

// acquire takes the lease and returns what was stored. The first time it
// registers the source.
func (s cursors) acquire(ctx context.Context) (cursor, error) {
	var c cursor
	err := s.put(ctx, s.lease, &c)
	if string(c.Place) == "null" {
		c.Place = nil
	}
	return c, err
}

// report stores a cursor and renews the lease.
func (s cursors) report(ctx context.Context, c cursor) error {
	var stored cursor
	return s.put(ctx, struct {
		leaseRequest
		cursor
	}{s.lease, c}, &stored)
}

// release ends the lease.
func (s cursors) release(ctx context.Context) error {
	lease := s.lease
	lease.LeaseSeconds = 0
	var stored cursor
	return s.put(ctx, lease, &stored)
}

func (s cursors) put(ctx context.Context, body any, stored *cursor) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	err = s.client.Do(ctx, client.Request{Method: http.MethodPut, Path: s.path, ContentType: "application/json", Body: text}, stored)
	if refused, is := errors.AsType[*client.RefusedError](err); is && refused.Status == http.StatusConflict {
		for _, f := range refused.Faults {
			if f.Field == "holder" {
				return &leasedError{f.Message}
			}
		}
	}
	return err
}
