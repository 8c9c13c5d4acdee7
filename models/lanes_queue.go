package models

import (
	"gorm.io/gorm"
)

// The queues. A lane whose receiver was slow works in the slow one, so that
// receivers that hang never fill the others. One whose receiver failed quickly
// works in the failing one, a few at a time: however many webhooks are
// refused, those that deliver find a worker, and the database, free. One that
// was released waits for its pace most of its time, and so in the paced one.
const (
	QueueFast    = "fast"
	QueueSlow    = "slow"
	QueueFailing = "failing"
	QueuePaced   = "paced"
)

// LaneRef names a lane and the queue it works in.
type LaneRef struct {
	WebhookID int64
	Queue     string
}

// waitingMost is how many jobs may wait in a queue. More lanes than that wait
// in their rows: those that need workers never pile up jobs before the others.
const waitingMost = 1000

// laneQueue is ref in SQL.
const laneQueue = "case when slow then '" + QueueSlow + "' when failures_in_row > 0 then '" + QueueFailing +
	"' when paced_through > 0 then '" + QueuePaced + "' else '" + QueueFast + "' end"

func (l Lane) ref() LaneRef {
	switch {
	case l.Slow:
		return LaneRef{l.WebhookID, QueueSlow}
	case l.FailuresInRow > 0:
		return LaneRef{l.WebhookID, QueueFailing}
	case l.PacedThrough > 0:
		return LaneRef{l.WebhookID, QueuePaced}
	}
	return LaneRef{l.WebhookID, QueueFast}
}

// waitingJobs are the jobs that no worker took yet.
type waitingJobs struct {
	lanes map[int64]bool // that have one
	of    map[string]int // queue → how many
}

func (w waitingJobs) ids() []int64 {
	ids := make([]int64, 0, len(w.lanes))
	for id := range w.lanes {
		ids = append(ids, id)
	}
	return ids
}

func (w waitingJobs) full() []string {
	full := []string{""} // for the list in SQL is not to be empty
	for queue, n := range w.of {
		if n >= waitingMost {
			full = append(full, queue)
		}
	}
	return full
}

// add counts a lane's job; false: it has one already, or its queue is full.
func (w waitingJobs) add(ref LaneRef) bool {
	if w.lanes[ref.WebhookID] || w.of[ref.Queue] >= waitingMost {
		return false
	}
	w.lanes[ref.WebhookID] = true
	w.of[ref.Queue]++
	return true
}

var laneQueues = []string{QueueFast, QueueSlow, QueueFailing, QueuePaced}

// waitingLanes reads the jobs that wait, which are few: see waitingMost.
func waitingLanes(tx *gorm.DB) (waitingJobs, error) {
	w := waitingJobs{map[int64]bool{}, map[string]int{}}
	var rows []LaneRef
	err := tx.Raw(`select queue, cast(args->>'webhook_id' as bigint) as webhook_id from river_job
		where state = 'available' and queue in ?`, laneQueues).Scan(&rows).Error
	for _, row := range rows {
		w.lanes[row.WebhookID] = true
		w.of[row.Queue]++
	}
	return w, err
}

// hasRoom tells whether another job may wait in a queue.
func hasRoom(tx *gorm.DB, queue string) (bool, error) {
	var n int
	err := tx.Raw(`select count(*) from (select 1 as one from river_job where state = 'available' and queue = ? limit ?) w`,
		queue, waitingMost).Scan(&n).Error
	return n < waitingMost, err
}
