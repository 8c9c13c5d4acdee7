package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"

	"github.com/sitehooks/sitehooks/models"
)

// pruneArgs is the job of removing old history.
type pruneArgs struct{}

// Kind names the job in River's tables.
func (pruneArgs) Kind() string { return "prune" }

// pruneOnce lets one job of pruning wait or work at a time.
var pruneOnce = &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByState: []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
}}}

// queue is River on either database. It runs the pruning.
type queue interface {
	start(ctx context.Context) error
	// stop lets jobs finish, and cuts those that are still at it after
	// stopSoft.
	stop(ctx context.Context) error
}

const (
	jobTimeout   = 60 * time.Second
	rescueAfter  = 90 * time.Second
	keepFinished = time.Minute
	keepFailed   = time.Hour
	pruneEvery   = 15 * time.Minute
)

func riverConfig(workers *river.Workers, log *slog.Logger) *river.Config {
	return &river.Config{
		Workers:                     workers,
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}},
		Logger:                      log,
		JobTimeout:                  jobTimeout,
		RescueStuckJobsAfter:        rescueAfter,
		CompletedJobRetentionPeriod: keepFinished,
		CancelledJobRetentionPeriod: keepFinished,
		DiscardedJobRetentionPeriod: keepFailed,
		SoftStopTimeout:             stopSoft,
		MaxAttempts:                 1, // it is queued anew every pruneEvery
		PeriodicJobs: []*river.PeriodicJob{
			river.NewPeriodicJob(river.PeriodicInterval(pruneEvery),
				func() (river.JobArgs, *river.InsertOpts) { return pruneArgs{}, pruneOnce },
				&river.PeriodicJobOpts{RunOnStart: true}),
		},
	}
}

func newQueue(store *models.Store, workers *river.Workers, log *slog.Logger) (queue, error) {
	cfg := riverConfig(workers, log)
	cfg.PollOnly = store.Pooled()
	if pool := store.Postgres(); pool != nil {
		return newRiverQueue(riverpgxv5.New(pool), cfg)
	}
	return newRiverQueue(riversqlite.New(store.SQLiteWriter()), cfg)
}

func newRiverQueue[Tx any](driver riverdriver.Driver[Tx], cfg *river.Config) (queue, error) {
	client, err := river.NewClient(driver, cfg)
	if err != nil {
		return nil, err
	}
	return &riverQueue[Tx]{client}, nil
}

type riverQueue[Tx any] struct{ client *river.Client[Tx] }

// start runs River until stop, also after ctx has ended, so that a signal does
// not cut requests short.
func (q *riverQueue[Tx]) start(ctx context.Context) error {
	return q.client.Start(context.WithoutCancel(ctx))
}

func (q *riverQueue[Tx]) stop(ctx context.Context) error { return q.client.Stop(ctx) }
