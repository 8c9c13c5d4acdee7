package follow

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// activity is a kind of activity that is reported.
type activity int

const (
	questionNew activity = iota
	questionEdited
	answered
	answerEdited
	accepted
	questionCommented
	answerCommented
)

// activityKeys are the names of the kinds in Answer's config table. Their
// numbers, which its log has, differ between installations.
var activityKeys = map[string]activity{
	"question.asked": questionNew, "question.edited": questionEdited,
	"answer.answered": answered, "answer.edited": answerEdited, "answer.accept": accepted,
	"question.commented": questionCommented, "answer.commented": answerCommented,
}

// postKind is the letter of a post in ids: q, a or c.
func (a activity) postKind() string {
	switch a {
	case questionNew, questionEdited:
		return "q"
	case answered, answerEdited, accepted:
		return "a"
	case questionCommented, answerCommented:
	}
	return "c"
}

func (a activity) edit() bool { return a == questionEdited || a == answerEdited }

// happening is one thing that happened, found in the log or seen by its post.
type happening struct {
	// key finds it again: a row of the log as r123, a post without a row as
	// q10010000000000012, its edit as q10010000000000012.345.
	key      string
	what     activity
	post     int64 // Answer's id of it, with 17 digits
	actor    int64
	revision int64 // of an edit
	at       wall
	row      int64 // in the log; 0: none
}

// eventID is the id of its event, which is the same wherever it was found.
func (h happening) eventID(source string) string {
	post := fmt.Sprintf("answer:%s:%s%d", source, h.what.postKind(), shortID(h.post))
	switch {
	case h.what.edit():
		return post + ":r" + strconv.FormatInt(h.revision, 10)
	case h.what == accepted:
		return post + ":accepted:" + h.at.Format("20060102T150405")
	}
	return post + ":created"
}

// shortID is an id below 2^53: one counter serves all posts, and the digits
// before it say what the post is.
func shortID(id int64) int64 { return id % 1e13 }

// numbers are the log's numbers of the kinds of activity.
type numbers map[activity]int64

// readNumbers looks them up.
func readNumbers(ctx context.Context, v view) (numbers, error) {
	all := numbers{}
	err := v.query(ctx, `select id, "key" from config where "key" in (?, ?, ?, ?, ?, ?, ?)`, []any{
		"question.asked", "question.edited", "answer.answered", "answer.edited", "answer.accept", "question.commented", "answer.commented",
	}, func(rows *sql.Rows) error {
		var id int64
		var key string
		err := rows.Scan(&id, &key)
		all[activityKeys[key]] = id
		return err
	})
	if err != nil {
		return nil, err
	}
	for key, a := range activityKeys {
		if all[a] == 0 {
			return nil, &fatalError{"the database is not one of Apache Answer that can be followed: its table config has no " + key}
		}
	}
	return all, nil
}

func (n numbers) kind(number int64) activity {
	for a, id := range n {
		if id == number {
			return a
		}
	}
	return questionNew // every statement asks for known numbers only
}

// args are the numbers of some kinds; none: of all.
func (n numbers) args(kinds ...activity) []any {
	var all []any
	for _, a := range []activity{questionNew, questionEdited, answered, answerEdited, accepted, questionCommented, answerCommented} {
		if len(kinds) == 0 || slices.Contains(kinds, a) {
			all = append(all, n[a])
		}
	}
	return all
}

// columnsOfLog are what is read of a row of the log.
const columnsOfLog = `select id, object_id, user_id, trigger_user_id, activity_type, cancelled, revision_id, created_at, updated_at from activity `

// logRow is a row of the log.
type logRow struct {
	happening
	cancelled bool
	created   wall
}

func (n numbers) scan(rows *sql.Rows) (logRow, error) {
	var r logRow
	var user, trigger, number int64
	var cancelled int
	var updated wall
	if err := rows.Scan(&r.row, &r.post, &user, &trigger, &number, &cancelled, &r.revision, &r.created, &updated); err != nil {
		return r, err
	}
	r.key, r.what, r.actor, r.at, r.cancelled = "r"+strconv.FormatInt(r.row, 10), n.kind(number), user, r.created, cancelled != 0
	if r.what == accepted {
		// The user of the row is the asker, even where a moderator accepted; an
		// answer that is accepted again keeps its row.
		if r.at = updated; trigger != 0 {
			r.actor = trigger
		}
	}
	return r, nil
}

// logAfter reads rows of the log in their order.
func (n numbers) logAfter(ctx context.Context, v view, row int64, most int) (all []logRow, err error) {
	err = v.query(ctx, columnsOfLog+`where id > ? and activity_type in (?, ?, ?, ?, ?, ?, ?) order by id limit `+strconv.Itoa(most),
		append([]any{row}, n.args()...), func(rows *sql.Rows) error {
			r, err := n.scan(rows)
			all = append(all, r)
			return err
		})
	return all, err
}

// logRows reads rows of the log by their ids.
func (n numbers) logRows(ctx context.Context, v view, ids []int64) (all []logRow, err error) {
	err = inChunks(ids, func(marks string, args []any) error {
		return v.query(ctx, columnsOfLog+`where id in (`+marks+`)`, args, func(rows *sql.Rows) error {
			r, err := n.scan(rows)
			all = append(all, r)
			return err
		})
	})
	return all, err
}

// acceptedSince reads the answers that were accepted since, also those that had
// been accepted before.
func (n numbers) acceptedSince(ctx context.Context, v view, since wall) (all []happening, err error) {
	err = v.query(ctx, columnsOfLog+`where activity_type = ? and cancelled = 0 and updated_at >= ? order by id`,
		[]any{n[accepted], since.String()}, func(rows *sql.Rows) error {
			r, err := n.scan(rows)
			all = append(all, r.happening)
			return err
		})
	return all, err
}

// newestRow is the id of the log's last row, of any kind; 0: there is none.
func newestRow(ctx context.Context, v view) (id int64, err error) {
	err = v.query(ctx, `select coalesce(max(id), 0) from activity`, nil, func(rows *sql.Rows) error { return rows.Scan(&id) })
	return id, err
}

// rowBefore is the id of the last row that is older.
func rowBefore(ctx context.Context, v view, at wall) (id int64, err error) {
	err = v.query(ctx, `select coalesce(max(id), 0) from activity where created_at < ?`, []any{at.String()},
		func(rows *sql.Rows) error { return rows.Scan(&id) })
	return id, err
}

// lost finds the posts that were created or edited in a time, and of which the
// log has no row: Answer keeps rows in memory before it writes them.
func (n numbers) lost(ctx context.Context, v view, from, to wall) ([]happening, error) {
	var all []happening
	for _, t := range []struct {
		table, letter string
		created       []any
	}{
		{"question", "q", n.args(questionNew)},
		{"answer", "a", n.args(answered)},
		{"comment", "c", n.args(questionCommented, answerCommented)},
	} {
		marks := strings.TrimSuffix(strings.Repeat("?, ", len(t.created)), ", ")
		args := append([]any{from.String(), to.String()}, t.created...)
		err := v.query(ctx, `select p.id from `+t.table+` p where p.created_at >= ? and p.created_at < ? and p.status <> 10
			and not exists (select 1 from activity a where a.object_id = p.id and a.activity_type in (`+marks+`)) order by p.id`,
			args, func(rows *sql.Rows) error {
				var id int64
				err := rows.Scan(&id)
				all = append(all, happening{key: t.letter + strconv.FormatInt(id, 10)})
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	for _, t := range []struct {
		table, letter string
		edited        activity
	}{{"question", "q", questionEdited}, {"answer", "a", answerEdited}} {
		edits, err := n.lostEdits(ctx, v, t.table, t.letter, n[t.edited], from, to)
		if err != nil {
			return nil, err
		}
		all = append(all, edits...)
	}
	return all, nil
}

// lostEdits finds the posts that were edited in a time, and whose newest edit is
// not in the log. A post names its newest revision even while that waits for
// review. Then nothing is lost: the site writes a post before its row, so the
// newest row is not older than the post.
func (n numbers) lostEdits(ctx context.Context, v view, table, letter string, edited int64, from, to wall) (all []happening, err error) {
	err = v.query(ctx, `select p.id, p.revision_id, p.updated_at,
			(select max(a.created_at) from activity a where a.object_id = p.id and a.activity_type = ?)
		from `+table+` p where p.updated_at >= ? and p.updated_at < ? and p.status <> 10 and p.revision_id > 0
			and not exists (select 1 from activity a where a.object_id = p.id and a.activity_type = ? and a.revision_id = p.revision_id)
		order by p.id`, []any{edited, from.String(), to.String(), edited}, func(rows *sql.Rows) error {
		var id, revision int64
		var updated, logged wall
		if err := rows.Scan(&id, &revision, &updated, &logged); err != nil {
			return err
		}
		if logged.IsZero() || logged.Before(updated.Time) {
			all = append(all, happening{key: fmt.Sprintf("%s%d.%d", letter, id, revision)})
		}
		return nil
	})
	return all, err
}
