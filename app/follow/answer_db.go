package follow

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx
	_ "modernc.org/sqlite"             // the driver sqlite
)

// database is an Answer's database, open for reading. The statements are the
// same for all three kinds: names that are reserved words stand in double
// quotes, and parameters are question marks.
type database struct {
	*sql.DB
	kind string // sqlite, postgres or mysql
}

// openDatabase opens the database that a DSN names: postgres://…, mysql://… or
// user:password@tcp(host)/name, or the path of an SQLite file.
func openDatabase(dsn string) (*database, error) {
	driver, kind, source := "", "", ""
	var err error
	switch {
	case strings.HasPrefix(dsn, "postgres://"), strings.HasPrefix(dsn, "postgresql://"):
		driver, kind, source = "pgx", "postgres", dsn
	case strings.HasPrefix(dsn, "mysql://"), strings.HasPrefix(dsn, "mariadb://"), strings.Contains(dsn, "@tcp("), strings.Contains(dsn, "@unix("):
		driver, kind = "mysql", "mysql"
		source, err = mysqlSource(dsn)
	default:
		driver, kind = "sqlite", "sqlite"
		source, err = sqliteSource(dsn)
	}
	if err != nil {
		return nil, err
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		return nil, &fatalError{"--database: " + plainError(err)}
	}
	db.SetMaxOpenConns(1)
	db.SetConnMaxLifetime(time.Hour)
	return &database{db, kind}, nil
}

// plainError leaves a DSN with its password out of an error.
func plainError(err error) string {
	if outer, is := errors.AsType[*url.Error](err); is {
		err = outer.Err
	}
	return err.Error()
}

// mysqlSource makes the driver's form of a DSN. With ANSI_QUOTES double quotes
// surround names, as in the other two.
func mysqlSource(dsn string) (string, error) {
	var c *mysql.Config
	if scheme, rest, is := strings.Cut(dsn, "://"); is && (scheme == "mysql" || scheme == "mariadb") {
		u, err := url.Parse("mysql://" + rest)
		if err != nil || u.Host == "" || len(u.Path) < 2 {
			return "", &fatalError{"--database: must have the form mysql://user:password@host:3306/name"}
		}
		c = mysql.NewConfig()
		c.User, c.Net, c.Addr, c.DBName = u.User.Username(), "tcp", u.Host, u.Path[1:]
		c.Passwd, _ = u.User.Password()
		if u.Port() == "" {
			c.Addr += ":3306"
		}
	} else {
		var err error
		if c, err = mysql.ParseDSN(dsn); err != nil {
			return "", &fatalError{"--database: " + plainError(err)}
		}
	}
	c.ParseTime = false // times have no zone: see wall
	c.Timeout, c.ReadTimeout = 10*time.Second, time.Minute
	if c.Params == nil {
		c.Params = map[string]string{}
	}
	c.Params["sql_mode"] = "'ANSI_QUOTES'"
	return c.FormatDSN(), nil
}

// sqliteSource makes the driver's form of a path. The file must be in WAL mode:
// in another a reader makes the site's own writes fail.
func sqliteSource(dsn string) (string, error) {
	path := strings.TrimPrefix(strings.TrimPrefix(dsn, "sqlite://"), "file:")
	path, _, _ = strings.Cut(path, "?")
	wal, err := inWALMode(path)
	switch {
	case err != nil:
		return "", &fatalError{"--database: " + err.Error()}
	case !wal:
		return "", &fatalError{fmt.Sprintf("--database: %s is not in WAL mode: reading it would make the site's own writes fail. "+
			"Change it once, with this command: sqlite3 %s 'PRAGMA journal_mode=WAL'", path, path)}
	}
	if path, err = filepath.Abs(path); err != nil {
		return "", err
	}
	u := url.URL{Scheme: "file", Path: path}
	return u.String() + "?mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)", nil
}

// inWALMode reads the mode from the file's header, which takes no lock.
func inWALMode(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	head := make([]byte, 20)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:15]) != "SQLite format 3" {
		return false, fmt.Errorf("%s is not an SQLite database; give a path, or a URL that starts with postgres:// or mysql://", path)
	}
	const writeVersion, wal = 18, 2
	return head[writeVersion] == wal, nil
}

// view is one look at the database, in which nothing changes.
type view struct {
	tx   *sql.Tx
	kind string
}

// readView calls f with a view.
func (d *database) readView(ctx context.Context, f func(v view) error) error {
	o := &sql.TxOptions{ReadOnly: true, Isolation: sql.LevelRepeatableRead}
	if d.kind == "sqlite" {
		o = nil // the connection itself is for reading only, and sees one state in a transaction
	}
	tx, err := d.BeginTx(ctx, o)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return f(view{tx, d.kind})
}

// query runs a statement and calls scan for each row.
func (v view) query(ctx context.Context, statement string, args []any, scan func(*sql.Rows) error) error {
	rows, err := v.tx.QueryContext(ctx, v.numbered(statement), args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// numbered writes parameters as $1, $2 for PostgreSQL.
func (v view) numbered(statement string) string {
	if v.kind != "postgres" {
		return statement
	}
	var b strings.Builder
	n := 0
	for _, c := range statement {
		if c != '?' {
			b.WriteRune(c)
			continue
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
	}
	return b.String()
}

// inChunks calls f with some of the values at a time, as marks and arguments of
// a list in a statement.
func inChunks[T any](values []T, f func(marks string, args []any) error) error {
	const most = 500
	for len(values) > 0 {
		n := min(most, len(values))
		args := make([]any, n)
		for i, v := range values[:n] {
			args[i] = v
		}
		if err := f(strings.TrimSuffix(strings.Repeat("?,", n), ","), args); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// wall is a time as the database has it, which knows no zone: its parts stand
// in a time.Time in UTC. Zero: none.
type wall struct{ time.Time }

// wallLayout is how a wall is compared with in a statement.
const wallLayout = "2006-01-02 15:04:05"

func (w *wall) String() string { return w.Format(wallLayout) }

// Scan takes a column of any of the three drivers.
func (w *wall) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		w.Time = time.Time{}
	case time.Time:
		w.Time = time.Date(v.Year(), v.Month(), v.Day(), v.Hour(), v.Minute(), v.Second(), v.Nanosecond(), time.UTC)
	case []byte:
		return w.parse(string(v))
	case string:
		return w.parse(v)
	default:
		return fmt.Errorf("a time is a %T", v)
	}
	w.dropZero()
	return nil
}

func (w *wall) parse(s string) error {
	if strings.HasPrefix(s, "0000-") {
		w.Time = time.Time{}
		return nil
	}
	s = strings.Replace(s, "T", " ", 1)
	if len(s) < len(wallLayout) {
		return fmt.Errorf("%q is not a time", s)
	}
	end := len(wallLayout) // of the parts that count, a fraction included
	for end < len(s) && (s[end] == '.' || s[end] >= '0' && s[end] <= '9') {
		end++
	}
	t, err := time.Parse("2006-01-02 15:04:05.999999999", s[:end])
	if err != nil {
		return fmt.Errorf("%q is not a time", s)
	}
	w.Time = t
	w.dropZero()
	return nil
}

// dropZero: a site writes the year 1 where it has no time.
func (w *wall) dropZero() {
	if w.Year() < 1970 {
		w.Time = time.Time{}
	}
}

// in returns the moment, for a site whose times are in a zone.
func (w *wall) in(zone *time.Location) time.Time {
	if w.IsZero() {
		return time.Time{}
	}
	return time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), zone)
}

// wallOf is a moment as a site has it whose times are in a zone.
func wallOf(t time.Time, zone *time.Location) wall {
	var w wall
	_ = w.Scan(t.In(zone)) // takes any time
	return w
}
