package ingest

import (
	"strings"
	"testing"
)

// BenchmarkReadEvents reads 100 events of the documentation's example, with a
// body of 1,000 characters.
func BenchmarkReadEvents(b *testing.B) {
	one := strings.Replace(full, `"body": "…"`, `"body": "`+strings.Repeat(`<p>Ten \"word\"`, 70)+`"`, 1)
	one = strings.ReplaceAll(one, "\n", " ")
	for _, kind := range []struct {
		name  string
		lines bool
		body  string
	}{
		{"list", false, `{"events":[` + strings.TrimSuffix(strings.Repeat(one+",", 100), ",") + `]}`},
		{"lines", true, strings.Repeat(one+"\n", 100)},
	} {
		b.Run(kind.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(kind.body)))
			for b.Loop() {
				if _, rej := ReadEvents([]byte(kind.body), kind.lines, testNow); rej != nil {
					b.Fatal(rej.Errs)
				}
			}
			b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
