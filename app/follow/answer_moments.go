package follow

import (
	"context"
	"database/sql"
	"strconv"
)

// moment is when a post was created and edited, and by whom.
type moment struct {
	letter   string
	id, user int64
	editor   int64 // 0: the author
	at, edit wall
	onAnswer bool // a comment
}

// readMoments reads posts by the letters of their keys. The result is by key.
func readMoments(ctx context.Context, v view, ids map[string][]int64) (map[string]moment, error) {
	all := map[string]moment{}
	for letter, statement := range map[string]string{
		"q": `select id, user_id, last_edit_user_id, created_at, updated_at, 0 from question`,
		"a": `select id, user_id, last_edit_user_id, created_at, updated_at, 0 from answer`,
		"c": `select id, user_id, 0, created_at, null, case when object_id = question_id then 0 else 1 end from comment`,
	} {
		err := inChunks(unique(ids[letter]), func(marks string, args []any) error {
			return v.query(ctx, statement+` where id in (`+marks+`)`, args, func(rows *sql.Rows) error {
				m := moment{letter: letter}
				var onAnswer int
				err := rows.Scan(&m.id, &m.user, &m.editor, &m.at, &m.edit, &onAnswer)
				m.onAnswer = onAnswer == 1
				all[letter+strconv.FormatInt(m.id, 10)] = m
				return err
			})
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// created is that the post was created.
func (m moment) created(key string) happening {
	h := happening{key: key, post: m.id, actor: m.user, at: m.at}
	switch {
	case m.letter == "q":
		h.what = asked
	case m.letter == "a":
		h.what = answered
	case m.onAnswer:
		h.what = answerCommented
	default:
		h.what = questionCommented
	}
	return h
}

// edited is that a revision of the post was published.
func (m moment) edited(key string, revision int64) happening {
	h := happening{key: key, post: m.id, actor: m.editor, revision: revision, at: m.edit, what: questionEdited}
	if m.letter == "a" {
		h.what = answerEdited
	}
	if h.actor == 0 {
		h.actor = m.user
	}
	return h
}
