// Package replay posts the activity of a Stack Exchange data dump, in the order
// of time, through the ingest API of a running instance.
//
// It promises that a second run of the same file changes nothing, since the ids
// of the events stay the same, and that a large dump needs little memory. It
// knows the dump's format and the ingest API, and nothing else of Sitehooks.
package replay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Options name the dump to post, and its destination.
type Options struct {
	File     string   // the Posts.xml of a dump; Comments.xml beside it is read too
	URL      string   // of the instance, without a slash at the end
	Token    string   // with the scope ingest
	Location string   // the slug that the events belong to
	Site     string   // prefix of links, without a slash at the end
	Speed    float64  // times real time; 0: as fast as it goes
	Tags     []string // lower case; only questions with one of them count; empty: all
}

// Run posts a file. It writes its progress to stderr and a summary to stdout.
// Errors are sentences for people.
func Run(ctx context.Context, o Options, stdout, stderr io.Writer) error {
	file, err := os.Open(o.File)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("replay: %s is not a regular file; it is read more than once, so it cannot be a pipe", o.File)
	}
	dump, err := readDump(ctx, file, o.Tags)
	if ctx.Err() != nil {
		return errStopped
	}
	if err != nil {
		return fmt.Errorf("replay: %s: %w", o.File, err)
	}
	done, err := addComments(ctx, dump, o)
	defer done()
	if ctx.Err() != nil {
		return errStopped
	}
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	bar := newProgress(stderr, len(dump.moments))
	p := poster{
		dump: dump, options: o, sender: newSender(o, bar.say), progress: bar,
		now: time.Now, wait: wait,
	}
	err = p.post(ctx)
	p.progress.done()
	p.summary(stdout)
	if err != nil && ctx.Err() != nil {
		return errStopped
	}
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return nil
}

// addComments reads the Comments.xml beside a Posts.xml, if it is there. The
// caller calls done when the events are sent.
func addComments(ctx context.Context, d *dump, o Options) (done func(), err error) {
	done = func() {}
	if filepath.Base(o.File) != "Posts.xml" {
		return done, nil
	}
	path := filepath.Join(filepath.Dir(o.File), "Comments.xml")
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return done, nil
	}
	if err != nil {
		return done, err
	}
	done = func() { _ = file.Close() }
	if err := d.readComments(ctx, file, len(o.Tags) > 0); err != nil {
		return done, fmt.Errorf("%s: %w", path, err)
	}
	return done, nil
}

// errStopped is the error after a stop by a signal.
var errStopped = errors.New("replay: stopped; run it again to post the rest (events already posted count as duplicates)")

// wait passes the time, or returns ctx's error when that ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
