package ingest

import (
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin/binding"
)

// benchBodies are 100 events of the documentation's example each, with a body of
// 1,000 characters.
func benchBodies() (list, lines string) {
	one := strings.Replace(full, `"body": "…"`, `"body": "`+strings.Repeat(`<p>Ten \"word\"`, 70)+`"`, 1)
	one = strings.ReplaceAll(one, "\n", " ")
	return `{"events":[` + strings.TrimSuffix(strings.Repeat(one+",", 100), ",") + `]}`, strings.Repeat(one+"\n", 100)
}

// measure reads a body of 100 events again and again.
func measure(b *testing.B, body string, read func([]byte) error) {
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if err := read([]byte(body)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkReadEvents(b *testing.B) {
	list, lines := benchBodies()
	read := func(lines bool) func([]byte) error {
		return func(body []byte) error {
			if _, rej := ReadEvents(body, lines, testNow); rej != nil {
				b.Fatal(rej.Errs)
			}
			return nil
		}
	}
	b.Run("list", func(b *testing.B) { measure(b, list, read(false)) })
	b.Run("lines", func(b *testing.B) { measure(b, lines, read(true)) })
}

type (
	boundUser struct {
		ID   int64  `json:"user_id"`
		Name string `json:"display_name"`
	}
	boundPost struct {
		Title    string     `json:"title" binding:"max=300"`
		Body     string     `json:"body"`
		Link     string     `json:"link" binding:"omitempty,http_url"`
		Tags     []string   `json:"tags" binding:"max=50,dive,max=64"`
		Score    int64      `json:"score"`
		Created  *int64     `json:"creation_date" binding:"omitempty,gte=0"`
		Edited   *int64     `json:"last_edit_date" binding:"omitempty,gte=0"`
		Accepted bool       `json:"is_accepted"`
		Owner    *boundUser `json:"owner"`
	}
	boundEvent struct {
		ID         string     `json:"id" binding:"omitempty,max=128"`
		Type       string     `json:"type" binding:"required,max=128"`
		OccurredAt *time.Time `json:"occurred_at"`
		Location   string     `json:"location" binding:"omitempty,max=64"`
		Community  string     `json:"community" binding:"omitempty,max=64"`
		Actor      *boundUser `json:"actor"`
		Question   *struct {
			ID int64 `json:"question_id" binding:"required"`
			boundPost
		} `json:"question"`
		Answer *struct {
			ID int64 `json:"answer_id" binding:"required"`
			boundPost
		} `json:"answer"`
		Subject string   `json:"subject" binding:"omitempty,max=128"`
		Changes []string `json:"changes" binding:"max=1000"`
	}
)

// BenchmarkGinBinding binds the same bodies to structs, and checks them by their
// tags. It does less: it keeps no payload, and sees neither duplicate keys nor
// lone surrogates, NUL and depth.
func BenchmarkGinBinding(b *testing.B) {
	list, lines := benchBodies()
	b.Run("list", func(b *testing.B) {
		measure(b, list, func(body []byte) error {
			var bound struct {
				Events []boundEvent `json:"events" binding:"min=1,max=1000,dive"`
			}
			return binding.JSON.BindBody(body, &bound)
		})
	})
	b.Run("lines", func(b *testing.B) {
		measure(b, lines, func(body []byte) error {
			for line := range strings.Lines(string(body)) {
				var bound boundEvent
				if err := binding.JSON.BindBody([]byte(line), &bound); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
