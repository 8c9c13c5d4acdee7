package follow

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// FollowAnswer follows until ctx ends. Errors are sentences for people.
func FollowAnswer(ctx context.Context, o AnswerOptions) error {
	a, err := newAnswer(o)
	if err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	defer a.db.Close()
	if err := a.untilReady(ctx); err != nil {
		return err
	}
	return newFollower(a.Options, a).run(ctx)
}

func newAnswer(o AnswerOptions) (*answer, error) {
	db, err := openDatabase(o.Database)
	if err != nil {
		return nil, err
	}
	return &answer{AnswerOptions: o, db: db, now: time.Now, seen: map[int64]bool{}, reported: map[string]time.Time{}}, nil
}

// untilReady waits until the site's settings can be read.
func (a *answer) untilReady(ctx context.Context) error {
	pause, logged := time.Duration(0), ""
	for {
		err := a.start(ctx)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return nil //nolint:nilerr // it was stopped
		case !temporary(err):
			return fmt.Errorf("follow: %w", err)
		}
		if pause = nextPause(pause, err); logged != err.Error() {
			logged = err.Error()
			a.Log.WarnContext(ctx, "waiting", slog.String("reason", logged), slog.Duration("next_try_in", pause))
		}
		wait(ctx, pause)
	}
}

// start reads the site's settings.
func (a *answer) start(ctx context.Context) error {
	var site siteSettings
	err := a.db.readView(ctx, func(v view) (err error) {
		if a.numbers, err = readNumbers(ctx, v); err != nil {
			return err
		}
		site, err = readSite(ctx, v)
		return err
	})
	if err != nil {
		return err
	}
	if a.Site == "" {
		a.Site = strings.TrimRight(site.url, "/")
	}
	switch {
	case a.Site == "":
		return &fatalError{"the site does not say its own URL: give it with --site"}
	case site.private && a.Location == "":
		return &fatalError{"this site shows its posts only to members who have logged in. " +
			"Say with --location which location's webhooks may report them"}
	case site.private:
		a.Log.WarnContext(ctx, "this site shows its posts only to members who have logged in; the webhooks of the location report them",
			slog.String("location", a.Location))
	}
	if a.Location == "" {
		a.Location = "main"
	}
	a.Log.InfoContext(ctx, "found Apache Answer", slog.String("site", a.Site), slog.String("database", a.db.kind), slog.Int64("schema", site.version))
	return nil
}

// siteSettings are what is read of an Answer's settings.
type siteSettings struct {
	url     string
	private bool
	version int64
}

func readSite(ctx context.Context, v view) (s siteSettings, err error) {
	err = v.query(ctx, `select type, content from site_info where type in ('general', 'security', 'login')`, nil, func(rows *sql.Rows) error {
		var kind, text string
		if err := rows.Scan(&kind, &text); err != nil {
			return err
		}
		var c struct {
			SiteURL       string `json:"site_url"`
			LoginRequired bool   `json:"login_required"`
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			return nil //nolint:nilerr // a setting that cannot be read is as good as none
		}
		if kind == "general" {
			s.url = c.SiteURL
		}
		s.private = s.private || c.LoginRequired
		return nil
	})
	if err != nil {
		return s, err
	}
	return s, v.query(ctx, `select coalesce(max(version_number), 0) from version`, nil, func(rows *sql.Rows) error { return rows.Scan(&s.version) })
}
