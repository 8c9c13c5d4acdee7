package bench

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// The protocol: a figure is the median of three runs during which others took
// less than a tenth of the machine. Noisy runs are discarded.
const (
	runsWanted = 3
	triesMost  = 10
	noisy      = 0.10
)

// figures are the measurements of a run, by name with unit.
type figures map[string]float64

// benchCase is one row of the result. Open prepares the shared part of its
// runs.
type benchCase struct {
	Name string
	Open func(r *benchRun) func(r *benchRun) figures
	Once bool // it counts bytes, which noise does not change
}

// outcome is the outcome of a case.
type outcome struct {
	Name    string    `json:"name"`
	Figures figures   `json:"figures"`
	Runs    int       `json:"runs"`   // that the figures are the medians of
	Tried   int       `json:"tried"`  // in all
	Others  []float64 `json:"others"` // their share of the machine in each run
	Fault   string    `json:"fault,omitempty"`
	// Measured is the day, if not that of the report.
	Measured string `json:"measured,omitempty"`
}

// measure does a case by the protocol. When not one run was quiet it tells
// the medians of all of them; Runs is 0 then.
func measure(b *testing.B, c benchCase, quick bool) outcome {
	b.Helper()
	result := outcome{Name: c.Name}
	var good, all []figures
	fault := scoped(b, func(shared *benchRun) {
		once := c.Open(shared)
		for len(good) < runsWanted && result.Tried < triesMost {
			fault := scoped(b, func(r *benchRun) {
				f := once(r)
				all = append(all, f)
				if c.Once {
					return
				}
				others := r.finish()
				result.Others = append(result.Others, math.Round(others*1000)/1000)
				if others < noisy {
					good = append(good, f)
				}
			})
			result.Tried++
			if fault != nil {
				shared.Error(fault)
			}
			if shared.fault != nil { // of the run, or of its shared part
				return
			}
			progress(c.Name, result, all[len(all)-1])
			if quick || c.Once {
				break
			}
		}
	})
	result.Runs = len(good)
	if len(good) == 0 {
		good = all
	}
	result.Figures = medians(good)
	if fault != nil {
		first, _, _ := strings.Cut(fault.Error(), "\n")
		result.Fault = first[:min(len(first), 200)]
	}
	return result
}

func progress(name string, o outcome, f figures) {
	note := ""
	if n := len(o.Others); n > 0 {
		note = fmt.Sprintf(", others %.0f %%", 100*o.Others[n-1])
	}
	fmt.Printf("%s, run %d%s: %s\n", name, o.Tried, note, f)
}

// String tells the figures in their order.
func (f figures) String() string {
	var parts []string
	for _, name := range f.names() {
		parts = append(parts, readable(f[name])+" "+name)
	}
	return strings.Join(parts, ", ")
}

func medians(runs []figures) figures {
	middle := figures{}
	for _, run := range runs {
		for name := range run {
			values := make([]float64, 0, len(runs))
			for _, r := range runs {
				if v, has := r[name]; has {
					values = append(values, v)
				}
			}
			slices.Sort(values)
			n := len(values)
			middle[name] = (values[(n-1)/2] + values[n/2]) / 2
		}
	}
	return middle
}

// benchRun is a run as a test of its own: its cleanup runs when it ends, and
// its failure is a fault of its case alone.
type benchRun struct {
	testing.TB
	undo  []func()
	dirs  int
	fault error
	began cpuTimes
	times func() cpuTimes
}

// scoped runs a function with a benchRun of its own and returns its fault.
func scoped(b *testing.B, do func(r *benchRun)) error {
	b.Helper()
	r := &benchRun{TB: b}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer r.clean()
		do(r)
	}()
	<-done
	return r.fault
}

func (r *benchRun) clean() {
	for _, undo := range slices.Backward(r.undo) {
		undo()
	}
}

// Cleanup is of this run.
func (r *benchRun) Cleanup(undo func()) { r.undo = append(r.undo, undo) }

// TempDir is gone when the run is.
func (r *benchRun) TempDir() string {
	r.dirs++
	dir := filepath.Join(r.TB.TempDir(), strconv.Itoa(r.dirs))
	if err := os.Mkdir(dir, 0o700); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// Fatal ends this run alone.
func (r *benchRun) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

// Fatalf ends this run alone.
func (r *benchRun) Fatalf(format string, args ...any) { r.Fatal(fmt.Sprintf(format, args...)) }

// Error is kept for the result.
func (r *benchRun) Error(args ...any) {
	if r.fault == nil {
		r.fault = errors.New(strings.TrimSpace(fmt.Sprint(args...)))
	}
}

// Errorf is kept for the result.
func (r *benchRun) Errorf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }

// begin begins the span in which the time of other processes is counted; the
// given ones are ours.
func (r *benchRun) begin(postgres int, instances []*apptest.Instance) {
	r.times = func() cpuTimes { return times(r, postgres, instances) }
	r.began = r.times()
}

// finish is the share of the machine that others took since begin.
func (r *benchRun) finish() float64 { return r.times().others(r.began) }
