package handlers

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sitehooks/sitehooks/models/modelstest"
)

// BenchmarkList is the server's part of the list of webhooks: a page of a large
// site, read by as many at once as there are cores.
func BenchmarkList(b *testing.B) {
	for _, kind := range modelstest.Kinds() {
		b.Run(kind, func(b *testing.B) {
			c := newConsoleOn(b, kind)
			modelstest.Fill(b, c.store, modelstest.Size{Webhooks: 10_000, Events: 30_000, Deliveries: 30_000})
			size := len(c.get(webhooksPath).want(http.StatusOK).Body)
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(run *testing.PB) {
				for run.Next() {
					req := c.request(http.MethodGet, webhooksPath, nil)
					req.AddCookie(&http.Cookie{Name: sessionCookie, Value: c.cookie})
					answer := httptest.NewRecorder()
					c.engine.ServeHTTP(answer, req)
					if answer.Code != http.StatusOK {
						b.Errorf("status %d", answer.Code)
					}
				}
			})
			b.ReportMetric(float64(size)/1000, "kB/page")
		})
	}
}
