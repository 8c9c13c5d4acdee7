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

// queueWorkers is how many workers each queue of an instance has.
var queueWorkers = map[string]int{
	models.QueueFast:    100,
	models.QueueSlow:    100,
	models.QueueFailing: 10,
	models.QueuePaced:   100,
	river.QueueDefault:  2,
}

// laneArgs is the job of working on one webhook's lane. A lost or duplicate job
// does no harm: the lane's row says when deliveries are due and which worker
// has the lease, and the sweep queues the job again.
type laneArgs struct {
	WebhookID int64 `json:"webhook_id"`
}

// Kind names the job in River's tables.
func (laneArgs) Kind() string { return "lane" }

// pruneArgs is the job of removing old history.
type pruneArgs struct{}

// Kind names the job in River's tables.
func (pruneArgs) Kind() string { return "prune" }

// pruneOnce lets one job of pruning wait or work at a time.
var pruneOnce = &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByState: []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
}}}

// queue is River on either database.
type queue interface {
	insert(ctx context.Context, lanes []models.LaneRef) error
	start(ctx context.Context) error
	// stop lets jobs finish, and cuts those that are still at it after
	// stopSoft.
	stop(ctx context.Context) error
}

const (
	laneTimeout  = 60 * time.Second
	rescueAfter  = 90 * time.Second
	keepFinished = time.Minute
	keepFailed   = time.Hour
	pruneEvery   = 15 * time.Minute
	// stopSoft is how long a stop lets requests run before it cuts them.
	stopSoft = 25 * time.Second
)

func riverConfig(workers *river.Workers, limits map[string]int, log *slog.Logger) *river.Config {
	queues := map[string]river.QueueConfig{}
	for name, most := range limits {
		queues[name] = river.QueueConfig{MaxWorkers: most}
	}
	return &river.Config{
		Workers:                     workers,
		Queues:                      queues,
		Logger:                      log,
		JobTimeout:                  laneTimeout,
		RescueStuckJobsAfter:        rescueAfter,
		CompletedJobRetentionPeriod: keepFinished,
		CancelledJobRetentionPeriod: keepFinished,
		DiscardedJobRetentionPeriod: keepFailed,
		SoftStopTimeout:             stopSoft,
		FetchCooldown:               5 * time.Millisecond,
		MaxAttempts:                 1, // the sweep tries again
		PeriodicJobs: []*river.PeriodicJob{
			river.NewPeriodicJob(river.PeriodicInterval(pruneEvery),
				func() (river.JobArgs, *river.InsertOpts) { return pruneArgs{}, pruneOnce },
				&river.PeriodicJobOpts{RunOnStart: true}),
		},
	}
}

func newQueue(store *models.Store, workers *river.Workers, limits map[string]int, log *slog.Logger) (queue, error) {
	cfg := riverConfig(workers, limits, log)
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

func (q *riverQueue[Tx]) insert(ctx context.Context, lanes []models.LaneRef) error {
	if len(lanes) == 0 {
		return nil
	}
	jobs := make([]river.InsertManyParams, len(lanes))
	for i, lane := range lanes {
		jobs[i] = river.InsertManyParams{Args: laneArgs{lane.WebhookID}, InsertOpts: &river.InsertOpts{Queue: lane.Queue}}
	}
	_, err := q.client.InsertManyFast(ctx, jobs)
	return err
}

// start runs River until stop, also after ctx has ended, so that a signal does
// not cut requests short.
func (q *riverQueue[Tx]) start(ctx context.Context) error {
	return q.client.Start(context.WithoutCancel(ctx))
}

func (q *riverQueue[Tx]) stop(ctx context.Context) error { return q.client.Stop(ctx) }
