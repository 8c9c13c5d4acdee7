package follow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// OutboxOptions are those of a follower of an outbox.
type OutboxOptions struct {
	Options
	Database string // PostgreSQL's URL
}

// outboxRows is how many rows one round takes.
const outboxRows = 500

// outbox takes the rows of a table sitehooks_outbox(id, event), which a site
// writes in its own transactions. It belongs to one goroutine.
type outbox struct {
	OutboxOptions
	conn  *pgx.Conn // nil: none
	taken []int64   // rows of the newest batch
	since time.Time // the first time that there was more than one round could take; zero: there is not
}

// FollowOutbox follows until ctx ends. Errors are sentences for people.
func FollowOutbox(ctx context.Context, o OutboxOptions) error {
	if !strings.HasPrefix(o.Database, "postgres://") && !strings.HasPrefix(o.Database, "postgresql://") {
		return errors.New("follow: --database must be a URL that starts with postgres://; an outbox needs PostgreSQL")
	}
	if _, err := pgx.ParseConfig(o.Database); err != nil {
		return errors.New("follow: --database is not a URL that PostgreSQL takes, such as postgres://user:password@host:5432/name")
	}
	b := &outbox{OutboxOptions: o}
	defer b.close() //nolint:contextcheck // ctx has ended by then
	return newFollower(o.Options, b).run(ctx)
}

// begin returns a place that says nothing: what is done is no longer in the
// table.
func (*outbox) begin(context.Context) (json.RawMessage, error) { return json.RawMessage(`{}`), nil }

// connect opens the connection, and listens for new rows.
func (b *outbox) connect(ctx context.Context) error {
	if b.conn != nil && !b.conn.IsClosed() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, b.Database)
	if err != nil {
		return err
	}
	b.conn = conn
	_, err = conn.Exec(ctx, "listen sitehooks_outbox")
	return err
}

func (b *outbox) close() {
	if b.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = b.conn.Close(ctx)
	b.conn = nil
}

// next reads the oldest rows.
func (b *outbox) next(ctx context.Context, place json.RawMessage) (batch, error) {
	if err := b.connect(ctx); err != nil {
		b.close() //nolint:contextcheck // a bound of its own
		return batch{}, err
	}
	rows, err := b.conn.Query(ctx, "select id, event::text from sitehooks_outbox order by id limit $1", outboxRows)
	if err != nil {
		return batch{}, b.fault(err) //nolint:contextcheck // a close has a bound of its own
	}
	b.taken = b.taken[:0]
	next := batch{place: place}
	for rows.Next() {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			rows.Close()
			return batch{}, b.fault(err) //nolint:contextcheck // a close has a bound of its own
		}
		b.taken = append(b.taken, id)
		next.events = append(next.events, b.event(id, text))
	}
	if err := rows.Err(); err != nil {
		return batch{}, b.fault(err) //nolint:contextcheck // a close has a bound of its own
	}
	next.more = len(b.taken) == outboxRows
	now := time.Now()
	switch {
	case !next.more:
		b.since = time.Time{}
	case b.since.IsZero():
		b.since = now
	default:
		next.behind = now.Sub(b.since)
	}
	return next, nil
}

// fault names what an operator can mend, and closes a connection that broke.
func (b *outbox) fault(err error) error {
	fault, is := errors.AsType[*pgconn.PgError](err)
	if !is {
		b.close()
		return err
	}
	const undefinedTable, undefinedColumn, denied = "42P01", "42703", "42501"
	switch fault.Code {
	case undefinedTable, undefinedColumn:
		return fmt.Errorf("the database has no table sitehooks_outbox(id bigint, event json): %s", fault.Message)
	case denied:
		return fmt.Errorf("select and delete on sitehooks_outbox must be granted: %s", fault.Message)
	}
	return err
}

// event gives a row's event its id and location. What is no JSON object is
// posted as it is, so that the refusal names the fault.
func (b *outbox) event(id int64, text string) event {
	e := event{id: fmt.Sprintf("outbox:%s:%d", b.Name, id)}
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil || members == nil {
		e.line = oneLine([]byte(text))
		return e
	}
	head := map[string]string{"id": e.id}
	if _, own := members["location"]; !own && b.Location != "" {
		head["location"] = b.Location
	}
	delete(members, "id")
	for name, value := range head {
		members[name], _ = json.Marshal(value) // strings
	}
	line, err := json.Marshal(members)
	if err != nil {
		line = []byte(text)
	}
	e.line = oneLine(line)
	return e
}

// oneLine writes JSON without the breaks that it may have between its parts.
func oneLine(text []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, text) != nil {
		b.Reset()
		b.Write(bytes.Join(bytes.Fields(text), []byte(" ")))
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// accepted deletes the rows of the newest batch.
func (b *outbox) accepted(ctx context.Context) error {
	if len(b.taken) == 0 {
		return nil
	}
	if _, err := b.conn.Exec(ctx, "delete from sitehooks_outbox where id = any($1)", b.taken); err != nil {
		return b.fault(err) //nolint:contextcheck // a close has a bound of its own
	}
	b.taken = b.taken[:0]
	return nil
}

// pause waits for a notification, which a site may send, or until the time has
// passed.
func (b *outbox) pause(ctx context.Context, d time.Duration) {
	if b.conn == nil || b.conn.IsClosed() {
		wait(ctx, d)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	if _, err := b.conn.WaitForNotification(ctx); err != nil && ctx.Err() == nil {
		b.close() //nolint:contextcheck // a bound of its own
		wait(ctx, d)
	}
}
