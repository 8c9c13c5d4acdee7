package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/sitehooks/sitehooks/config"
)

type healthcheckCommand struct{}

// Run asks the instance that runs with the same environment.
func (healthcheckCommand) Run(ctx context.Context, c config.Config) error {
	base, err := ownURL(c.Addr)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	why, err := io.ReadAll(io.LimitReader(resp.Body, 1000))
	if err != nil || !bytes.HasPrefix(why, []byte("not ready")) { // another server
		return fmt.Errorf("not ready: /readyz answered %s", resp.Status)
	}
	return oneLine(errors.New(string(why)))
}

// ownURL is where this machine reaches an instance that listens at addr.
func ownURL(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}
