package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/sitehooks/sitehooks/app/follow/answertest"
)

// recordTo is the variable that names a folder for the rows of real runs.
const recordTo = "ANSWER_RECORD_TO"

// answerRecording keeps the rows that each step of a real run changed, of the
// columns that a follower reads.
type answerRecording struct {
	s    *answerSite
	last map[string]map[string]answertest.Row // by table and id
	all  answertest.Recording
}

func newAnswerRecording(s *answerSite) *answerRecording {
	r := &answerRecording{s: s, last: map[string]map[string]answertest.Row{}}
	if r.s.kind != "sqlite" {
		r.all.Zone = answerZone
	}
	if os.Getenv(recordTo) != "" {
		r.step("begin")
	}
	return r
}

// step adds what changed since the last one, and what arrived.
func (r *answerRecording) step(name string, arrived ...string) {
	r.s.t.Helper()
	if os.Getenv(recordTo) == "" {
		return
	}
	step := answertest.Step{Name: name, Arrives: arrived, Put: map[string][]answertest.Row{}, Remove: map[string][]int64{}}
	for _, table := range answertest.Tables {
		now := r.read(table)
		for id, row := range now {
			if before, was := r.last[table.Name][id]; !was || fmt.Sprint(before) != fmt.Sprint(row) {
				step.Put[table.Name] = append(step.Put[table.Name], row)
			}
		}
		for id, row := range r.last[table.Name] {
			if _, is := now[id]; !is {
				step.Remove[table.Name] = append(step.Remove[table.Name], row["id"].(int64))
			}
		}
		answertest.SortRows(step.Put[table.Name])
		r.last[table.Name] = now
	}
	r.all.Steps = append(r.all.Steps, step)
}

func (r *answerRecording) read(table answertest.Table) map[string]answertest.Row {
	r.s.t.Helper()
	columns := `"` + strings.Join(table.Columns, `", "`) + `"`
	rows, err := r.s.db.QueryContext(r.s.t.Context(), "select "+columns+" from \""+table.Name+"\"")
	ok(r.s.t, err)
	defer rows.Close()
	all := map[string]answertest.Row{}
	for rows.Next() {
		row, err := table.Scan(rows)
		ok(r.s.t, err)
		if table.Keep(row) {
			all[fmt.Sprint(row["id"])] = row
		}
	}
	ok(r.s.t, rows.Err())
	return all
}

func (r *answerRecording) save() {
	r.s.t.Helper()
	dir := os.Getenv(recordTo)
	if dir == "" {
		return
	}
	text, err := json.MarshalIndent(r.all, "", " ")
	ok(r.s.t, err)
	text = bytes.ReplaceAll(text, []byte(r.s.base), []byte("https://answer.example"))
	ok(r.s.t, os.WriteFile(filepath.Join(dir, r.s.kind+".json"), append(text, '\n'), 0o600))
}
