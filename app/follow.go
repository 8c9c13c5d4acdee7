package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // --timezone works where the system has no zones

	"github.com/sitehooks/sitehooks/app/follow"
	"github.com/sitehooks/sitehooks/config"
)

type followCommand struct {
	Answer followAnswerCommand `cmd:"" help:"Report the activity of an Apache Answer, read from its database."`
	Outbox followOutboxCommand `cmd:"" help:"Report the events that a site writes to the table sitehooks_outbox on PostgreSQL."`
}

// followFlags are what followers of all systems have in common.
type followFlags struct {
	Name  sourceName    `required:"" placeholder:"NAME" help:"The name of the source, a slug such as community."`
	URL   webAddress    `name:"url" default:"${instance}" placeholder:"URL" help:"The URL of the running instance. Default: the one that listens at SITEHOOKS_ADDR, ${default}."`
	Token string        `placeholder:"TOKEN" help:"A token with the scope ingest. Default: SITEHOOKS_INGEST_TOKEN."`
	Every time.Duration `default:"5s" placeholder:"TIME" help:"How often to look for new activity, such as 5s. Default: ${default}."`
}

type followAnswerCommand struct {
	followFlags `embed:""`
	Database    string        `required:"" placeholder:"DSN" help:"Answer's database: the path of its SQLite file, postgres://user:password@host:5432/name, or mysql://user:password@host:3306/name."`
	Location    slug          `placeholder:"SLUG" help:"The location of the events. Default: main; required for a site that only members can read."`
	Site        webAddress    `placeholder:"URL" help:"The URL of the site, for links. Default: as its own settings have it."`
	Timezone    timezone      `default:"UTC" placeholder:"ZONE" help:"The time zone of Answer's own process, such as Europe/Berlin, if its database is PostgreSQL or MySQL. Default: ${default}."`
	From        beginning     `default:"now" placeholder:"TIME" help:"Where to begin if this source has never been followed: now, or a time such as 2026-11-21T00:00:00Z. Default: ${default}."`
	Compare     time.Duration `hidden:"" default:"10m" help:"How often posts are compared with the log."`
}

type followOutboxCommand struct {
	followFlags `embed:""`
	Database    string `required:"" placeholder:"DSN" help:"The database with the table, as postgres://user:password@host:5432/name."`
	Location    slug   `placeholder:"SLUG" help:"The location of events that name none. Default: main."`
}

// Help describes the command in detail.
func (followAnswerCommand) Help() string {
	return "Runs until it is stopped. It only reads. The place reached is kept by the instance, so that it can be stopped and started anywhere: " +
		"nothing is lost, and nothing is reported twice. docs/sources/answer.md has the grants that it needs and what it cannot see."
}

// Help describes the command in detail.
func (followOutboxCommand) Help() string {
	return "Runs until it is stopped. A row is deleted after its event was accepted. docs/sources/outbox.md has the table and examples."
}

// sourceName is the name of a source.
type sourceName string

// UnmarshalText takes an argument of the command line.
func (n *sourceName) UnmarshalText(text []byte) error {
	if !slugs.Match(text) || string(text) == "new" {
		return fmt.Errorf("%q is not a name of 1 to 64 lower-case letters, digits and hyphens, such as community; new is no name", text)
	}
	*n = sourceName(text)
	return nil
}

// timezone is a time zone by its name.
type timezone struct{ *time.Location }

// UnmarshalText takes an argument of the command line.
func (z *timezone) UnmarshalText(text []byte) (err error) {
	if z.Location, err = time.LoadLocation(string(text)); err != nil {
		return fmt.Errorf("%q is not a time zone such as UTC or Europe/Berlin", text)
	}
	return nil
}

// beginning is a time; zero: now.
type beginning struct{ time.Time }

// UnmarshalText takes an argument of the command line.
func (b *beginning) UnmarshalText(text []byte) (err error) {
	if string(text) == "now" {
		b.Time = time.Time{}
		return nil
	}
	if b.Time, err = time.Parse(time.RFC3339, string(text)); err != nil || b.Unix() <= 0 {
		return errors.New("must be now, or a time such as 2026-11-21T00:00:00Z")
	}
	return nil
}

// options checks what the flags have in common.
func (f followFlags) options(p Process, location slug) (follow.Options, error) {
	o := follow.Options{
		Name: string(f.Name), URL: string(f.URL), Token: cmp.Or(f.Token, p.getenv("SITEHOOKS_INGEST_TOKEN")), Location: string(location),
		Every: f.Every, Log: newLog(config.Config{LogFormat: p.getenv("SITEHOOKS_LOG_FORMAT")}, p.Stderr),
	}
	switch {
	case o.Token == "":
		return o, errors.New("follow: a token with the scope ingest is needed: --token, or SITEHOOKS_INGEST_TOKEN")
	case o.Every < 100*time.Millisecond || o.Every > time.Minute:
		return o, errors.New("follow: --every must be from 100ms to 1m")
	}
	return o, nil
}

// Run follows an Apache Answer until ctx ends.
func (c followAnswerCommand) Run(ctx context.Context, p Process) error {
	o, err := c.options(p, c.Location)
	if err != nil {
		return err
	}
	return follow.FollowAnswer(ctx, follow.AnswerOptions{
		Options: o, Database: c.Database, Site: string(c.Site), Timezone: c.Timezone.Location, From: c.From.Time, Compare: c.Compare,
	})
}

// Run follows an outbox until ctx ends.
func (c followOutboxCommand) Run(ctx context.Context, p Process) error {
	o, err := c.options(p, c.Location)
	if err != nil {
		return err
	}
	return follow.FollowOutbox(ctx, follow.OutboxOptions{Options: o, Database: c.Database})
}
