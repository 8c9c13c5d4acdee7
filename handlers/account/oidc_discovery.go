package account

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/sync/singleflight"
)

// discoveryRetry is how long a provider that could not be discovered is not
// asked again.
const discoveryRetry = 5 * time.Second

// discovery reads a provider's configuration when it is first needed, so that
// an unreachable provider affects only single sign-on. Concurrent log-ins share
// one request.
type discovery struct {
	issuer string
	client *http.Client
	wait   time.Duration // that one request waits
	flight singleflight.Group

	mu    sync.Mutex
	found *oidc.Provider
	err   error     // why it was not found the last time
	again time.Time // when it may be asked again
}

func newDiscovery(issuer string, client *http.Client) *discovery {
	return &discovery{issuer: issuer, client: client, wait: oidcTimeout}
}

// provider returns the provider once it is known.
func (d *discovery) provider(ctx context.Context) (*oidc.Provider, error) {
	d.mu.Lock()
	found, err, again := d.found, d.err, d.again
	d.mu.Unlock()
	if found != nil || err != nil && time.Now().Before(again) {
		return found, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.wait)
	defer cancel()
	answer := d.flight.DoChan("", func() (any, error) { return nil, d.ask(ctx) })
	select {
	case got := <-answer:
		if got.Err != nil {
			return nil, got.Err
		}
		return d.provider(ctx)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// ask reads the provider's configuration and remembers it, or the failure.
func (d *discovery) ask(ctx context.Context) error {
	// The provider outlives this request, and so must its client, which fetches
	// keys.
	p, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), d.client), d.issuer)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.found, d.err, d.again = p, err, time.Now().Add(discoveryRetry)
	return err
}
