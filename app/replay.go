package app

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/app/replay"
)

type replayCommand struct {
	StackExchange replayDumpCommand `cmd:"" name:"stackexchange" help:"Post the activity of a Stack Exchange data dump to a running instance."`
}

type replayDumpCommand struct {
	File     string     `arg:"" help:"The Posts.xml of the dump. A Comments.xml beside it is read too."`
	URL      webAddress `name:"url" default:"${instance}" placeholder:"URL" help:"The URL of the running instance. Default: the one that listens at SITEHOOKS_ADDR, ${default}."`
	Token    string     `placeholder:"TOKEN" help:"A token with the scope ingest. Default: SITEHOOKS_INGEST_TOKEN."`
	Location slug       `default:"main" placeholder:"SLUG" help:"The location of the events. Default: ${default}."`
	Site     webAddress `default:"https://stackexchange.example" placeholder:"URL" help:"The base URL for links to posts. Default: ${default}."`
	Speed    speed      `default:"max" placeholder:"N" help:"The speed relative to real time, such as 60 for an hour per minute; or max, the default."`
	Tags     []string   `placeholder:"A,B" help:"Post only questions with one of these tags, and their answers."`
}

// Help describes the command in detail.
func (replayDumpCommand) Help() string {
	return "Posts the events in chronological order through the ingest API. " +
		"Running it again with the same file changes nothing: the events count as duplicates."
}

// webAddress is an http or https URL without query, fragment and final slashes.
type webAddress string

// UnmarshalText takes an argument of the command line.
func (a *webAddress) UnmarshalText(text []byte) error {
	u, err := url.Parse(string(text))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be a URL that starts with http:// or https://, without ? and #")
	}
	*a = webAddress(strings.TrimRight(string(text), "/"))
	return nil
}

// speed is in times of real time; 0: as fast as it goes.
type speed float64

// UnmarshalText takes an argument of the command line.
func (s *speed) UnmarshalText(text []byte) error {
	if string(text) == "max" {
		*s = 0
		return nil
	}
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(n > 0 && n <= 1e12) {
		return errors.New("must be a number above 0, or max")
	}
	*s = speed(n)
	return nil
}

// Run posts the file.
func (c replayDumpCommand) Run(ctx context.Context, p Process) error {
	token := cmp.Or(c.Token, p.getenv("SITEHOOKS_INGEST_TOKEN"))
	if token == "" {
		return errors.New("replay: a token with the scope ingest is needed: --token, or SITEHOOKS_INGEST_TOKEN")
	}
	return replay.Run(ctx, c.options(token), p.Stdout, p.Stderr)
}

func (c replayDumpCommand) options(token string) replay.Options {
	o := replay.Options{
		File: c.File, URL: string(c.URL), Token: token, Location: string(c.Location), Site: string(c.Site), Speed: float64(c.Speed),
	}
	for _, tag := range c.Tags {
		if tag = strings.ToLower(strings.TrimSpace(tag)); tag != "" {
			o.Tags = append(o.Tags, tag)
		}
	}
	return o
}

// instanceURL is that of the instance that runs with the same environment.
func (p Process) instanceURL() string {
	if base, err := ownURL(p.getenv("SITEHOOKS_ADDR")); err == nil {
		return base
	}
	return "http://127.0.0.1:8080"
}
