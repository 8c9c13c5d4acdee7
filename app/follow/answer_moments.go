package follow

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
	"strings"
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
		h.what = questionNew
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

// waiting finds what keys stand for. Those of posts that are no more, and of
// answers that are not accepted any more, stand for nothing.
func (a *answer) waiting(ctx context.Context, v view, keys []string) ([]happening, error) {
	ids := map[string][]int64{} // by letter
	edits := map[string]int64{}
	var created []string
	for _, key := range keys {
		k, err := readKey(key)
		if err != nil {
			return nil, &fatalError{err.Error()}
		}
		ids[k.letter] = append(ids[k.letter], k.id)
		if k.letter != "r" && k.revision == 0 {
			created = append(created, key)
		}
		if k.revision != 0 {
			edits[key] = k.revision
		}
	}
	rows, err := a.numbers.logRows(ctx, v, unique(ids["r"]))
	if err != nil {
		return nil, err
	}
	var all []happening
	for _, r := range rows {
		if !r.cancelled {
			all = append(all, r.happening)
		}
	}
	posts, err := readMoments(ctx, v, ids)
	if err != nil {
		return nil, err
	}
	for _, key := range created {
		if m, is := posts[key]; is {
			all = append(all, m.created(key))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(edits)) {
		post, _, _ := strings.Cut(key, ".")
		if m, is := posts[post]; is {
			all = append(all, m.edited(key, edits[key]))
		}
	}
	return all, nil
}
