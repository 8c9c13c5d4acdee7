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
	"strings"
)

// dump is the sequence of events in a dump. The posts themselves stay in the
// file and are read when they are sent, so that a large dump needs little
// memory.
type dump struct {
	file     io.ReaderAt
	posts    []post
	byID     map[int64]int // index in posts
	comments commentFile
	moments  []moment // in the order of time
	skipped  int      // rows that are not complete, and answers to no question
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
	at      int64 // milliseconds since 1970
	post    int   // index in posts
	what    activity
	comment int32 // index in comments, of a comment
}

type activity int

const (
	created activity = iota
	accepted
	edited
	commented
)

func (w activity) String() string { return [...]string{"created", "accepted", "edited", "created"}[w] }

// readDump goes over the file once, row by row. With tags only questions
// that have one of them count, and their answers.
func readDump(ctx context.Context, file io.ReaderAt, tags []string) (*dump, error) {
	d := &dump{file: file, byID: map[int64]int{}}
	unwanted := map[int64]bool{} // questions without the tags
	err := eachRow(ctx, file, "posts", func(element xml.StartElement, offset, length int64) {
		row := parseRow(element)
		switch {
		case row.kind != "1" && row.kind != "2":
		case row.kind == "1" && !row.hasOneOf(tags):
			unwanted[row.id] = true
		default:
			d.add(row, offset, length)
		}
	})
	if err != nil {
		return nil, err
	}
	d.finish(unwanted)
	return d, nil
}

// eachRow calls do with each row of a file whose first element is root, and with
// its place in the file.
func eachRow(ctx context.Context, file io.ReaderAt, root string, do func(element xml.StartElement, offset, length int64)) error {
	start := textStart(file)
	decoder := xml.NewDecoder(io.NewSectionReader(file, start, 1<<62))
	inside := false
	for {
		offset := decoder.InputOffset()
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && inside {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return notADump(root, err)
		}
		element, ok := token.(xml.StartElement)
		switch {
		case !ok:
		case !inside && element.Name.Local != root:
			return fmt.Errorf("is not the %s of a data dump: it starts with <%s>, not <%s>", fileOf(root), element.Name.Local, root)
		case !inside:
			inside = true
		case element.Name.Local == "row":
			do(element, start+offset, decoder.InputOffset()-offset)
		}
	}
}

// fileOf is the name of the file whose first element is root: Posts.xml.
func fileOf(root string) string { return strings.ToUpper(root[:1]) + root[1:] + ".xml" }

func notADump(root string, err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &syntax):
		return fmt.Errorf("is not the %s of a data dump (line %d: %s); an archive must be unpacked first", fileOf(root), syntax.Line, syntax.Msg)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("is not the %s of a data dump: it is empty", fileOf(root))
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
	d.moments = append(d.moments, moment{at: row.created.UnixMilli(), post: i, what: created})
	if !row.edited.IsZero() {
		d.moments = append(d.moments, moment{at: row.edited.UnixMilli(), post: i, what: edited})
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
			moments = append(moments, moment{at: m.at + 1, post: m.post, what: accepted})
		}
	}
	d.moments = moments
	d.sort()
}

func (d *dump) sort() {
	slices.SortFunc(d.moments, func(a, b moment) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(d.posts[a.post].id, d.posts[b.post].id), cmp.Compare(a.what, b.what), cmp.Compare(a.comment, b.comment))
	})
}

// row reads a post again.
func (d *dump) row(i int) (row, error) {
	p := d.posts[i]
	element, err := rowAt(d.file, p.offset, p.length)
	if err != nil {
		return row{}, fmt.Errorf("read post %d again: %w", p.id, err)
	}
	r := parseRow(element)
	if r.id != p.id {
		return row{}, fmt.Errorf("read post %d again: %w", p.id, errChanged)
	}
	return r, nil
}

var errChanged = errors.New("the file has changed in the meantime")

// rowAt reads a row at its place in a file.
func rowAt(file io.ReaderAt, offset, length int64) (xml.StartElement, error) {
	text := make([]byte, length)
	if _, err := file.ReadAt(text, offset); err != nil {
		return xml.StartElement{}, err
	}
	token, err := xml.NewDecoder(bytes.NewReader(text)).Token()
	element, ok := token.(xml.StartElement)
	if err != nil || !ok {
		return xml.StartElement{}, errChanged
	}
	return element, nil
}
