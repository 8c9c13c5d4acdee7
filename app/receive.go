package app

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/sitehooks/sitehooks/config"
)

// receive answers what is posted to it, at any path, and prints it: a receiver
// to try a webhook with.
func receive(ctx context.Context, args []string, p Process) error {
	flags := flag.NewFlagSet("receive", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	addr := flags.String("addr", "127.0.0.1:8090", "")
	var secrets []string
	flags.Func("secret", "", func(s string) error {
		secrets = append(secrets, s)
		return nil
	})
	if err := flags.Parse(args); err != nil || flags.NArg() > 0 {
		return errors.New("usage: sitehooks receive [--addr HOST:PORT] [--secret S] (a second --secret for a webhook with two)")
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *addr)
	if err != nil {
		return config.Fault{Variable: "--addr", Text: fmt.Sprintf("is %q, where nothing can listen: %v", *addr, lastCause(err)), Example: "127.0.0.1:8091"}
	}
	at, err := ownURL(listener.Addr().String())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.Stdout, "Waiting for webhooks at %s, at any path. The demo delivers here; sitehooks serve does when it is started with SITEHOOKS_ALLOW_TARGETS=127.0.0.0/8.\n", at)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           &printingReceiver{secrets: secrets, out: p.Stdout},
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}
	stopped := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stopped()
	if err = server.Serve(listener); errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// printingReceiver prints each request and whether its signature verifies.
type printingReceiver struct {
	secrets []string

	mu  sync.Mutex // one request is printed at a time
	out io.Writer
}

func (r *printingReceiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, ok := readHook(w, q)
	if !ok {
		return
	}
	text := requestText(newDemoRequest(q, body, http.StatusOK, r.secrets))
	r.mu.Lock()
	_, err := r.out.Write(text)
	r.mu.Unlock()
	if err != nil {
		http.Error(w, "the request could not be printed", http.StatusInternalServerError)
		return
	}
	answerHook(w, http.StatusOK, "ok") // the words that Slack answers with
}

// requestText is a request as a terminal shows it: what came is escaped where a
// terminal might obey it, and only the body, set off, goes over several lines.
func requestText(one demoRequest) []byte {
	shown := demoShow(one)
	var b bytes.Buffer
	line := func(format string, args ...any) {
		b.WriteString(escaped(fmt.Sprintf(format, args...), ""))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	line("%s UTC  %s %s  %d bytes", shown.Clock, shown.Method, shown.Path, len(shown.Body))
	for _, check := range shown.Checks {
		line("%s", strings.TrimRight("signature: "+check.Words+". "+check.Why, " "))
	}
	for _, item := range shown.Items {
		line("%s", strings.TrimRight(item.Type+": "+item.Title+"  "+item.Link, " "))
	}
	for _, header := range shown.Lines {
		line("  %s: %s", header.Name, header.Value)
	}
	b.WriteString("\n  " + strings.ReplaceAll(escaped(shown.Pretty, "\n\t"), "\n", "\n  ") + "\n")
	return b.Bytes()
}

// escaped writes each character that is not printable as its number, but for
// those that are kept.
func escaped(s, kept string) string {
	var b strings.Builder
	for _, c := range s {
		if unicode.IsPrint(c) || strings.ContainsRune(kept, c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, "\\u%04x", c)
		}
	}
	return b.String()
}
