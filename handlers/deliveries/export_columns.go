package deliveries

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// exportRows is how many deliveries a chunk has.
const exportRows = 1000

// Exported is a delivery in a file: no body, no URL, no secret.
type Exported struct {
	ID         string     `json:"id"`
	WebhookID  int64      `json:"webhook_id"`
	Webhook    string     `json:"webhook"`
	Type       string     `json:"type"`
	Location   string     `json:"location"`
	State      string     `json:"state"`
	HeldWhy    string     `json:"held_why"`
	EventTypes []string   `json:"event_types"`
	Events     int        `json:"events"`
	Attempts   int        `json:"attempts"`
	CreatedAt  time.Time  `json:"created_at"`
	DueAt      *time.Time `json:"due_at"`
	LastAt     *time.Time `json:"last_attempt_at"`
	LastCode   int        `json:"last_status"`
	LastError  string     `json:"last_error"`
	LastMS     int        `json:"last_ms"`
	FinishedAt *time.Time `json:"finished_at"`
	Reason     string     `json:"reason"`
	SentBy     string     `json:"sent_by_hand_by"` // empty: an event triggered it
}

// ExportColumns are the names in a CSV file's first line, in the order of
// Cells.
var ExportColumns = []string{
	"id", "webhook_id", "webhook", "type", "location", "state", "held_why", "event_types", "events", "attempts",
	"created_at", "due_at", "last_attempt_at", "last_status", "last_error", "last_ms", "finished_at", "reason", "sent_by_hand_by",
}

// NewExported is a delivery as the files have it. Its state is held when its
// webhook cannot send.
func NewExported(row models.DeliveryRow) Exported {
	e := Exported{
		ID: row.PublicID, WebhookID: row.WebhookID, Webhook: row.Webhook.Name, Type: row.Webhook.Type, Location: row.Location,
		State: row.State, HeldWhy: row.HeldWhy, EventTypes: []string{}, Events: row.Items, Attempts: row.Tries, CreatedAt: row.CreatedAt.UTC(),
		DueAt: row.DueAt, LastAt: row.LastAt, LastCode: row.LastCode, LastError: row.LastError, LastMS: row.LastMS,
		FinishedAt: row.FinishedAt, Reason: row.Reason, SentBy: row.SentBy,
	}
	if types := strings.Trim(row.EventTypes, ","); types != "" {
		e.EventTypes = strings.Split(types, ",")
	}
	if row.Held {
		e.State = models.StateHeld
	}
	return e
}

// Cells are the values of a line.
func (e Exported) Cells() []string {
	when := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	return []string{
		e.ID, web.FormatID(e.WebhookID), e.Webhook, e.Type, e.Location, e.State, e.HeldWhy, strings.Join(e.EventTypes, " "),
		strconv.Itoa(e.Events), strconv.Itoa(e.Attempts), when(&e.CreatedAt), when(e.DueAt), when(e.LastAt),
		strconv.Itoa(e.LastCode), e.LastError, strconv.Itoa(e.LastMS), when(e.FinishedAt), e.Reason, e.SentBy,
	}
}

// formula finds text that a spreadsheet may take for a formula: a sign at the
// start of a cell, or after a character at which some spreadsheets split a line
// even inside quotes. Quotes and invisible characters may stand in front of the
// sign.
var formula = regexp.MustCompile(`(^|[;,\t\r\n])([^\pL\pM\pN\pP\pS\t\r\n]|")*[=+\-@＝＋－＠]`)

// CsvLine is a line of a CSV file. Every cell is quoted, and an apostrophe
// precedes any text that could be read as a formula.
func CsvLine(cells []string) string {
	quoted := make([]string, len(cells))
	for i, cell := range cells {
		cell = formula.ReplaceAllStringFunc(cell, func(found string) string {
			if strings.IndexByte(";,\t\r\n", found[0]) >= 0 {
				return found[:1] + "'" + found[1:]
			}
			return "'" + found
		})
		quoted[i] = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
	}
	return strings.Join(quoted, ",") + "\n"
}

// CSV and JSON hand out all that match the filter.
func (s *Pages) CSV(c *gin.Context) error {
	begun := false
	return s.exportDeliveries(c, "csv", "text/csv; charset=utf-8", func(to *bytes.Buffer, lines []Exported, _ bool) error {
		if !begun {
			to.WriteString(CsvLine(ExportColumns))
			begun = true
		}
		for _, line := range lines {
			to.WriteString(CsvLine(line.Cells()))
		}
		return nil
	})
}

// JSON answers with all deliveries that match the filter, newest first, as one
// JSON array.
func (s *Pages) JSON(c *gin.Context) error {
	before := "["
	return s.exportDeliveries(c, "json", "application/json", func(to *bytes.Buffer, lines []Exported, last bool) error {
		for _, line := range lines {
			text, err := json.Marshal(line)
			if err != nil {
				return err
			}
			to.WriteString(before + "\n")
			to.Write(text)
			before = ","
		}
		if last {
			to.WriteString(strings.TrimPrefix(before, ",") + "\n]\n")
		}
		return nil
	})
}

// exportDeliveries renders the deliveries that match the filter in chunks,
// newest first.
func (s *Pages) exportDeliveries(c *gin.Context, extension, kind string, render func(to *bytes.Buffer, lines []Exported, last bool) error) error {
	now, err := s.Store.Now(c.Request.Context())
	if err != nil {
		return err
	}
	q, _, err := exportQuery(c.Request.URL.Query(), now)
	if err != nil {
		return err
	}
	q.Within, q.Limit = s.Within(c), exportRows
	span, err := s.exportSpan(c, q, now)
	if err != nil {
		return err
	}
	next := func(ctx context.Context, to *bytes.Buffer, at *exportProgress) (bool, error) {
		page, err := s.Store.Deliveries.Search(ctx, q)
		if err != nil {
			return false, err
		}
		lines := make([]Exported, len(page.Rows))
		for i, row := range page.Rows {
			lines[i] = NewExported(row)
			at.Percent = span.percent(row.CreatedAt)
		}
		at.Rows += int64(len(lines))
		err = render(to, lines, page.Next == 0)
		q.Before = page.Next
		return page.Next != 0, err
	}
	return s.export(c, exportFile{"deliveries-" + now.Format("20060102-150405") + "." + extension, kind, next})
}

// exportQuery reads the filter of an export. A value that means nothing would
// export more than was asked for.
func exportQuery(values url.Values, now time.Time) (models.DeliveryQuery, deliveryFilter, error) {
	q, filter, faults := parseDeliveryQuery(values, now)
	if len(faults) > 0 {
		return q, filter, web.Unusable(strings.Join(faults, " "))
	}
	return q, filter, nil
}

// exportSpan is the time from which deliveries are exported, newest first.
type exportSpan struct{ from, to time.Time }

func (s *Pages) exportSpan(c *gin.Context, q models.DeliveryQuery, now time.Time) (exportSpan, error) {
	span := exportSpan{q.From, now}
	if !q.To.IsZero() && q.To.Before(now) {
		span.to = q.To
	}
	oldest, err := s.Store.Deliveries.Oldest(c.Request.Context())
	if oldest.After(span.from) {
		span.from = oldest
	}
	return span, err
}

// percent is how much of the span is newer than a time.
func (s exportSpan) percent(t time.Time) int64 {
	return min(99, max(0, int64(100*s.to.Sub(t)/max(1, s.to.Sub(s.from)))))
}
