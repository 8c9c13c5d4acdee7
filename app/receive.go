package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/sitehooks/sitehooks/app/demo"
	"github.com/sitehooks/sitehooks/config"
)

type receiveCommand struct {
	Addr    string   `default:"127.0.0.1:8090" placeholder:"HOST:PORT" help:"The address to listen on. Default: ${default}."`
	Secrets []string `name:"secret" sep:"none" placeholder:"S" help:"A signing secret of the webhook that sends here. Give it twice for a webhook with two."`
}

// Run answers and prints each request, at any path.
func (r receiveCommand) Run(ctx context.Context, p Process) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", r.Addr)
	if err != nil {
		return config.Fault{Variable: "--addr", Text: fmt.Sprintf("is %q, which cannot be listened on: %v", r.Addr, lastCause(err)), Example: "127.0.0.1:8091"}
	}
	at, err := ownURL(listener.Addr().String())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "Waiting for webhooks at %s, on any path. sitehooks demo delivers here; sitehooks serve does so only with SITEHOOKS_ALLOW_TARGETS=127.0.0.0/8.\n", at)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           demo.NewPrinter(p.Stdout, r.Secrets),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	if err = server.Serve(listener); errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
