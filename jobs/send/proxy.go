package send

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
)

// proxyError says that the proxy did not let a request through.
type proxyError struct{ words string }

func (e *proxyError) Error() string { return e.words }

// checkProxied has the guard check the target of a request that leaves through
// a proxy. Without one the guard checks when it dials.
func (c *Client) checkProxied(ctx context.Context, to target) error {
	if !c.proxied {
		return nil
	}
	_, err := c.guard.addresses(withDeadline(ctx), to.host, to.port)
	return err
}

// dialProxy connects to the proxy, to which the guard's rules do not apply.
func dialProxy(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := dialDeadline(ctx)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		err = &proxyError{"The proxy of SITEHOOKS_PROXY cannot be reached."}
	}
	return conn, err
}

// proxyAnswered is asked when the proxy answered the request for a tunnel.
func proxyAnswered(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{fmt.Sprintf("The proxy of SITEHOOKS_PROXY refused the connection: %d.", answer.StatusCode)}
}
