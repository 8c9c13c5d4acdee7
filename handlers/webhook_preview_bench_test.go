package handlers

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// BenchmarkPreview is the server's part of the live preview while somebody
// types, over as many events as it looks at. It should stay below 200 ms.
func BenchmarkPreview(b *testing.B) {
	c := newConsole(b)
	body := strings.Repeat("x", 2000)
	for chunk := range previewEvents / 1000 {
		var events []models.NewEvent
		for i := range 1000 {
			n := chunk*1000 + i
			events = append(events, models.NewEvent{
				EventID: fmt.Sprint("e", n), Type: "question.created", Location: "main", Tags: []string{"python", fmt.Sprint("t", n%50)},
				MergeKey: strconv.Itoa(n), Title: "A question", OccurredAt: time.Now(),
				Payload: fmt.Appendf(nil, `{"type":"question.created","question":{"question_id":%d,"title":"A question","link":"https://example.com/%d","body":%q}}`, n, n, body),
			})
		}
		_, _, err := c.store.Events.Record(b.Context(), events)
		ok(b, err)
	}
	form := c.filled("https://api.example.com/hook", "events", "question.created", "tag_mode", "specific", "tags", "t7", "do", "preview")
	for b.Loop() {
		req := c.request(http.MethodPost, newForm, strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(partHeader, lookPart)
		if a := c.do(req); a.text(".big") != "200 of the newest 10,000 events" {
			b.Fatalf("the preview says %s", a.Body)
		}
	}
}
