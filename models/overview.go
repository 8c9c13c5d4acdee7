package models

import (
	"context"
	"slices"
	"time"
)

// activeLane is the condition that the webhook of a lane may send, up to one for
// its location. It is looked up for each lane, which are few: joined, the
// databases would read all webhooks.
const activeLane = "(select state = 'active' and deleted_at is null from webhooks where id = lanes.webhook_id and "

// Troubled returns webhooks that need attention, and how many there are: those
// that broke come first, then those that are failing, then paused ones that hold
// deliveries. Held is counted up to HeldMax.
func (x *Webhooks) Troubled(ctx context.Context, within LocationSet, at Snapshot, limit int) (list []WebhookRow, all int64, err error) {
	defer wrap(&err, "list webhooks that need attention")
	var rows []struct {
		Webhook
		Lane
		LocationName string
		Held, Alike  int64
	}
	here, slugs := within.sql("location")
	db := x.s.db.WithContext(ctx)
	// A webhook that is switched off tries nothing, so that it does not fail.
	off, err := x.s.offTypes(db, at.Settings)
	if err != nil {
		return nil, 0, err
	}
	sends, args := "", slugs
	if len(off) > 0 {
		sends, args = "type not in ? and ", append([]any{off}, slugs...)
	}
	err = db.Raw(`
		with troubled as (
			select id, state_at as since, case state when 'broken' then 0 else 2 end as urgency from webhooks
			where state <> 'active' and state in ('broken', 'stopped') and deleted_at is null and `+here+`
				and (state = 'broken' or exists (select 1 from delivery_queue q where q.webhook_id = webhooks.id))
			union all
			select webhook_id, failing_since, 1 from lanes where failures_in_row > 0 and `+laneFailing+` and `+activeLane+sends+here+`)),
		first as (select id, since, urgency, (select count(*) from troubled) as alike from troubled order by urgency, since, id limit ?)
		select w.id, w.type, w.name, w.location, w.state, w.state_reason, w.state_at, w.state_by, l.name as location_name, f.alike,
			n.failures_in_row, n.failing_since, n.last_success_at, n.last_at, n.last_code, n.last_error, n.next_due_at,
			(select count(*) from (select 1 from delivery_queue q where q.webhook_id = w.id limit ?) held) as held
		from first f join webhooks w on w.id = f.id
		left join lanes n on n.webhook_id = w.id left join locations l on l.slug = w.location
		order by f.urgency, f.since, f.id`,
		slices.Concat(slugs, laneFailingArgs(at.Now), args, []any{limit, HeldMax})...).Scan(&rows).Error
	for _, r := range rows {
		all = r.Alike
		list = append(list, WebhookRow{Webhook: r.Webhook, LocationName: r.LocationName, Lane: r.Lane, Held: r.Held})
	}
	return list, all, err
}

// Workload is what dispatch and the queue have to do, and how sources fare.
// Counts stop at DepthMax.
type Workload struct {
	Undispatched int64 // events
	// UndispatchedDay and UndispatchedWeek are how many of these were received
	// since the times that Workload was given.
	UndispatchedDay, UndispatchedWeek int64

	SetAside  int64 // times that dispatch gave up: see Rest
	LastRun   *time.Time
	Waiting   int64      // deliveries, held ones included
	Held      int64      // of these, those whose webhook is paused or broken
	OldestDue *time.Time // since when the oldest due delivery waits; nil: none does
	Broken    int64      // webhooks
	Stopped   int64
	Failing   int64
	Sources   []SourceUse `gorm:"-"` // those with a problem come first, then those with the newest event
}

// SourceUse is a source of events or an ingest token, and how it fares.
type SourceUse struct {
	Name          string     // of the source or the token
	Kind          string     // of the source; empty: it is a token
	LastAt        *time.Time // of its last event; nil: none came so far
	LastReadAt    *time.Time // of a request that was verified and read, or ignored
	SilentSince   *time.Time // since when it has been silent for longer than expected; nil: it has not
	Error         string     // why its newest request was refused, in words; empty: it was not
	BehindSeconds int64      // of a follower, as it said at ReportedAt
	ReportedAt    *time.Time // nil: no follower has reported
	CaughtUpAt    *time.Time // ReportedAt less BehindSeconds
}

// Row is the source as the list of sources has it, as far as it tells how the
// source fares.
func (u SourceUse) Row() SourceRow {
	row := SourceRow{
		Source: Source{Name: u.Name, Kind: u.Kind},
		State:  SourceState{Source: u.Name, LastEventAt: u.LastAt, LastReadAt: u.LastReadAt, Error: u.Error, SilentSince: u.SilentSince},
	}
	if u.ReportedAt != nil && u.CaughtUpAt != nil {
		row.Cursor = &SourceCursor{Source: u.Name, BehindSeconds: u.BehindSeconds, ReportedAt: *u.ReportedAt, CaughtUpAt: *u.CaughtUpAt}
	}
	return row
}

// farBehind is the condition that a follower is as far behind as Trouble has it.
// It takes the times BehindMax and reportsEvery ago, and BehindMax in seconds.
const farBehind = "u.caught_up_at <= ? and (u.reported_at < ? or u.behind_seconds >= ?)"

// sourceUses selects sources and ingest tokens of the locations, as SourceUse has
// them.
func (l LocationSet) sourceUses() (text string, args []any) {
	here, slugs := l.sql("location")
	configured := ""
	if l.All() { // it may report for any location
		configured = " union all select 'SITEHOOKS_INGEST_TOKEN', '', 'token:0' from installations where ingest_token_used_at is not null"
	}
	return `
		select k.name, k.kind, t.last_event_at as last_at, t.last_read_at, t.silent_since, coalesce(t.error, '') as error,
			c.behind_seconds, c.reported_at, c.caught_up_at
		from (
			select name, kind, name as source from sources where ` + here + `
			union all
			select name, '', 'token:' || cast(id as text) from tokens where scope = ? and revoked_at is null and ` + here + configured + `
		) k left join source_states t on t.source = k.source left join source_cursors c on c.source = k.source`, slices.Concat(slugs, []any{ScopeIngest}, slugs)
}

// sourcesMax is how many sources Workload names.
const sourcesMax = 20

// Workload measures the work of some locations. Events that wait are also counted
// from the beginnings of a day and of a week on.
func (s *Store) Workload(ctx context.Context, within LocationSet, at Snapshot, day, week time.Time) (_ Workload, err error) {
	defer wrap(&err, "measure the work")
	here, slugs := within.sql("location")
	uses, usesArgs := within.sourceUses()
	// A lane's own time may be earlier than that of its next delivery. Those that
	// go out slowly are not late.
	var rows []struct {
		Workload
		SourceUse
	}
	err = s.db.WithContext(ctx).Raw(`
		select p.*, w.*, u.*
		from (select count(*) as undispatched, coalesce(sum(case when received_at >= ? then 1 else 0 end), 0) as undispatched_day,
				coalesce(sum(case when received_at >= ? then 1 else 0 end), 0) as undispatched_week
			from (select received_at from pending_events where `+here+` limit ?) e) p
		cross join (select
			(select count(*) from dispatch_rest where set_aside_at is not null and `+here+`) as set_aside,
			(select last_at from dispatch_runs where id = 1) as last_run,
			(select count(*) from (select 1 from delivery_queue where `+within.webhooks("webhook_id")+` limit ?) q) as waiting,
			(select count(*) from (select 1 from webhooks h join delivery_queue q on q.webhook_id = h.id
				where h.state <> 'active' and h.deleted_at is null and `+within.webhooks("h.id")+` limit ?) q) as held,
			(select q.due_at from (select (select due_at from delivery_queue where webhook_id = l.webhook_id and paced = false
					order by due_at, delivery_id limit 1) as due_at from lanes l where l.next_due_at <= ? and `+within.webhooks("l.webhook_id")+`) q
				where q.due_at <= ? order by q.due_at limit 1) as oldest_due,
			(select count(*) from webhooks where state <> 'active' and state = 'broken' and deleted_at is null and `+here+`) as broken,
			(select count(*) from webhooks where state <> 'active' and state = 'stopped' and deleted_at is null and `+here+`) as stopped,
			(select count(*) from lanes where failures_in_row > 0 and `+laneFailing+` and `+activeLane+here+`)) as failing
		) w
		left join (`+uses+`) u on true
		order by case when u.error <> '' or u.silent_since is not null or `+farBehind+` then 0 when u.last_at is not null then 1 else 2 end, u.last_at desc, u.name limit ?`,
		slices.Concat([]any{day, week}, slugs, []any{DepthMax}, slugs, slugs, []any{DepthMax}, slugs, []any{DepthMax, at.Now}, slugs, []any{at.Now},
			slugs, slugs, laneFailingArgs(at.Now), slugs, usesArgs,
			[]any{at.Now.Add(-BehindMax), at.Now.Add(-reportsEvery), int64(BehindMax / time.Second), sourcesMax})...).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return Workload{}, err
	}
	work := rows[0].Workload
	for _, r := range rows {
		if r.Name != "" {
			work.Sources = append(work.Sources, r.SourceUse)
		}
	}
	return work, nil
}
