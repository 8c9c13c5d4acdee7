package handlers

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// exportTurn is how long a chunk of an export may take to reach the reader.
const exportTurn = time.Minute

// exported is a delivery in a file: no body, no URL, no secret.
type exported struct {
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
}

var exportColumns = []string{
	"id", "webhook_id", "webhook", "type", "location", "state", "held_why", "event_types", "events", "attempts",
	"created_at", "due_at", "last_attempt_at", "last_status", "last_error", "last_ms", "finished_at", "reason",
}

func newExported(row models.DeliveryRow) exported {
	e := exported{
		ID: row.PublicID, WebhookID: row.WebhookID, Webhook: row.Webhook.Name, Type: row.Webhook.Type, Location: row.Location,
		State: row.State, HeldWhy: row.HeldWhy, EventTypes: []string{}, Events: row.Items, Attempts: row.Tries, CreatedAt: row.CreatedAt.UTC(),
		DueAt: row.DueAt, LastAt: row.LastAt, LastCode: row.LastCode, LastError: row.LastError, LastMS: row.LastMS,
		FinishedAt: row.FinishedAt, Reason: row.Reason,
	}
	if types := strings.Trim(row.EventTypes, ","); types != "" {
		e.EventTypes = strings.Split(types, ",")
	}
	if row.Held {
		e.State = models.StateHeld
	}
	return e
}

// cells are the values of a line, as a table's program may read them.
func (e exported) cells() []string {
	when := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format(time.RFC3339Nano)
	}
	cells := []string{
		e.ID, formatID(e.WebhookID), e.Webhook, e.Type, e.Location, e.State, e.HeldWhy, strings.Join(e.EventTypes, " "),
		strconv.Itoa(e.Events), strconv.Itoa(e.Attempts), when(&e.CreatedAt), when(e.DueAt), when(e.LastAt),
		strconv.Itoa(e.LastCode), e.LastError, strconv.Itoa(e.LastMS), when(e.FinishedAt), e.Reason,
	}
	for i, cell := range cells {
		cells[i] = harmless(cell)
	}
	return cells
}

// harmless keeps a table's program from taking a text for a formula, also
// where the program passes over what cannot be seen in front of it.
func harmless(cell string) string {
	seen := strings.TrimLeftFunc(cell, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	first, _ := utf8.DecodeRuneInString(seen)
	if cell != "" && strings.ContainsRune("\t\r\n", rune(cell[0])) || seen != "" && strings.ContainsRune("=+-@＝＋－＠", first) {
		return "'" + cell
	}
	return cell
}

// deliveriesCSV and deliveriesJSON hand out all that match the filter, read
// and written in chunks.
func (s *Site) deliveriesCSV(c *gin.Context) error {
	return s.export(c, "csv", "text/csv; charset=utf-8", func(w io.Writer, lines []exported, first, _ bool) error {
		table := csv.NewWriter(w)
		if first {
			_ = table.Write(exportColumns) // told by Error below
		}
		for _, line := range lines {
			_ = table.Write(line.cells())
		}
		table.Flush()
		return table.Error()
	})
}

func (s *Site) deliveriesJSON(c *gin.Context) error {
	return s.export(c, "json", "application/json", func(w io.Writer, lines []exported, first, last bool) error {
		before := ","
		if first {
			before = "["
		}
		for _, line := range lines {
			text, err := json.Marshal(line)
			if err != nil {
				return err
			}
			if _, err = io.WriteString(w, before+"\n"+string(text)); err != nil {
				return err
			}
			before = ","
		}
		end := ""
		switch {
		case first && len(lines) == 0:
			end = "["
		case last:
			end = "\n]\n"
		}
		_, err := io.WriteString(w, end)
		return err
	})
}

// export streams. An error after the first chunk cuts the connection, so that
// nobody takes a part for the whole.
func (s *Site) export(c *gin.Context, extension, kind string, write func(w io.Writer, lines []exported, first, last bool) error) error {
	ctx := c.Request.Context()
	now, err := s.Store.Now(ctx)
	if err != nil {
		return err
	}
	q, _, faults := parseDeliveryQuery(c.Request.URL.Query(), now)
	if len(faults) > 0 {
		return unusable(strings.Join(faults, " "))
	}
	out := http.NewResponseController(c.Writer)
	begun := false
	err = s.store.deliveries.Each(ctx, q, func(rows []models.DeliveryRow) error {
		_ = out.SetWriteDeadline(time.Now().Add(exportTurn)) // not every writer has one
		lines := make([]exported, len(rows))
		for i, row := range rows {
			lines[i] = newExported(row)
		}
		first := !begun
		if begun = true; first {
			c.Header("Content-Type", kind)
			c.Header("Cache-Control", "no-store")
			c.Header("Content-Disposition", `attachment; filename="deliveries-`+now.Format("20060102-150405")+"."+extension+`"`)
			c.Status(http.StatusOK)
		}
		if err := write(c.Writer, lines, first, false); err != nil {
			return err
		}
		c.Writer.Flush()
		return nil
	})
	if err == nil {
		err = write(c.Writer, nil, false, true)
	}
	if err != nil && begun {
		if ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "export cut off", "error", err)
		}
		panic(http.ErrAbortHandler)
	}
	return err
}
