package superoffice

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// lastErrorRows is how many of the newest deliveries are looked through for
// failed attempts.
const lastErrorRows = 100

// lastError answers with the newest failure of a webhook's deliveries: its
// meaning and the target's response. It is empty when there was none.
func (s *API) lastError(ctx context.Context, c *call) (answer, error) {
	w, err := s.named(ctx, c)
	if err != nil {
		return answer{}, err
	}
	last, err := s.newestFailure(ctx, c.token.Within(), w.ID)
	if err != nil || last != nil {
		return answer{value: s.failureText(last)}, err
	}
	return answer{value: w.StateReason}, nil // the failed delivery may be too old to be kept
}

// newestFailure is nil when there is none.
func (s *API) newestFailure(ctx context.Context, within models.LocationSet, id int64) (*models.Attempt, error) {
	rows, more, err := s.Store.Deliveries.List(ctx, models.DeliveryQuery{Within: within, WebhookID: id, Limit: lastErrorRows})
	if err != nil {
		return nil, err
	}
	if more {
		older, _, err := s.Store.Deliveries.List(ctx, models.DeliveryQuery{Within: within, WebhookID: id, State: models.DeliveryFailed, Limit: 1})
		if err != nil {
			return nil, err
		}
		rows = append(rows, older...)
	}
	var newest *models.Attempt
	for _, row := range rows {
		// Once a failure is found, only deliveries tried after it have a newer one.
		if row.Tries == 0 || row.LastAt == nil || (newest != nil && !row.LastAt.After(newest.StartedAt)) {
			continue
		}
		if row.Tries == 1 && s.succeeded(row.LastCode, row.LastError) {
			continue
		}
		attempts, err := s.Store.Deliveries.Attempts(ctx, row.ID)
		if err != nil {
			return nil, err
		}
		for i, a := range attempts {
			failed := !s.succeeded(a.Code, a.ErrorClass) && a.ErrorClass != wire.ClassCanceled
			if failed && (newest == nil || a.StartedAt.After(newest.StartedAt)) {
				newest = &attempts[i]
			}
		}
	}
	return newest, nil
}

func (s *API) succeeded(code int, class string) bool {
	return s.format.Policy.Succeeded(wire.Response{Code: code, ErrorClass: class})
}

func (s *API) failureText(a *models.Attempt) string {
	if a == nil {
		return ""
	}
	reason := a.Error
	if reason == "" {
		reason = s.format.Policy.Explain(wire.Response{Code: a.Code, Body: a.ResponseBody, ErrorClass: a.ErrorClass})
	}
	var pairs [][2]string
	_ = json.Unmarshal(a.ResponseHeaders, &pairs) // written by us; without them the rest still says much
	headers := make([]wire.Header, len(pairs))
	for i, p := range pairs {
		headers[i] = wire.Header{Name: p[0], Value: p[1]}
	}
	return answered(reason, a.Code, headers, a.ResponseBody)
}

// statusLine is a status code with its usual words.
func statusLine(code int) string {
	line := "HTTP " + strconv.Itoa(code)
	if words := http.StatusText(code); words != "" {
		line += " " + words
	}
	return line
}

// answered is the reason of a failure, followed by the headers and body of the
// target's response.
func answered(reason string, code int, headers []wire.Header, body []byte) string {
	const most = 8 << 10 // bytes
	var b strings.Builder
	b.WriteString(reason)
	if code != 0 {
		if reason != "" {
			b.WriteString("\n\n")
		}
		b.WriteString(statusLine(code))
		for _, h := range headers {
			b.WriteString("\n" + h.Name + ": " + h.Value)
		}
		if len(body) > 0 {
			b.WriteString("\n\n" + string(body))
		}
	}
	text := b.String()
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
