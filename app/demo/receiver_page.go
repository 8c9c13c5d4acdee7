package demo

import (
	"bytes"
	_ "embed" // the receiver's page and its style
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"time"
)

//go:embed receiver.html
var receiverHTML string

//go:embed receiver.css
var receiverCSS []byte

var receiverPage = template.Must(template.New("receiver").Parse(receiverHTML))

// header is one header line of a request.
type header struct{ Name, Value string }

// shownRequest is a request as the page shows it.
type shownRequest struct {
	request
	Clock  string // 15:04:05, UTC
	Lines  []header
	Pretty string
}

// page shows the newest requests. It reloads itself every 3 s unless asked not
// to (?refresh=0), for a reader who looks at one longer.
func (r *Receiver) page(w http.ResponseWriter, q *http.Request) {
	requests, count := r.newest()
	shown := make([]shownRequest, 0, len(requests))
	for _, one := range requests {
		shown = append(shown, show(one))
	}
	var out bytes.Buffer
	err := receiverPage.Execute(&out, map[string]any{
		"Refresh": q.URL.Query().Get("refresh") != "0", "Count": count, "Kept": requestsMax,
		"Requests": shown, "Now": time.Now().UTC().Format("15:04:05"),
	})
	if err != nil {
		http.Error(w, "cannot render the page", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes())
}

func show(one request) shownRequest {
	s := shownRequest{request: one, Clock: one.At.Format("15:04:05"), Pretty: one.Body}
	var pretty bytes.Buffer
	if json.Indent(&pretty, []byte(one.Body), "", "  ") == nil {
		s.Pretty = pretty.String()
	}
	names := make([]string, 0, len(one.Headers))
	for name := range one.Headers {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s.Lines = append(s.Lines, header{name, one.Headers[name]})
	}
	return s
}

func (r *Receiver) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(receiverCSS)
}
