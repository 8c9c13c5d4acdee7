package models

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// Take is the work that one run of dispatch found, seen inside its transaction.
type Take struct {
	Now      time.Time
	Settings Settings
	// Events are the oldest that fell due with all that merge with them, in
	// order of receipt. Long payloads are left out; Payloads reads some.
	Events   []Event
	Payloads func(ids []int64) (map[int64][]byte, error)
	// Version is that of the webhooks' filters; Webhooks reads them all.
	Version  int64
	Webhooks func() ([]Webhook, int64, error)
	full     bool // there were as many due as it may take
}

// NewDelivery is a delivery to be stored, and the events inside it.
type NewDelivery struct {
	Delivery
	Events []int64
	// Unbuilt says why no body could be made; it is stored as failed then.
	Unbuilt string
}

// Decision is the result of dispatch for a take.
type Decision struct {
	// Events are those decided upon; the others of the take stay due. Of
	// events that merge, all or none are among them.
	Events     []int64
	MergedInto map[int64]int64 // older event → the newest, which is sent
	Deliveries []NewDelivery
	Version    int64 // of the webhooks it matched against
}

// TakeResult is the outcome of a run.
type TakeResult struct {
	Ran    bool // false: it is not time yet, or another instance is at it
	Events int
	More   bool // there may be more due: run again at once
	// Wait is how long nothing will be due, as far as is known now.
	Wait time.Duration
	// OnArrival says that an event that arrives may be due at once.
	OnArrival bool
	Lanes     []LaneRef // to be queued
}

// Take runs dispatch once, if it is time: under a lock that only one instance
// can have, it reads the settings, takes at most limit due events and those
// that merge with them, calls decide, and stores the outcome in one
// transaction.
func (x *Events) Take(ctx context.Context, limit int, decide func(Take) (Decision, error)) (TakeResult, error) {
	result, due, err := x.due(ctx)
	if err != nil || !due {
		return result, err
	}
	idle := TakeResult{OnArrival: result.OnArrival, Wait: busyWait}
	var take *Take
	var decision Decision
	read := func(tx *gorm.DB) (worth bool, err error) {
		result, take, decision = idle, nil, Decision{}
		run, err := x.s.lockRun(tx)
		if err != nil || run == nil {
			return false, err
		}
		if take, err = x.take(tx, run.NextAt, limit); err != nil || take == nil {
			return false, err
		}
		if len(take.Events) > 0 {
			decision, err = decide(*take)
		}
		return err == nil, err
	}
	write := func(tx *gorm.DB) error {
		if err := x.s.stillSame(tx, *take); err != nil {
			return err
		}
		return x.storeTake(tx, *take, decision, &result)
	}
	if err = x.s.readThenWrite(ctx, read, write); errors.Is(err, errChanged) {
		// Frequent edits must not delay dispatch.
		err = x.s.db.Tx(ctx, func(tx *gorm.DB) error { return readAndWrite(tx, read, write) })
	}
	return result, err
}

// readThenWrite is a transaction for work that reads much before it writes. On
// SQLite, where a transaction blocks all other writes, it reads before the
// transaction; write therefore checks whether the rows are unchanged. Write is
// not called when there is nothing to write.
func (s *Store) readThenWrite(ctx context.Context, read func(tx *gorm.DB) (worth bool, err error), write func(tx *gorm.DB) error) error {
	if s.db.SingleWriter() {
		if worth, err := read(s.db.WithContext(ctx)); err != nil || !worth {
			return err
		}
		return s.db.Tx(ctx, write)
	}
	return s.db.Tx(ctx, func(tx *gorm.DB) error { return readAndWrite(tx, read, write) })
}

func readAndWrite(tx *gorm.DB, read func(tx *gorm.DB) (worth bool, err error), write func(tx *gorm.DB) error) error {
	if worth, err := read(tx); err != nil || !worth {
		return err
	}
	return write(tx)
}

// errChanged says that the basis of a decision has changed.
var errChanged = errors.New("webhooks, settings or events changed while dispatch decided")

// stillSame fails with errChanged when a decision that was made before its
// transaction began may be another one in it.
func (s *Store) stillSame(tx *gorm.DB, t Take) error {
	if !s.db.SingleWriter() {
		return nil // it was made in the transaction, under locks
	}
	version, err := matchVersion(tx, "")
	if err != nil {
		return err
	}
	settings, err := s.Settings.get(tx)
	if err == nil && (version != t.Version || settings != t.Settings) {
		err = errChanged
	}
	return err
}

// storeTake writes the decision, and when dispatch runs next.
func (x *Events) storeTake(tx *gorm.DB, t Take, d Decision, result *TakeResult) (err error) {
	result.Ran, result.Events = true, len(t.Events)
	if len(t.Events) > 0 {
		if result.Lanes, err = x.s.store(tx, t, d); err != nil {
			return err
		}
	}
	next := t.Now.Add(t.Settings.DispatchInterval)
	if result.More = t.full || len(d.Events) < len(t.Events); result.More {
		next = t.Now
	}
	result.Wait = next.Sub(t.Now)
	if t.Settings.DispatchInterval == 0 && !result.More {
		oldest, err := x.oldest(tx)
		if err != nil {
			return err
		}
		result.Wait = untilDue(oldest, t.Settings.DispatchDelay, t.Now)
	}
	return tx.Exec("update dispatch_runs set next_at = ?, last_at = ? where id = 1", next, t.Now).Error
}

// busyWait is how long to leave another instance alone that runs dispatch.
const busyWait = 100 * time.Millisecond

// due looks without a lock whether a run is worth its transaction.
func (x *Events) due(ctx context.Context) (TakeResult, bool, error) {
	db := x.s.db.WithContext(ctx)
	settings, err := x.s.Settings.get(db)
	if err != nil {
		return TakeResult{}, false, err
	}
	now, err := x.s.db.Now(db)
	if err != nil {
		return TakeResult{}, false, err
	}
	if settings.DispatchInterval > 0 {
		var run dispatchRun
		if err := db.Take(&run, 1).Error; err != nil {
			return TakeResult{}, false, err
		}
		wait := min(run.NextAt.Sub(now), settings.DispatchInterval)
		return TakeResult{Wait: wait}, timeToRun(run.NextAt, now, settings.DispatchInterval), nil
	}
	oldest, err := x.oldest(db)
	if err != nil {
		return TakeResult{}, false, err
	}
	wait := untilDue(oldest, settings.DispatchDelay, now)
	return TakeResult{Wait: wait, OnArrival: settings.DispatchDelay == 0}, wait <= 0, nil
}

// untilDue is how long the oldest event waits still; without one, an hour.
func untilDue(oldest *time.Time, delay time.Duration, now time.Time) time.Duration {
	if oldest == nil {
		return time.Hour
	}
	if oldest.After(now.Add(future)) {
		return 0
	}
	return oldest.Add(delay).Sub(now)
}

// timeToRun also runs when the next time lies further ahead than the interval,
// as it does after the clock was set back.
func timeToRun(next, now time.Time, interval time.Duration) bool {
	return !next.After(now) || next.Sub(now) > interval
}

type dispatchRun struct {
	ID     int64
	NextAt time.Time
	LastAt *time.Time
}

// lockRun returns nil when another instance runs now. On PostgreSQL the
// transaction uses indexes from then on: the waiting events grow faster than
// the statistics, and the planner would keep reading the whole of a table that
// was small before.
func (s *Store) lockRun(tx *gorm.DB) (*dispatchRun, error) {
	var run dispatchRun
	res := tx.Raw("select *" + s.db.PreferIndex() + " from dispatch_runs where id = 1" + s.db.SkipLocked()).Scan(&run)
	if res.Error != nil || res.RowsAffected == 0 {
		return nil, res.Error
	}
	return &run, nil
}

func (x *Events) take(tx *gorm.DB, next time.Time, limit int) (*Take, error) {
	settings, err := x.s.Settings.get(tx)
	if err != nil {
		return nil, err
	}
	now, err := x.s.db.Now(tx)
	if err != nil || !timeToRun(next, now, settings.DispatchInterval) && settings.DispatchInterval > 0 {
		return nil, err
	}
	t := &Take{
		Now: now, Settings: settings,
		Webhooks: func() ([]Webhook, int64, error) { return x.s.allWebhooks(tx) },
		Payloads: func(ids []int64) (map[int64][]byte, error) { return x.s.payloads(tx, ids) },
	}
	// Held until the deliveries are stored: a webhook that is moved or deleted
	// meanwhile waits, and then drops them too.
	if t.Version, err = matchVersion(tx, x.s.db.ForShare()); err != nil {
		return nil, err
	}
	// An event from the future was received before the clock was set back.
	const first = " order by since, number limit ?"
	due := func(when string) string {
		return "select * from (select received_at as since, event_id as number from events_waiting where received_at " + when + " ?" + first + ") w"
	}
	t.Events, err = readTaken(tx.Raw("select "+takePayload+" from (select number from ("+due("<=")+" union all "+due(">")+") w"+first+") w"+
		" join events on id = number", now.Add(-settings.DispatchDelay), limit, now.Add(future), limit, limit))
	if err != nil {
		return nil, err
	}
	t.full = len(t.Events) >= limit
	return t, x.partners(tx, t)
}

// takeColumns are the columns that dispatch needs, and takePayload adds the
// payload where the number of events is limited. Payloads of more than 4 KiB
// are left out: 1,000 events may have 256 MiB of them.
const (
	takeColumns   = "id, event_id, type, family, location, community, tags, merge_key, subject, occurred_at, received_at, length(payload)"
	takePayload   = takeColumns + ", case when length(payload) <= 4096 then payload end as payload"
	takeNoPayload = takeColumns + ", null"
)

// readTaken reads events by these columns, without gorm's reflection.
func readTaken(query *gorm.DB) ([]Event, error) {
	rows, err := query.Rows()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []Event
	known := map[string][]string{} // few lists of tags occur again and again
	for rows.Next() {
		var e Event
		var tags string
		err := rows.Scan(&e.ID, &e.EventID, &e.Type, &e.Family, &e.Location, &e.Community, &tags, &e.MergeKey, &e.Subject,
			&e.OccurredAt, &e.ReceivedAt, &e.PayloadBytes, &e.Payload)
		if err != nil {
			return nil, err
		}
		if e.Tags, err = tagList(known, tags); err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, rows.Err()
}

// tagList reads a list of tags, or finds it among those known.
func tagList(known map[string][]string, tags string) (list []string, err error) {
	list, ok := known[tags]
	if !ok {
		err = json.Unmarshal([]byte(tags), &list)
		known[tags] = list
	}
	return list, err
}

// future is how far ahead of the clock a time is that the clock cannot have
// given, unless it was set back since.
const future = time.Minute

func (s *Store) payloads(tx *gorm.DB, ids []int64) (map[int64][]byte, error) {
	found := make(map[int64][]byte, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	var rows []Event
	if err := tx.Select("id, payload").Find(&rows, "id in "+s.db.JSONList("bigint"), db.JSON(ids)).Error; err != nil {
		return nil, err
	}
	for _, e := range rows {
		found[e.ID] = e.Payload
	}
	return found, nil
}

// partners adds the events that merge with those taken, however young. The
// newest of a key decides, so all of them must go together.
func (x *Events) partners(tx *gorm.DB, t *Take) error {
	taken := make(map[int64]bool, len(t.Events))
	keys := map[string]struct{}{}
	for _, e := range t.Events {
		taken[e.ID] = true
		if e.MergeKey != "" {
			keys[e.MergeKey] = struct{}{}
		}
	}
	// One text of them all is read sooner than a row for each.
	var waiting string
	err := tx.Raw("select coalesce(string_agg(cast(event_id as text), ','), '') from events_waiting"+
		" where merge_key <> '' and "+x.s.db.In("merge_key", "text"), db.JSON(slices.Collect(maps.Keys(keys)))).Scan(&waiting).Error
	if err != nil {
		return err
	}
	var younger []int64
	for id := range strings.SplitSeq(waiting, ",") {
		if id == "" {
			continue
		}
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return err
		}
		if !taken[n] {
			younger = append(younger, n)
		}
	}
	if len(younger) > 0 {
		// Dispatch alone marks events, and this is it: they still wait.
		more, err := readTaken(tx.Raw("select "+takeNoPayload+" from events where id in "+x.s.db.JSONList("bigint"), db.JSON(younger)))
		if err != nil {
			return err
		}
		t.Events = append(t.Events, more...)
	}
	slices.SortFunc(t.Events, func(a, b Event) int {
		if c := a.ReceivedAt.Compare(b.ReceivedAt); c != 0 {
			return c
		}
		return int(a.ID - b.ID)
	})
	return nil
}

func (x *Events) oldest(tx *gorm.DB) (*time.Time, error) {
	var w eventWaiting
	res := tx.Select("received_at").Order("received_at, event_id").Limit(1).Find(&w)
	if res.Error != nil || res.RowsAffected == 0 {
		return nil, res.Error
	}
	return &w.ReceivedAt, nil
}

// store writes a decision: that the events were dispatched, deliveries,
// triggers, lanes.
func (s *Store) store(tx *gorm.DB, t Take, d Decision) ([]LaneRef, error) {
	if err := s.markDispatched(tx, t, d); err != nil {
		return nil, err
	}
	if err := s.storeDeliveries(tx, t, d); err != nil {
		return nil, err
	}
	filled := map[int64]struct{}{}
	for _, n := range d.Deliveries {
		filled[n.WebhookID] = struct{}{}
	}
	return s.fillLanes(tx, filled, t.Now)
}

// storeDeliveries stores the built deliveries, and those that could not be
// built, with triggers.
func (s *Store) storeDeliveries(tx *gorm.DB, t Take, d Decision) error {
	var triggers []Trigger
	err := db.Chunks(s.db, d.Deliveries, func(part []NewDelivery) error {
		ids, err := s.insertDeliveries(tx, part, t.Now)
		for i, id := range ids {
			for _, event := range part[i].Events {
				triggers = append(triggers, Trigger{EventID: event, WebhookID: part[i].WebhookID, DeliveryID: id, At: t.Now})
			}
		}
		return err
	})
	if err != nil || !t.Settings.TriggerHistory {
		return err
	}
	return db.Chunks(s.db, triggers, func(part []Trigger) error {
		return s.db.Insert(tx, db.Insertion{Into: "insert into triggers (event_id, webhook_id, delivery_id, at)"}, nil,
			db.ColumnOf(part, func(t Trigger) int64 { return t.EventID }),
			db.ColumnOf(part, func(t Trigger) int64 { return t.WebhookID }),
			db.ColumnOf(part, func(t Trigger) int64 { return t.DeliveryID }),
			db.ColumnOf(part, func(t Trigger) time.Time { return t.At }))
	})
}

// insertDeliveries returns the ids in the order of the rows.
func (s *Store) insertDeliveries(tx *gorm.DB, rows []NewDelivery, now time.Time) (ids []int64, err error) {
	at := func(built bool) db.Column { // the time where it was built, or was not
		return db.ColumnOf(rows, func(n NewDelivery) *time.Time {
			if built == (n.Unbuilt == "") {
				return &now
			}
			return nil
		})
	}
	insert := db.Insertion{
		Into: "insert into deliveries (public_id, webhook_id, location, event_types, items, state, due_at, " +
			"created_at, finished_at, reason, body, resend, tries, round, last_code, last_error, last_ms)",
		Fixed: ", false, 0, 0, 0, '', 0",
		After: " returning id",
	}
	scan := func(found *sql.Rows) error {
		ids = append(ids, 0)
		return found.Scan(&ids[len(ids)-1])
	}
	err = s.db.Insert(tx, insert, scan,
		db.ColumnOf(rows, func(n NewDelivery) string { return n.PublicID }),
		db.ColumnOf(rows, func(n NewDelivery) int64 { return n.WebhookID }),
		db.ColumnOf(rows, func(n NewDelivery) string { return n.Location }),
		db.ColumnOf(rows, func(n NewDelivery) string { return n.EventTypes }),
		db.ColumnOf(rows, func(n NewDelivery) int { return n.Items }),
		db.ColumnOf(rows, func(n NewDelivery) string {
			if n.Unbuilt != "" {
				return DeliveryFailed
			}
			return DeliveryPending
		}),
		at(true),
		db.ColumnOf(rows, func(NewDelivery) time.Time { return now }),
		at(false),
		db.ColumnOf(rows, func(n NewDelivery) string { return n.Unbuilt }),
		db.ColumnOf(rows, func(n NewDelivery) []byte {
			if n.Unbuilt != "" {
				return []byte{}
			}
			return n.Body
		}))
	if err == nil && len(ids) != len(rows) {
		err = errors.New("the database did not give each delivery an id")
	}
	return ids, err
}
