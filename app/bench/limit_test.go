package bench

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sitehooks/sitehooks/app/apptest"
)

// limitBatch is how many rows share a statement and a commit.
const limitBatch = 500

// limitOrder measures a minimal program as an upper bound: its rows are given,
// and it only has to write each to the disk before its request goes out, and
// the response afterwards.
type limitOrder struct {
	rawOrder
	Database string
}

// limitResult is its throughput, and the processor time of its own process.
type limitResult struct {
	PerSecond float64
	Rows      int
	CPU       float64 // seconds
}

const (
	limitTable  = "create table limit_rows (id bigint generated always as identity primary key, body bytea not null, code bigint, answered_at timestamptz)"
	limitInsert = "insert into limit_rows (body) select unnest($1::bytea[]) returning id"
	limitUpdate = "update limit_rows set code = 200, answered_at = now() where id = any($1::bigint[])"
)

// limitLoop is the raw loop with one row a request, stored and updated in
// batches.
func limitLoop(o limitOrder) (limitResult, error) {
	ctx := context.Background()
	db, err := pgxpool.New(ctx, o.Database)
	if err != nil {
		return limitResult{}, err
	}
	defer db.Close()
	if _, err := db.Exec(ctx, "drop table if exists limit_rows; "+limitTable); err != nil {
		return limitResult{}, err
	}
	stored, answered := make(chan int64, 2*limitBatch), make(chan int64, 2*limitBatch)
	client, started := keepAlive(o.Clients), time.Now()
	var first firstError
	go func() {
		defer close(stored)
		first.set(storeRows(ctx, db, o, started, stored))
	}()
	var senders sync.WaitGroup
	for range o.Clients {
		senders.Go(func() {
			for id := range stored {
				first.set(signedPost(client, o.URL, fmt.Sprintf("limit_%d_%d", started.UnixNano(), id), o.body()))
				answered <- id
			}
		})
	}
	go func() {
		senders.Wait()
		close(answered)
	}()
	rows, err := recordRows(ctx, db, answered)
	first.set(err)
	took := time.Since(started).Seconds()
	cpu := apptest.ProcessorTime().Seconds()
	return limitResult{float64(rows) / took, rows, cpu}, first.get()
}

func storeRows(ctx context.Context, db *pgxpool.Pool, o limitOrder, started time.Time, stored chan<- int64) error {
	bodies := make([][]byte, limitBatch)
	for i := range bodies {
		bodies[i] = o.body()
	}
	for time.Since(started).Seconds() < o.Seconds {
		rows, err := db.Query(ctx, limitInsert, bodies)
		if err != nil {
			return err
		}
		ids := make([]int64, 0, limitBatch)
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		if rows.Err() != nil {
			return rows.Err()
		}
		for _, id := range ids {
			stored <- id
		}
	}
	return nil
}

func recordRows(ctx context.Context, db *pgxpool.Pool, answered <-chan int64) (rows int, err error) {
	ids := make([]int64, 0, limitBatch)
	for more := true; more; {
		var id int64
		if id, more = <-answered; more {
			ids = append(ids, id)
		}
		if len(ids) == limitBatch || !more {
			if _, e := db.Exec(ctx, limitUpdate, ids); e != nil && err == nil {
				err = e
			}
			rows, ids = rows+len(ids), ids[:0]
		}
	}
	return rows, err
}

func (o rawOrder) body() []byte { return []byte(strings.Repeat("x", o.Bytes)) }

// limit measures that program beside the raw loop.
func limit(z benchSizes) func(r *benchRun) func(r *benchRun) figures {
	return func(shared *benchRun) func(r *benchRun) figures {
		s, to := newBenchSite(shared, "postgres"), newTarget(shared)
		o := rawOrder{to.url + "/raw", 900, loadClients, z.raw}
		return func(r *benchRun) figures {
			r.begin(s.postgres, nil)
			var got limitResult
			var cpu float64
			raw := rawAround(r, o, func() {
				before := times(r, s.postgres, nil).product
				got = perform[limitResult](r, "limit", limitOrder{o, s.options.DatabaseURL})
				cpu = times(r, s.postgres, nil).product - before + got.CPU
			})
			return figures{
				"delivered/s": got.PerSecond, "raw/s": raw, "of raw": got.PerSecond / raw,
				"CPU s/10k": cpu / float64(got.Rows) * 10_000,
			}
		}
	}
}
