package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// bareOrder starts a bare queue: a minimal program that accepts an event a
// request and posts each to one address. It has no history, no retries and no
// searches.
type bareOrder struct{ Database, URL string }

const (
	bareBatch  = 500                  // rows that share a statement and a commit, at most
	bareLinger = 5 * time.Millisecond // until recorded outcomes share a statement
	bareTables = `drop table if exists bare_events, bare_deliveries, bare_attempts;
create table bare_events (id bigint generated always as identity primary key, event_id text not null, payload bytea not null);
create table bare_deliveries (id bigint generated always as identity primary key, event bigint not null, body bytea not null, state smallint not null default 0);
create index on bare_deliveries (id) where state = 0;
create table bare_attempts (id bigint generated always as identity primary key, delivery bigint not null, code int not null, ended_at timestamptz not null)`
	bareStore = `with e as (insert into bare_events (event_id, payload) select * from unnest($1::text[], $2::bytea[]) returning id, payload)
insert into bare_deliveries (event, body) select id, payload from e`
	bareClaim = `update bare_deliveries set state = 1 where id in (select id from bare_deliveries where state = 0 order by id limit $1 for update skip locked)
returning id, body`
	bareRecord = `with a as (insert into bare_attempts (delivery, code, ended_at) select unnest($1::bigint[]), 200, now())
update bare_deliveries set state = 2 where id = any($1::bigint[])`
	bareOpen = "select count(*) from bare_deliveries where state < 2"
)

type (
	bareEvent struct {
		id     string
		body   []byte
		stored chan error
	}
	bareDelivery struct {
		id   int64
		body []byte
	}
	bare struct {
		db       *pgxpool.Pool
		url, run string
		client   *http.Client
		accepted chan bareEvent
		due      chan struct{} // something may be due
		claimed  chan bareDelivery
		posted   chan int64
	}
)

// serveBareQueue is the role of the bare queue: it says its address and serves
// until its input ends. A fault of a part ends the process.
func serveBareQueue(text []byte, stdin io.Reader, stdout io.Writer) error {
	var o bareOrder
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	ctx := context.Background()
	db, err := pgxpool.New(ctx, o.Database)
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Exec(ctx, bareTables); err != nil {
		return err
	}
	q := &bare{
		db: db, url: o.URL, run: fmt.Sprintf("bare_%d_", time.Now().UnixNano()), client: keepAlive(loadClients),
		accepted: make(chan bareEvent, bareBatch), due: make(chan struct{}, 1),
		claimed: make(chan bareDelivery, bareBatch), posted: make(chan int64, 2*bareBatch),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, loadClients+5)
	parts := []func(context.Context) error{q.store, q.store, q.claim, q.record}
	for range loadClients {
		parts = append(parts, q.send)
	}
	for _, run := range parts {
		go func() { failed <- run(ctx) }()
	}
	server := &http.Server{Handler: http.HandlerFunc(q.accept), ReadHeaderTimeout: time.Minute}
	go func() { failed <- server.Serve(l) }()
	if _, err := fmt.Fprintln(stdout, "http://"+l.Addr().String()); err != nil {
		return err
	}
	go func() {
		_, err := io.Copy(io.Discard, stdin)
		failed <- err
	}()
	return <-failed
}

// accept answers once the event of a request is on the disk.
func (q *bare) accept(w http.ResponseWriter, r *http.Request) {
	var in struct{ Events []json.RawMessage }
	var event struct{ ID string }
	err := json.NewDecoder(r.Body).Decode(&in)
	if err == nil && len(in.Events) == 1 {
		err = json.Unmarshal(in.Events[0], &event)
	}
	if err != nil || event.ID == "" || r.Header.Get("Authorization") != "Bearer "+apptest.IngestToken {
		http.Error(w, "one event with an id, and the token, are needed", http.StatusBadRequest)
		return
	}
	e := bareEvent{event.ID, in.Events[0], make(chan error, 1)}
	q.accepted <- e
	if err := <-e.stored; err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// store has the events of concurrent requests share a transaction.
func (q *bare) store(ctx context.Context) error {
	for {
		events := gather(q.accepted, 0)
		ids, bodies := make([]string, len(events)), make([][]byte, len(events))
		for i, e := range events {
			ids[i], bodies[i] = e.id, e.body
		}
		_, err := q.db.Exec(ctx, bareStore, ids, bodies)
		for _, e := range events {
			e.stored <- err
		}
		select {
		case q.due <- struct{}{}:
		default:
		}
	}
}

func (q *bare) claim(ctx context.Context) error {
	for range q.due {
		for n := bareBatch; n == bareBatch; {
			rows, err := q.db.Query(ctx, bareClaim, bareBatch)
			if err != nil {
				return err
			}
			for n = 0; rows.Next(); n++ {
				var d bareDelivery
				if err := rows.Scan(&d.id, &d.body); err != nil {
					return err
				}
				q.claimed <- d
			}
			if err := rows.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (q *bare) send(context.Context) error {
	for d := range q.claimed {
		if err := signedPost(q.client, q.url, fmt.Sprint(q.run, d.id), d.body); err != nil {
			return err
		}
		q.posted <- d.id
	}
	return nil
}

func (q *bare) record(ctx context.Context) error {
	for {
		if _, err := q.db.Exec(ctx, bareRecord, gather(q.posted, bareLinger)); err != nil {
			return err
		}
	}
}

// gather waits for one, then takes what has come or comes within a time.
func gather[T any](from <-chan T, linger time.Duration) []T {
	all := []T{<-from}
	end := time.After(linger)
	for len(all) < bareBatch {
		select {
		case one := <-from:
			all = append(all, one)
			continue
		default:
		}
		select {
		case one := <-from:
			all = append(all, one)
		case <-end:
			return all
		}
	}
	return all
}

// bareQueue measures it by the load of Sitehooks' single requests.
func bareQueue(z benchSizes) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s, to := newBenchSite(shared, "postgres"), newTarget(shared)
		s.open = bareOpen
		text, err := json.Marshal(bareOrder{s.options.DatabaseURL, to.url + "/all"})
		ok(shared, err)
		return func(r *benchRun) figures {
			cmd := roleCommand("bare queue", text)
			in := &apptest.Instance{Cmd: cmd, Base: startServer(r, cmd)}
			return s.loaded(r, to, []*apptest.Instance{in}, loadOrder{Clients: loadClients, Events: z.single, Size: 1}, z.raw)
		}
	}
}
