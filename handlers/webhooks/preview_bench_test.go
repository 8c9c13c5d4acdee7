package webhooks_test

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webhooks"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models"
)

// BenchmarkPreview is the server's part of the live preview while somebody
// types, over as many events as it looks at. It should stay below 200 ms.
func BenchmarkPreview(b *testing.B) {
	c := webtest.NewConsole(b)
	body := strings.Repeat("x", 2000)
	for chunk := range webhooks.PreviewEvents / 1000 {
		var events []models.NewEvent
		for i := range 1000 {
			n := chunk*1000 + i
			events = append(events, models.NewEvent{
				EventID: fmt.Sprint("e", n), Type: "question.created", Location: "main", Tags: []string{"python", fmt.Sprint("t", n%50)},
				MergeKey: strconv.Itoa(n), Title: "A question", OccurredAt: time.Now(),
				Payload: fmt.Appendf(nil, `{"type":"question.created","question":{"question_id":%d,"title":"A question","link":"https://example.com/%d","body":%q}}`, n, n, body),
			})
		}
		_, _, err := c.Store.Events.Record(b.Context(), events)
		webtest.OK(b, err)
	}
	form := c.Filled("https://api.example.com/hook", "events", "question.created", "tag_mode", "specific", "tags", "t7", "do", "preview")
	for b.Loop() {
		req := c.Request(http.MethodPost, webtest.NewForm, strings.NewReader(form.Encode()))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set(web.FragmentHeader, webhooks.PreviewFragment)
		if a := c.Do(req); a.Text(".big") != "200 of the newest 10,000 events" {
			b.Fatalf("the preview says %s", a.Body)
		}
	}
}
