package demo

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/sitehooks/sitehooks/handlers/wording"
)

// printingReceiver prints each request and whether its signature verifies.
type printingReceiver struct {
	secrets []string

	mu  sync.Mutex // one request is printed at a time
	out io.Writer
}

// NewPrinter returns a receiver that answers every request and prints it to out.
// secrets are those of the webhooks that send here; when there are any, a request
// that was signed with none of them is answered with 401.
func NewPrinter(out io.Writer, secrets []string) http.Handler {
	return &printingReceiver{secrets: secrets, out: out}
}

func (r *printingReceiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, ok := readHook(w, q)
	if !ok {
		return
	}
	one := newRequest(q, body, http.StatusOK, r.secrets)
	text := requestText(one)
	r.mu.Lock()
	_, err := r.out.Write(text)
	r.mu.Unlock()
	if err != nil {
		http.Error(w, "cannot print the request", http.StatusInternalServerError)
		return
	}
	answerHook(w, one, "ok") // the words that Slack answers with
}

// requestText is a request as a terminal shows it. Characters that could
// control the terminal are escaped, and only the body, which is indented, has
// several lines.
func requestText(one request) []byte {
	shown := show(one)
	var b bytes.Buffer
	line := func(format string, args ...any) {
		b.WriteString(wording.Printable(fmt.Sprintf(format, args...), ""))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	line("%s UTC  %s %s  %d bytes, answered %d", shown.Clock, shown.Method, shown.Path, len(shown.Body), shown.Status)
	for _, check := range shown.Checks {
		line("%s", strings.TrimRight("signature: "+check.Words+". "+check.Why, " "))
	}
	for _, item := range shown.Items {
		line("%s", strings.TrimRight(item.Type+": "+item.Title+"  "+item.Link, " "))
	}
	for _, header := range shown.Lines {
		line("  %s: %s", header.Name, header.Value)
	}
	b.WriteString("\n  " + strings.ReplaceAll(wording.Printable(shown.Pretty, "\n\t"), "\n", "\n  ") + "\n")
	return b.Bytes()
}
