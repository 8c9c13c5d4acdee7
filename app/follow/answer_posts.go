package follow

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"strconv"
)

// Numbers of Answer's columns status, show and adopted.
const (
	statusDeleted = 10
	statusPending = 11
	showHidden    = 2
	adopted       = 2
	userDeleted   = 10
)

// verdict says whether everybody may see a post.
type verdict int

const (
	gone   verdict = iota // deleted, with its question or by itself
	hidden                // it waits for review, or is hidden
	visible
)

// state is what decides about a post.
type state struct {
	status, show     int
	question, parent int64 // parent: what a comment is on
}

func (s state) verdict() verdict {
	switch {
	case s.status == 0, s.status == statusDeleted: // 0: there is no such post
		return gone
	case s.status == statusPending, s.show == showHidden:
		return hidden
	}
	return visible
}

// states are the states of posts, by Answer's ids.
type states map[int64]state

// verdict is that of a post, its answer and its question together.
func (s states) verdict(post int64) verdict {
	of := s[post]
	v := of.verdict()
	if of.parent != 0 && of.parent != of.question {
		v = min(v, s[of.parent].verdict())
	}
	if of.question != 0 {
		v = min(v, s[of.question].verdict())
	}
	return v
}

// readStates reads the states of posts, and of those that they belong to.
func readStates(ctx context.Context, v view, all []happening) (states, error) {
	s := states{}
	ids := map[string][]int64{} // by letter
	for _, h := range all {
		letter := h.what.postKind()
		ids[letter] = append(ids[letter], h.post)
	}
	err := s.read(ctx, v, `select id, status, 1, question_id, object_id from comment`, ids["c"])
	if err != nil {
		return nil, err
	}
	for _, id := range ids["c"] {
		if of := s[id]; of.parent != of.question {
			ids["a"] = append(ids["a"], of.parent)
		}
	}
	if err := s.read(ctx, v, `select id, status, 1, question_id, 0 from answer`, ids["a"]); err != nil {
		return nil, err
	}
	for _, of := range s {
		ids["q"] = append(ids["q"], of.question)
	}
	return s, s.read(ctx, v, `select id, status, "show", 0, 0 from question`, ids["q"])
}

func (s states) read(ctx context.Context, v view, statement string, ids []int64) error {
	return inChunks(unique(ids), func(marks string, args []any) error {
		return v.query(ctx, statement+` where id in (`+marks+`)`, args, func(rows *sql.Rows) error {
			var id int64
			var of state
			err := rows.Scan(&id, &of.status, &of.show, &of.question, &of.parent)
			s[id] = of
			return err
		})
	})
}

func unique(ids []int64) []int64 {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// post is a question, an answer or a comment.
type post struct {
	id, question, parent int64
	user                 int64
	title, body          string
	score                int64
	accepted             bool
	created, updated     wall
}

// content is what events are made of, by Answer's ids.
type content struct {
	posts map[int64]post
	tags  map[int64][]string
	users map[int64]string // names
}

// readContent reads the posts that things happened to, with all that their
// events name.
func readContent(ctx context.Context, v view, all []happening, s states) (content, error) {
	c := content{posts: map[int64]post{}, tags: map[int64][]string{}, users: map[int64]string{}}
	questions, answers, comments, users := map[int64]bool{}, map[int64]bool{}, map[int64]bool{}, map[int64]bool{}
	for _, h := range all {
		of := s[h.post]
		switch h.what.postKind() {
		case "q":
			questions[h.post] = true
		case "a":
			answers[h.post], questions[of.question] = true, true
		default:
			comments[h.post], questions[of.question] = true, true
			if of.parent != of.question {
				answers[of.parent] = true
			}
		}
		users[h.actor] = true
	}
	for _, t := range []struct {
		statement string
		ids       map[int64]bool
	}{
		{`select id, 0, 0, user_id, title, parsed_text, vote_count, 0, created_at, updated_at from question`, questions},
		{`select id, question_id, 0, user_id, '', parsed_text, vote_count, adopted, created_at, updated_at from answer`, answers},
		{`select id, question_id, object_id, user_id, '', parsed_text, vote_count, 0, created_at, null from comment`, comments},
	} {
		if err := c.readPosts(ctx, v, t.statement, slices.Collect(maps.Keys(t.ids))); err != nil {
			return c, err
		}
	}
	for _, p := range c.posts {
		users[p.user] = true
	}
	if err := c.readTags(ctx, v, slices.Collect(maps.Keys(questions))); err != nil {
		return c, err
	}
	return c, c.readUsers(ctx, v, slices.Collect(maps.Keys(users)))
}

func (c content) readPosts(ctx context.Context, v view, statement string, ids []int64) error {
	return inChunks(ids, func(marks string, args []any) error {
		return v.query(ctx, statement+` where id in (`+marks+`)`, args, func(rows *sql.Rows) error {
			var p post
			var isAdopted int
			err := rows.Scan(&p.id, &p.question, &p.parent, &p.user, &p.title, &p.body, &p.score, &isAdopted, &p.created, &p.updated)
			p.accepted = isAdopted == adopted
			c.posts[p.id] = p
			return err
		})
	})
}

// readTags reads the tags of questions. Those that stand for another tag go by
// its name.
func (c content) readTags(ctx context.Context, v view, questions []int64) error {
	return inChunks(questions, func(marks string, args []any) error {
		return v.query(ctx, `select r.object_id, coalesce(m.slug_name, t.slug_name) from tag_rel r
			join tag t on t.id = r.tag_id left join tag m on m.id = t.main_tag_id
			where r.status = 1 and r.object_id in (`+marks+`) order by r.object_id, r.id`, args, func(rows *sql.Rows) error {
			var id int64
			var tag string
			err := rows.Scan(&id, &tag)
			if !slices.Contains(c.tags[id], tag) {
				c.tags[id] = append(c.tags[id], tag)
			}
			return err
		})
	})
}

func (c content) readUsers(ctx context.Context, v view, ids []int64) error {
	return inChunks(ids, func(marks string, args []any) error {
		return v.query(ctx, `select id, display_name, username, status from "user" where id in (`+marks+`)`, args, func(rows *sql.Rows) error {
			var id int64
			var display, username string
			var status int
			err := rows.Scan(&id, &display, &username, &status)
			switch {
			case status == userDeleted: // as the site itself names them
				display = "user" + strconv.FormatInt(id, 10)
			case display == "":
				display = username
			}
			c.users[id] = display
			return err
		})
	})
}
