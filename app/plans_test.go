package app_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"

	"github.com/sitehooks/sitehooks/models/modelstest"
)

// bigTables grow with time or with the number of webhooks: nobody reads one
// from its beginning to its end.
var bigTables = []string{
	"events", "pending_events", "dispatches", "deliveries", "delivery_queue", "delivery_ends", "attempts", "triggers", "webhook_hours", "event_hours", "location_hours", "webhooks", "webhook_versions", "audit_entries", "lanes",
}

// wholeReads are the beginnings of the statements for which it is right, each
// with its reason. Quotes are left out, and a list of arguments is one.
var wholeReads = map[string]string{
	"SELECT * FROM webhooks WHERE deleted_at is null ORDER BY id":           "the match index holds every webhook, and is read when one changed",
	"SELECT count(*) FROM webhooks WHERE deleted_at is null":                "the list says how many there are; a narrow index does",
	"SELECT count(*) FROM webhooks left join locations":                     "the list says how many match, also a filter without an index",
	"SELECT lower(coalesce(locations.name, webhooks.location)) as sort":     "sorted by a name of another table",
	"SELECT coalesce((select cast(sum(h.failed)":                            "sorted by failures: the hours with failures of each webhook are added up, from an index that has no others",
	"SELECT case when webhooks.state =":                                     "sorted by what follows from webhook, lane and clock",
	"SELECT null as sort_key, locations.name as location_name, webhooks.":   "the list's filters without an index: words, tags, activities",
	"SELECT location, count(*) as n FROM webhooks":                          "the page of locations counts for each location that it shows",
	"SELECT v.* FROM webhook_versions v join (SELECT":                       "an explanation judges each webhook that the location had",
	"SELECT id,name,state FROM webhooks WHERE lower(name) like":             "a part of a name has no index; asked while somebody types, 20 found at most",
	"select coalesce(sum(d.waiting), 0)":                                    "each webhook of the deliveries looked at",
	"SELECT count(*) FROM webhooks WHERE deleted_at is null and (substr":    "one page asks whether the keys open every webhook",
	"select l.webhook_id from lanes l join webhooks w":                      "the safety net under the lanes looks at each of them, once in a while",
	"SELECT count(*) FROM (SELECT 1 FROM delivery_queue LIMIT ?)":           "what waits is counted up to a limit",
	"SELECT q.delivery_id FROM delivery_queue q ORDER BY":                   "a filter finds out where it is to stop, after 20,000 rows at most",
	"SELECT e.delivery_id FROM delivery_ends e WHERE e.state":               "a filter finds out where it is to stop, after 20,000 rows at most",
	"SELECT w.location, count(*) as n FROM delivery_queue q join webhooks":  "each webhook of what is resent, once for each press of the button",
	"select p.*, w.*, u.* from (select count(*) as undispatched":            "what waits, and what of it is held, is counted up to a limit",
	"SELECT count(*) FROM (SELECT e.delivery_id FROM delivery_ends e join":  "what matches is counted up to 10,000",
	"SELECT count(*) FROM (SELECT q.delivery_id FROM delivery_queue q join": "what matches is counted up to 10,000",
	"SELECT d.id, d.public_id, d.webhook_id, d.location, d.event_types, d.via, d.items, d.created_at, d.event_id, d.dispatch_id, d.body_id FROM delivery_ends e join deliveries d on d.id = e.delivery_id WHERE e.state = 'failed' AND e.delivery_id >= ?": "of what failed, a team's are looked for among 20,000 at most",
	"SELECT webhooks.id, webhooks.name, webhooks.type, webhooks.location, locations.name": "a part of a name has no index; the search lists 20 at most",
	"SELECT count(*) FROM (SELECT d.id FROM deliveries d WHERE d.id >= ?":                 "what matches is counted up to 10,000, and the webhook of each is looked up",
	"SELECT d.id, d.public_id, d.webhook_id, d.location, d.event_types, d.via, d.items, d.created_at, d.event_id, d.dispatch_id, d.body_id FROM delivery_queue q join deliveries d on d.id = q.delivery_id WHERE q.delivery_id >= ?": "of what waits, a team's are looked for among 20,000 at most",
	"SELECT leased_by FROM lanes":                "one page asks who is at work; an index would be written with every turn of a lane",
	"update lanes set leased_until = null where": "the only instance starts, and whoever had a lease is dead",
}

// TestPlans asks the database how it would run each statement that the pages
// and jobs really ran: none may read a big table as a whole. On PostgreSQL it
// counts the rows that a question looks at, in a database of which a page may
// look at two thirds at most; SQLite only tells the way it would go, which
// does not depend on how much there is.
func TestPlans(t *testing.T) {
	for kind, size := range map[string]modelstest.Size{
		"sqlite":   {Webhooks: 300, Events: 2000, Deliveries: 2000},
		"postgres": {Webhooks: 1500, Events: 30_000, Deliveries: 30_000},
	} {
		t.Run(kind, func(t *testing.T) {
			recorder := &toldStatements{seen: map[string]int{}}
			o := modelstest.Options(t, kind)
			o.Trace = recorder.add
			s := modelstest.Open(t, o)
			switchOn(t, s)
			modelstest.Fill(t, s, size)
			walkEverything(t, s, size.Events)
			plan := sqlitePlan
			db := s.SQLite()
			if db == nil {
				db = stdlib.OpenDBFromPool(s.Postgres())
				defer db.Close()
				plan = postgresPlans(t, db)
			}
			queries := recorder.stop()
			shown := map[string]bool{}
			if len(queries) < 150 {
				t.Errorf("only %d statements were run", len(queries))
			}
			for _, statement := range queries {
				fault, err := plan(t.Context(), db, statement)
				if err != nil {
					t.Errorf("%s: %v", statement.text, err)
				}
				if fault != "" && !statement.right() && !shown[statement.shape] {
					shown[statement.shape] = true
					t.Errorf("%s\n%s %v", fault, statement.shape, statement.args)
				}
			}
		})
	}
}

// toldStatement is a statement as it was prepared, and its shape: the same on
// both databases and for lists of any length.
type toldStatement struct {
	text, shape string
	args        []any
}

// right tells one that wholeReads has.
func (s toldStatement) right() bool {
	for beginning := range wholeReads {
		if strings.HasPrefix(s.shape, beginning) {
			return true
		}
	}
	return false
}

var (
	toldQuotes = strings.NewReplacer("`", "", `"`, "")
	toldArgs   = regexp.MustCompile(`(\?|\$\d+)(,\s*(\?|\$\d+))*`)
	toldEmpty  = regexp.MustCompile(` where (webhooks\.)?deleted_at is null( order| limit)`)
	// A question that begins with the few that wait, ended or failed.
	toldBegin = regexp.MustCompile(`from (delivery_queue|delivery_ends|attempts) \w join deliveries d`)
	// A question inside another for the first row in the order of an index.
	toldFirst  = regexp.MustCompile(`\(select \w+ from (\w+) order by [\w, ]+ limit 1\)`)
	toldSpace  = regexp.MustCompile(`\s+`)
	toldTables = regexp.MustCompile(`\b(` + strings.Join(bigTables, "|") + `)\b`)
)

// toldStatements are those on big tables, a few of each shape.
type toldStatements struct {
	mu   sync.Mutex
	seen map[string]int
	list []toldStatement
	over bool
}

// fewIn are indexes that have few of a table's rows, or are read up to a limit.
var fewIn = []string{"webhooks_troubled", "lanes_failing", "attempts_failed"}

// fewRows are not many to look at: next to nothing waits here for dispatch.
const fewRows = 100

// perShape is how many statements of a shape are examined: the rows that a
// filter reads depend on its values.
const perShape = 6

func (s *toldStatements) add(text string, args []any) {
	if !toldTables.MatchString(text) {
		return
	}
	shape := strings.TrimSpace(toldSpace.ReplaceAllString(toldArgs.ReplaceAllString(toldQuotes.Replace(text), "?"), " "))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[shape]++; s.seen[shape] <= perShape && !s.over {
		s.list = append(s.list, toldStatement{text, shape, append([]any(nil), args...)})
	}
}

func (s *toldStatements) stop() []toldStatement {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	return s.list
}

// sqlitePlan reads the way that SQLite tells in words. To walk along an index
// until a page is full is no reading of the whole.
func sqlitePlan(ctx context.Context, db *sql.DB, s toldStatement) (fault string, err error) {
	if strings.HasPrefix(strings.ToLower(s.text), "insert") && !strings.Contains(strings.ToLower(s.text), "select") {
		return "", nil
	}
	rows, err := db.QueryContext(ctx, "explain query plan "+s.text, s.args...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	sorted := false
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return "", err
		}
		sorted = sorted || strings.HasPrefix(detail, "USE TEMP B-TREE FOR ORDER BY")
		words := strings.Fields(detail)
		if words[0] == "SCAN" && s.isBig(words[1]) && !slices.Contains(fewIn, words[len(words)-1]) {
			fault = detail
		}
		if toldBegin.MatchString(strings.ToLower(s.shape)) && strings.HasPrefix(detail, "SEARCH d USING INTEGER PRIMARY KEY (rowid>") {
			fault = "begins with all deliveries: " + detail
		}
	}
	lower := toldEmpty.ReplaceAllString(strings.ToLower(s.shape), "$2") // none of the deleted is in the index
	if first := toldFirst.FindStringSubmatch(lower); first != nil && fault == "SCAN "+first[1] && !sorted {
		fault = ""
	}
	if strings.Contains(lower, " limit ") && !strings.Contains(lower, " where ") && !sorted {
		fault = ""
	}
	return fault, rows.Err()
}

// isBig tells whether a name in the statement is that of a big table.
func (s toldStatement) isBig(name string) bool {
	for _, table := range bigTables {
		if name == table || regexp.MustCompile(`\b`+table+` (as )?`+regexp.QuoteMeta(name)+`\b`).MatchString(s.shape) {
			return true
		}
	}
	return false
}

// planNode is a part of PostgreSQL's answer.
type planNode struct {
	Type      string  `json:"Node Type"`
	Relation  string  `json:"Relation Name"`
	Cond      string  `json:"Index Cond"`
	Rows      float64 `json:"Actual Rows"`
	Loops     float64 `json:"Actual Loops"`
	Filtered  float64 `json:"Rows Removed by Filter"`
	Rechecked float64 `json:"Rows Removed by Index Recheck"`
	Plans     []planNode
}

func (n planNode) each(f func(planNode)) {
	f(n)
	for _, p := range n.Plans {
		p.each(f)
	}
}

// postgresPlans counts the rows of the big tables first. The statistics are
// taken from all rows and stay, so that the plans are the same each time.
func postgresPlans(t *testing.T, db *sql.DB) func(context.Context, *sql.DB, toldStatement) (string, error) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	ok(t, err)
	defer conn.Close()
	count := map[string]float64{}
	_, err = conn.ExecContext(t.Context(), "set default_statistics_target = 1000")
	ok(t, err)
	for _, table := range bigTables {
		_, err = conn.ExecContext(t.Context(), "alter table "+table+" set (autovacuum_enabled = false); analyze "+table)
		ok(t, err)
		var n float64
		ok(t, conn.QueryRowContext(t.Context(), "select count(*) from "+table).Scan(&n))
		count[table] = n
	}
	return func(ctx context.Context, db *sql.DB, s toldStatement) (string, error) {
		lower := strings.ToLower(strings.TrimSpace(s.text))
		if !strings.HasPrefix(lower, "select") || strings.Contains(lower, " for update") || strings.Contains(lower, " for share") {
			return postgresWay(ctx, db, s)
		}
		return postgresRows(ctx, db, s, count)
	}
}

// postgresRows runs a query again and counts the rows that it read.
func postgresRows(ctx context.Context, db *sql.DB, s toldStatement, count map[string]float64) (fault string, err error) {
	top, err := explain(ctx, db, "explain (analyze, timing off, format json) ", s)
	if err != nil {
		return "", err
	}
	looked := map[string]float64{}
	top.each(func(n planNode) {
		looked[n.Relation] += n.Loops * (n.Rows + n.Filtered + n.Rechecked)
	})
	for _, table := range bigTables {
		if count[table] >= fewRows && looked[table] > 0.8*count[table] {
			fault = fmt.Sprintf("looks at %.0f rows of %s, which has %.0f", looked[table], table, count[table])
		}
	}
	return fault, nil
}

// postgresWay asks of a change, without making it, whether it has a way
// other than through the whole table.
func postgresWay(ctx context.Context, db *sql.DB, s toldStatement) (fault string, err error) {
	top, err := explain(ctx, db, "explain (format json) ", s)
	if err != nil {
		return "", err
	}
	top.each(func(n planNode) {
		if n.Type == "Seq Scan" && slices.Contains(bigTables, n.Relation) {
			fault = "has no way but a sequential scan of " + n.Relation
		}
	})
	return fault, nil
}

// explain asks for a plan that goes by an index wherever it can: of a small
// table the database would rather read all.
func explain(ctx context.Context, db *sql.DB, how string, s toldStatement) (planNode, error) {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return planNode{}, err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err = tx.ExecContext(ctx, "set local enable_seqscan = off"); err != nil {
		return planNode{}, err
	}
	var text []byte
	if err := tx.QueryRowContext(ctx, how+s.text, s.args...).Scan(&text); err != nil {
		return planNode{}, err
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(text, &plans); err != nil {
		return planNode{}, err
	}
	return plans[0].Plan, nil
}
