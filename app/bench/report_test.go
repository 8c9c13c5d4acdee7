package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

// report is all that was measured.
type report struct {
	Measured string    `json:"measured"` // the day
	Short    bool      `json:"short"`    // one short run of each case
	Machine  machine   `json:"machine"`
	Cases    []outcome `json:"cases"`
}

// figureNames are the columns in their order.
var figureNames = []string{
	"accepted/s", "delivered/s, empty", "delivered/s", "raw/s", "of raw", "against one", "against empty", "CPU s/10k",
	"CPU s/10k, few", "CPU s/10k, many", "many against few",
	"p99 ms, nothing to remove", "p50 ms", "p90 ms", "p99 ms", "max ms", "against nothing", "rows removed", "s for them",
	"pages/s", "kB/page", "pages", "ms to ready", "idle MiB", "peak MiB", "repeats",
	"bytes/event", "payload bytes", "bytes/delivery", "body bytes", "bytes/attempt", "bytes/trigger",
}

func (f figures) names() []string {
	return slices.DeleteFunc(slices.Clone(figureNames), func(name string) bool { _, has := f[name]; return !has })
}

// readable writes a figure with three digits that mean something.
func readable(v float64) string {
	switch {
	case v >= 100 || v == 0:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// table is some cases with the same figures.
type table struct {
	columns []string
	rows    []outcome
}

// tables puts neighbours with the same figures together.
func tables(cases []outcome) []table {
	var all []table
	for _, c := range cases {
		columns := c.Figures.names()
		if n := len(all); n > 0 && slices.Equal(all[n-1].columns, columns) {
			all[n-1].rows = append(all[n-1].rows, c)
			continue
		}
		all = append(all, table{columns, []outcome{c}})
	}
	return all
}

// cells are a row's: its name, the figures, and how they came about.
func (t table) cells(o outcome) []string {
	row := []string{o.Name}
	for _, name := range t.columns {
		row = append(row, readable(o.Figures[name]))
	}
	return append(row, o.note())
}

// note describes the basis of the figures.
func (o outcome) note() string {
	var parts []string
	if len(o.Others) > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d runs", o.Runs, o.Tried))
		if o.Runs == 0 {
			parts = append(parts, fmt.Sprintf("none was quiet, others took %.0f %%", 100*slices.Min(o.Others)))
		} else if o.Runs < runsWanted {
			parts = append(parts, "not three quiet ones")
		}
	}
	if o.Measured != "" {
		parts = append(parts, "on "+o.Measured)
	}
	if o.Fault != "" {
		parts = append(parts, "FAILED: "+o.Fault)
	}
	return strings.Join(parts, ", ")
}

func (r report) print(w io.Writer) {
	m := r.Machine
	fmt.Fprintf(w, "\n%d cores of %s, %d GiB, Linux %s, %s; %s, PostgreSQL %s (%s), SQLite %s\n%s\n",
		m.Cores, m.CPU, m.MemoryGiB, m.Kernel, m.FileSystem, m.Go, m.PostgreSQL, m.Settings, m.SQLite, m.Synchronous)
	for _, t := range tables(r.Cases) {
		fmt.Fprintln(w)
		out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(out, strings.Join(append(append([]string{""}, t.columns...), "medians of"), "\t"))
		for _, row := range t.rows {
			fmt.Fprintln(out, strings.Join(t.cells(row), "\t"))
		}
		_ = out.Flush()
	}
}

// readReport reads figures; there are none when the file is not there.
func readReport(path string) (r report, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return report{}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

// write keeps a file's results of other cases on the same machine, so that some
// can be measured anew.
func (r report) write(path string, order []string) error {
	old, err := readReport(path)
	if err != nil {
		return err
	}
	if old.Machine == r.Machine && old.Short == r.Short {
		for _, c := range old.Cases {
			if !slices.ContainsFunc(r.Cases, func(o outcome) bool { return o.Name == c.Name }) {
				if c.Measured == "" && old.Measured != r.Measured {
					c.Measured = old.Measured
				}
				r.Cases = append(r.Cases, c)
			}
		}
		slices.SortStableFunc(r.Cases, func(a, b outcome) int {
			return slices.Index(order, a.Name) - slices.Index(order, b.Name)
		})
	}
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}
