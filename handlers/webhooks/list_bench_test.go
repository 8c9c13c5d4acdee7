package webhooks_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/webtest"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// BenchmarkList is the server's part of the list of webhooks: a page of a large
// site, read by as many at once as there are cores.
func BenchmarkList(b *testing.B) {
	for _, kind := range modelstest.Kinds() {
		b.Run(kind, func(b *testing.B) {
			c := webtest.NewConsoleOn(b, kind)
			modelstest.Fill(b, c.Store, modelstest.Size{Webhooks: 10_000, Events: 30_000, Deliveries: 30_000})
			size := len(c.Get(web.WebhooksPath).Want(http.StatusOK).Body)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(run *testing.PB) {
				for run.Next() {
					req := c.Request(http.MethodGet, web.WebhooksPath, nil)
					req.AddCookie(&http.Cookie{Name: web.SessionCookie, Value: c.Cookie})
					answer := httptest.NewRecorder()
					c.Engine.ServeHTTP(answer, req)
					if answer.Code != http.StatusOK {
						b.Errorf("status %d", answer.Code)
					}
				}
			})
			b.ReportMetric(float64(size)/1000, "kB/page")
		})
	}
}
