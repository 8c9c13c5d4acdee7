package bench

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"
)

// BenchmarkSitehooks measures whole installations by the protocol of measure
// and prints tables: make bench. BENCH selects cases by their names,
// BENCH_QUICK makes one short run of each, BENCH_JSON is where the figures go.
func BenchmarkSitehooks(b *testing.B) {
	selected, err := regexp.Compile(os.Getenv("BENCH"))
	ok(b, err)
	sizes, quick := fullSizes, os.Getenv("BENCH_QUICK") != ""
	if quick {
		sizes = quickSizes
	}
	r := report{Measured: time.Now().UTC().Format(time.DateOnly), Short: quick, Machine: described(b)}
	fmt.Println()
	for _, c := range benchCases(sizes) {
		if selected.MatchString(c.Name) {
			r.Cases = append(r.Cases, measure(b, c, quick))
		}
	}
	r.print(os.Stdout)
	if path := os.Getenv("BENCH_JSON"); path != "" && len(r.Cases) > 0 {
		ok(b, r.write(path, caseNames()))
	}
	for _, c := range r.Cases {
		if c.Fault != "" {
			b.Errorf("%s: %s", c.Name, c.Fault)
		}
	}
}

// caseNames are all cases in the order of the page.
func caseNames() (names []string) {
	for _, c := range benchCases(fullSizes) {
		names = append(names, c.Name)
	}
	return slices.Concat(names, historyCases("postgres"), historyCases("sqlite"))
}

// described opens databases for the time of the description alone.
func described(b *testing.B) (m machine) {
	b.Helper()
	fault := scoped(b, func(r *benchRun) { m = describe(r) })
	ok(b, fault)
	return m
}
