package replay

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
)

// dump is the sequence of events in a dump. The posts themselves stay in the
// file and are read when they are sent, so that a large dump needs little
// memory.
type dump struct {
	file    io.ReaderAt
	posts   []post
	byID    map[int64]int // index in posts
	moments []moment      // in the order of time
	skipped int           // rows that are not complete, and answers to no question
}

// post is where to find a post.
type post struct {
	id, parent int64 // parent: question of an answer; 0: it is a question
	accepted   int64 // answer that a question's owner accepted; 0: none
	offset     int64
	length     int64
}

// moment is one thing that happened to a post.
type moment struct {
	at   int64 // milliseconds since 1970
	post int   // index in posts
	what activity
}

type activity int

const (
	created activity = iota
	accepted
	edited
)

func (w activity) String() string { return [...]string{"created", "accepted", "edited"}[w] }

// readDump goes over the file once, row by row. With tags only questions
// that have one of them count, and their answers.
func readDump(ctx context.Context, file io.ReaderAt, tags []string) (*dump, error) {
	d := &dump{file: file, byID: map[int64]int{}}
	unwanted := map[int64]bool{} // questions without the tags
	start := textStart(file)
	decoder := xml.NewDecoder(io.NewSectionReader(file, start, 1<<62))
	inside := false
	for {
		offset := decoder.InputOffset()
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && inside {
			d.finish(unwanted)
			return d, nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, notADump(err)
		}
		element, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case !inside && element.Name.Local != "posts":
			return nil, fmt.Errorf("is not the Posts.xml of a data dump: it starts with <%s>, not <posts>", element.Name.Local)
		case !inside:
			inside = true
		case element.Name.Local == "row":
			row := parseRow(element)
			if row.kind != "1" && row.kind != "2" {
				continue
			}
			if row.kind == "1" && !row.hasOneOf(tags) {
				unwanted[row.id] = true
				continue
			}
			d.add(row, start+offset, decoder.InputOffset()-offset)
		}
	}
}

func notADump(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &syntax):
		return fmt.Errorf("is not the Posts.xml of a data dump (line %d: %s); an archive must be unpacked first", syntax.Line, syntax.Msg)
	case errors.Is(err, io.EOF):
		return errors.New("is not the Posts.xml of a data dump: it is empty")
	}
	return err
}

// textStart returns where the text begins.
func textStart(file io.ReaderAt) int64 {
	var head [3]byte
	if n, _ := file.ReadAt(head[:], 0); n == 3 && string(head[:]) == "\xef\xbb\xbf" {
		return 3
	}
	return 0
}

// add records a post and its events.
func (d *dump) add(row row, offset, length int64) {
	if _, twice := d.byID[row.id]; twice || !row.complete() {
		d.skipped++
		return
	}
	i := len(d.posts)
	d.byID[row.id] = i
	d.posts = append(d.posts, post{id: row.id, parent: row.parent, accepted: row.accepted, offset: offset, length: length})
	d.moments = append(d.moments, moment{row.created.UnixMilli(), i, created})
	if !row.edited.IsZero() {
		d.moments = append(d.moments, moment{row.edited.UnixMilli(), i, edited})
	}
}

// finish finds the answers that were accepted, drops those to questions that
// are not there, and brings everything into order.
func (d *dump) finish(unwanted map[int64]bool) {
	var moments []moment
	for _, m := range d.moments {
		p := d.posts[m.post]
		if p.parent == 0 {
			moments = append(moments, m)
			continue
		}
		i, ok := d.byID[p.parent]
		if !ok || d.posts[i].parent != 0 {
			if m.what == created && !unwanted[p.parent] {
				d.skipped++
			}
			continue
		}
		moments = append(moments, m)
		if m.what == created && d.posts[i].accepted == p.id {
			// The dump does not say when. Right after is the earliest it can be.
			moments = append(moments, moment{m.at + 1, m.post, accepted})
		}
	}
	slices.SortFunc(moments, func(a, b moment) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(d.posts[a.post].id, d.posts[b.post].id), cmp.Compare(a.what, b.what))
	})
	d.moments = moments
}

// row reads a post again.
func (d *dump) row(i int) (row, error) {
	p := d.posts[i]
	text := make([]byte, p.length)
	if _, err := d.file.ReadAt(text, p.offset); err != nil {
		return row{}, fmt.Errorf("read post %d again: %w", p.id, err)
	}
	token, err := xml.NewDecoder(bytes.NewReader(text)).Token()
	element, ok := token.(xml.StartElement)
	if err != nil || !ok {
		return row{}, fmt.Errorf("read post %d again: the file has changed in the meantime", p.id)
	}
	r := parseRow(element)
	if r.id != p.id {
		return row{}, fmt.Errorf("read post %d again: the file has changed in the meantime", p.id)
	}
	return r, nil
}
