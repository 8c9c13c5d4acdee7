package replay

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/app/client"
)

// commentFile is where to find the comments of a dump, in a file of their own.
type commentFile struct {
	file    io.ReaderAt // nil: there is none
	places  []place
	skipped int // comments that are not complete, or on a post that is not there
}

type place struct{ id, offset, length int64 }

// comment is a comment as the dump has it.
type comment struct {
	id, post, score, user int64
	userName, text        string
	created               time.Time
}

func parseComment(element xml.StartElement) comment {
	c := comment{user: -1}
	for _, a := range element.Attr {
		n, err := strconv.ParseInt(a.Value, 10, 64)
		switch a.Name.Local {
		case "Id":
			c.id = n
		case "PostId":
			c.post = n
		case "Score":
			c.score = n
		case "UserId":
			if err == nil {
				c.user = n
			}
		case "UserDisplayName":
			c.userName = a.Value
		case "Text":
			c.text = a.Value
		case "CreationDate":
			c.created = dumpTime(a.Value)
		}
	}
	return c
}

func (c comment) complete() bool {
	return c.id > 0 && !c.created.IsZero() && strings.TrimSpace(c.text) != ""
}

// readComments adds the comments on the posts of a dump. Those on posts that are
// left out for their tags are left out too.
func (d *dump) readComments(ctx context.Context, file io.ReaderAt, tagged bool) error {
	d.comments.file = file
	seen := map[int64]bool{}
	err := eachRow(ctx, file, "comments", func(element xml.StartElement, offset, length int64) {
		c := parseComment(element)
		i, there := d.byID[c.post]
		switch {
		case !there && tagged:
		case !there, seen[c.id], !c.complete():
			d.comments.skipped++
		case d.posts[i].parent != 0 && !d.isQuestion(d.posts[i].parent):
			if !tagged {
				d.comments.skipped++
			}
		default:
			seen[c.id] = true
			d.moments = append(d.moments, moment{at: c.created.UnixMilli(), post: i, what: commented, comment: int32(len(d.comments.places))}) //nolint:gosec // no dump has 2^31 comments
			d.comments.places = append(d.comments.places, place{c.id, offset, length})
		}
	})
	d.sort()
	return err
}

func (d *dump) isQuestion(id int64) bool {
	i, there := d.byID[id]
	return there && d.posts[i].parent == 0
}

// comment reads a comment again.
func (d *dump) comment(i int32) (comment, error) {
	p := d.comments.places[i]
	element, err := rowAt(d.comments.file, p.offset, p.length)
	if err != nil {
		return comment{}, fmt.Errorf("read comment %d again: %w", p.id, err)
	}
	c := parseComment(element)
	if c.id != p.id {
		return comment{}, fmt.Errorf("read comment %d again: %w", p.id, errChanged)
	}
	return c, nil
}

// commentOn turns an event of the post that a comment is on into the comment's.
func (d *dump) commentOn(e *client.Event, m moment, o Options) error {
	c, err := d.comment(m.comment)
	if err != nil {
		return err
	}
	e.ID, e.Type = fmt.Sprintf("replay-%s-c%d-%s", o.Location, c.id, m.what), "comment.created"
	e.Actor = userOf(c.user, c.userName)
	link := e.Question.Link
	if e.Question.Body = ""; e.Answer != nil {
		e.Answer.Body = ""
		link, _, _ = strings.Cut(e.Answer.Link, "#")
	}
	e.Comment = &client.Comment{
		CommentID: c.id, Body: c.text, Link: fmt.Sprintf("%s#comment%d_%d", link, c.id, c.post), Score: c.score,
		CreationDate: c.created.UnixMilli(), Owner: e.Actor,
	}
	return nil
}
