package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const replayUsage = `Usage: sitehooks replay stackexchange FILE [flags]

Posts the activity in FILE, the Posts.xml of a Stack Exchange data dump, in the
order of time through the ingest API of a running instance. A second run of the
same file changes nothing: its events count as duplicates.

Flags, before or after FILE:
`

// replayOptions are what the command line asks for.
type replayOptions struct {
	file     string
	url      string // of the instance, without a slash at the end
	token    string
	location string
	site     string   // what links start with, without a slash at the end
	speed    float64  // times real time; 0: as fast as it goes
	tags     []string // lower case; empty: all questions
}

// Replay runs the command `sitehooks replay` with the arguments behind that
// word. env looks up environment variables. Errors are sentences for people.
func Replay(ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer) error {
	o, err := replayArgs(args, env, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	file, err := os.Open(o.file)
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("replay: %s is no regular file; it is read more than once, so it cannot be a pipe", o.file)
	}
	dump, err := readReplayDump(ctx, file, o.tags)
	if ctx.Err() != nil {
		return errReplayStopped
	}
	if err != nil {
		return fmt.Errorf("replay: %s: %w", o.file, err)
	}
	progress := newReplayProgress(stderr, len(dump.moments))
	run := replayRun{
		dump: dump, options: o, sender: newReplaySender(o, progress.say), progress: progress,
		now: time.Now, wait: wait,
	}
	err = run.post(ctx)
	run.progress.done()
	run.summary(stdout)
	if err != nil && ctx.Err() != nil {
		return errReplayStopped
	}
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return nil
}

// errReplayStopped is for whoever stopped it by a signal.
var errReplayStopped = errors.New("replay: stopped; run it again to post the rest, what was posted counts as duplicates")

// replayURL is the instance that runs with the same environment.
func replayURL(env func(string) string) string {
	if base, err := ownURL(env("SITEHOOKS_ADDR")); err == nil {
		return base
	}
	return "http://127.0.0.1:8080"
}

// replayArgs takes flags and file in any order.
func replayArgs(args []string, env func(string) string, stdout io.Writer) (replayOptions, error) {
	var o replayOptions
	var speed, tags string
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.url, "url", replayURL(env), "`address` of the running instance, which follows SITEHOOKS_ADDR")
	flags.StringVar(&o.token, "token", "", "`token` with the scope ingest (default: SITEHOOKS_INGEST_TOKEN)")
	flags.StringVar(&o.location, "location", "main", "`slug` of the location that the events belong to")
	flags.StringVar(&o.site, "site", "https://stackexchange.example", "`address` that the links of the posts start with")
	flags.StringVar(&speed, "speed", "max", "`times` real time, as 60 for an hour a minute, or max")
	flags.StringVar(&tags, "tags", "", "only questions with one of these `tags`, as a,b, and their answers")
	var words []string
	for rest := args; ; {
		err := flags.Parse(rest)
		if errors.Is(err, flag.ErrHelp) {
			_, _ = io.WriteString(stdout, replayUsage)
			flags.SetOutput(stdout)
			flags.PrintDefaults()
		}
		if err != nil {
			return o, fmt.Errorf("replay: %w", err)
		}
		if flags.NArg() == 0 {
			break
		}
		words, rest = append(words, flags.Arg(0)), flags.Args()[1:]
	}
	if len(words) != 2 || words[0] != "stackexchange" {
		return o, errors.New("replay: want: sitehooks replay stackexchange FILE (--help tells the flags)")
	}
	o.file = words[1]
	if o.token == "" {
		o.token = env("SITEHOOKS_INGEST_TOKEN")
	}
	for tag := range strings.SplitSeq(tags, ",") {
		if tag = strings.ToLower(strings.TrimSpace(tag)); tag != "" {
			o.tags = append(o.tags, tag)
		}
	}
	return o, o.check(speed)
}

// check tells all that is wrong at once.
func (o *replayOptions) check(speed string) error {
	var faults []error
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("replay: "+format, args...))
	}
	if o.token == "" {
		fault("a token with the scope ingest is needed: --token, or SITEHOOKS_INGEST_TOKEN")
	}
	for name, address := range map[string]*string{"--url": &o.url, "--site": &o.site} {
		u, err := url.Parse(*address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
			fault("%s must be an address that starts with http:// or https://, without ? and #", name)
		}
		*address = strings.TrimRight(*address, "/")
	}
	if o.location == "" || len(o.location) > 64 || strings.Trim(o.location, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		fault("--location must be 1 to 64 of the characters a-z, 0-9 and -")
	}
	if speed != "max" {
		n, err := strconv.ParseFloat(speed, 64)
		if err != nil || !(n > 0 && n <= 1e12) {
			fault("--speed must be a number above 0, or max")
		}
		o.speed = n
	}
	return errors.Join(faults...)
}

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
