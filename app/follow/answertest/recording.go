package answertest

import (
	"cmp"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

//go:embed recorded/*.json
var recorded embed.FS

// Recording has the rows of a run of a real Apache Answer, step by step.
type Recording struct {
	Zone  string `json:"zone,omitempty"` // of its times; empty: UTC
	Steps []Step `json:"steps"`
}

// Step is one thing that somebody did on the site. The first one is what was
// there before a follower began.
type Step struct {
	Name string `json:"name"`
	// Arrives are the items that a receiver gets: type, and the numbers of the
	// question, the answer and the comment, or 0.
	Arrives []string           `json:"arrives,omitempty"`
	Put     map[string][]Row   `json:"put,omitempty"` // by table
	Remove  map[string][]int64 `json:"remove,omitempty"`
}

// Table is a table with the columns that a follower reads, and those that its
// statements compare.
type Table struct {
	Name    string
	Columns []string
}

// Tables are all that a follower reads.
var Tables = []Table{
	{"activity", []string{"id", "created_at", "updated_at", "user_id", "trigger_user_id", "object_id", "original_object_id", "activity_type", "cancelled", "revision_id"}},
	{"config", []string{"id", "key"}},
	{"question", []string{"id", "created_at", "updated_at", "user_id", "last_edit_user_id", "title", "parsed_text", "show", "status", "vote_count", "accepted_answer_id", "revision_id"}},
	{"answer", []string{"id", "created_at", "updated_at", "question_id", "user_id", "last_edit_user_id", "parsed_text", "status", "adopted", "vote_count", "revision_id"}},
	{"comment", []string{"id", "created_at", "object_id", "question_id", "user_id", "parsed_text", "status", "vote_count"}},
	{"tag", []string{"id", "slug_name", "main_tag_id"}},
	{"tag_rel", []string{"id", "object_id", "tag_id", "status"}},
	{"user", []string{"id", "username", "display_name", "status"}},
	{"site_info", []string{"id", "type", "content"}},
	{"version", []string{"id", "version_number"}},
}

// Keep says whether a row matters: most settings do not. Texts that the site
// was installed with are left out.
func (t Table) Keep(row Row) bool {
	switch t.Name {
	case "config":
		key := fmt.Sprint(row["key"])
		return strings.HasPrefix(key, "question.") || strings.HasPrefix(key, "answer.")
	case "question", "answer":
		if number(row["id"])%1e13 < 20 {
			row["parsed_text"] = "<p>From before.</p>"
			if t.Name == "question" {
				row["title"] = "From before"
			}
		}
	case "site_info":
		return row["type"] == "general" || row["type"] == "security"
	}
	return true
}

// Scan reads a row of the columns, in their order.
func (t Table) Scan(rows *sql.Rows) (Row, error) {
	values := make([]any, len(t.Columns))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, err
	}
	row := Row{}
	for i, column := range t.Columns {
		row[column] = plain(column, values[i])
	}
	return row, nil
}

// plain is a value as all three databases have it.
func plain(column string, v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.Format(layout)
	case []byte:
		return plain(column, string(v))
	case string:
		if strings.HasSuffix(column, "_at") && len(v) >= len(layout) {
			return strings.Replace(v[:len(layout)], "T", " ", 1)
		}
		var n json.Number
		if column == "id" || strings.HasSuffix(column, "_id") {
			if json.Unmarshal([]byte(v), &n) == nil {
				i, _ := n.Int64()
				return i
			}
		}
		return v
	}
	return v
}

// SortRows brings rows into the order of their ids.
func SortRows(rows []Row) {
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Compare(number(a["id"]), number(b["id"])) })
}

func number(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		return int64(v)
	case json.Number:
		n, _ := v.Int64()
		return n
	}
	return 0
}

const layout = "2006-01-02 15:04:05"

// Recorded returns the recording of a kind of database: sqlite, postgres or
// mariadb.
func Recorded(t testing.TB, kind string) Recording {
	t.Helper()
	text, err := recorded.ReadFile("recorded/" + kind + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var r Recording
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber() // ids are larger than a float64 holds
	if err := d.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

// ZoneName is the time zone of the times, by name.
func (r Recording) ZoneName() string { return cmp.Or(r.Zone, "UTC") }

// Number is the log's number of a kind of activity.
func (r Recording) Number(key string) int64 {
	for _, row := range r.Steps[0].Put["config"] {
		if row["key"] == key {
			return number(row["id"])
		}
	}
	return 0
}

// Replay writes a recording to a database, as if it happened now.
type Replay struct {
	Recording
	site  *Site
	zone  *time.Location
	now   func() time.Time
	moved map[string]string // times by those that were recorded
}

// Replay writes what was there before, an hour old.
func (s *Site) Replay(r Recording, now func() time.Time) *Replay {
	s.t.Helper()
	zone, err := time.LoadLocation(r.ZoneName())
	if err != nil {
		s.t.Fatal(err)
	}
	p := &Replay{Recording: r, site: s, zone: zone, now: now, moved: map[string]string{}}
	p.apply(r.Steps[0], now().Add(-time.Hour))
	return p
}

// Apply writes what a step changed, posts before the log's rows. Times that no
// earlier step had become now.
func (p *Replay) Apply(step Step) {
	p.site.t.Helper()
	p.apply(step, p.now())
}

func (p *Replay) apply(step Step, at time.Time) {
	p.site.t.Helper()
	for i := range Tables {
		table := Tables[len(Tables)-1-i].Name
		for _, row := range step.Put[table] {
			for column, v := range row {
				row[column] = p.value(column, v, at)
			}
			p.site.Put(table, row)
		}
		for _, id := range step.Remove[table] {
			p.site.Remove(table, id)
		}
	}
}

func (p *Replay) value(column string, v any, at time.Time) any {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case string:
		if !strings.HasSuffix(column, "_at") {
			return v
		}
		if p.moved[v] == "" {
			p.moved[v] = at.In(p.zone).Format(layout)
		}
		return p.moved[v]
	}
	return v
}
