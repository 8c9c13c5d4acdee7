package models

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"github.com/sitehooks/sitehooks/models/db"
)

// dispatchLocations is how many locations one run works for at most.
const dispatchLocations = 32

// future is how far ahead of the clock a time is that the clock cannot have
// given, unless it was set back since.
const future = time.Minute

// takeTurns finds the locations that have something to do, beginning behind
// the one whose turn was last.
func (d *Dispatch) takeTurns(last string) error {
	var resting []string
	if err := d.read.Model(&Rest{}).Where("set_aside_at is null").Distinct().Pluck("location", &resting).Error; err != nil {
		return err
	}
	d.resting = make(map[string]bool, len(resting))
	for _, location := range resting {
		d.resting[location] = true
	}
	due, err := d.dueAfter("")
	if err == nil && len(due) > dispatchLocations {
		var behind []string
		behind, err = d.dueAfter(last)
		due = append(due, behind...)
	}
	if err != nil {
		return err
	}
	d.locations = slices.Concat(resting, due)
	slices.SortFunc(d.locations, func(a, b string) int {
		if (a > last) != (b > last) {
			return -strings.Compare(a, b) // those behind the last one come first
		}
		return strings.Compare(a, b)
	})
	d.locations = slices.Compact(d.locations)
	if d.all = len(d.locations) <= dispatchLocations; !d.all {
		d.locations = d.locations[:dispatchLocations]
	}
	return nil
}

// dueAfter are locations behind one that have events due, in order, one more
// than a run works for at most.
func (d *Dispatch) dueAfter(location string) (due []string, err error) {
	const has = "exists (select 1 from pending_events p where p.location = l.location and p.received_at "
	return due, d.read.Raw(pendingLocations+" select location from l where location is not null and ("+has+"<= ?) or "+has+"> ?)) limit ?",
		location, d.Now.Add(-d.Settings.DispatchDelay), d.Now.Add(future), dispatchLocations+1).Scan(&due).Error
}

// Due are the oldest events that fell due, shared out among the locations whose
// turn it is, with all that merge with them, in order of receipt. A location
// with rests has none. Long payloads are left out; Payloads reads some.
func (d *Dispatch) Due(limit int) ([]Event, error) {
	locations := slices.DeleteFunc(slices.Clone(d.locations), func(location string) bool { return d.resting[location] })
	if len(locations) == 0 {
		return nil, nil
	}
	events, err := d.due(locations, max(1, limit/len(locations)))
	if err == nil {
		events, err = d.withPartners(events)
	}
	return events, dispatchError(err)
}

func (d *Dispatch) due(locations []string, each int) ([]Event, error) {
	for len(locations)&(len(locations)-1) != 0 { // few lengths, and so few statements
		locations = append(locations, "")
	}
	// An event from the future was received before the clock was set back.
	const first = "select * from (select event_id from pending_events where location = ? and received_at "
	const order = " ? order by received_at, event_id limit ?) w"
	var arms []string
	var args []any
	for _, location := range locations {
		arms = append(arms, first+"<="+order, first+">"+order)
		args = append(args, location, d.Now.Add(-d.Settings.DispatchDelay), each, location, d.Now.Add(future), each)
	}
	events, err := readDue(d.read.Raw("select "+dueColumns+" from ("+strings.Join(arms, " union all ")+") w join events on id = w.event_id", args...))
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, e := range events {
		count[e.Location]++
		d.full = d.full || count[e.Location] >= each
	}
	return events, nil
}

// dueColumns are the columns that dispatch needs. Payloads of more than 4 KiB
// are left out: 1,000 events may have 256 MiB of them.
const dueColumns = "id, events.event_id, type, family, location, community, tags, merge_key, subject, source, via, occurred_at, received_at, length(payload), " +
	"case when length(payload) <= 4096 then payload end as payload"

// readDue reads events by these columns, without gorm's reflection.
func readDue(query *gorm.DB) ([]Event, error) {
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
		err := rows.Scan(&e.ID, &e.EventID, &e.Type, &e.Family, &e.Location, &e.Community, &tags, &e.MergeKey, &e.Subject, &e.Source, &e.Via,
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

// Payloads returns those of events by their ids.
func (d *Dispatch) Payloads(ids []int64) (map[int64][]byte, error) {
	found := make(map[int64][]byte, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	var rows []Event
	if err := d.read.Select("id, payload").Find(&rows, "id in "+d.s.db.JSONList("bigint"), db.JSON(ids)).Error; err != nil {
		return nil, dispatchError(err)
	}
	for _, e := range rows {
		found[e.ID] = e.Payload
	}
	return found, nil
}

// withPartners adds the events that merge with those due, however young. The
// newest of a key decides, so all of them must go together.
func (d *Dispatch) withPartners(events []Event) ([]Event, error) {
	taken := make(map[int64]bool, len(events))
	keys := map[string]struct{}{}
	for _, e := range events {
		taken[e.ID] = true
		if e.MergeKey != "" {
			keys[e.MergeKey] = struct{}{}
		}
	}
	pending, err := d.pendingOf(keys)
	if err != nil {
		return nil, err
	}
	var younger []int64
	for id := range strings.FieldsFuncSeq(pending, func(r rune) bool { return r == ',' }) {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			return nil, err
		}
		if !taken[n] {
			younger = append(younger, n)
		}
	}
	if len(younger) > 0 {
		more, err := d.eventsByID(younger)
		if err != nil {
			return nil, err
		}
		events = append(events, more...)
	}
	slices.SortFunc(events, func(a, b Event) int { return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), cmp.Compare(a.ID, b.ID)) })
	return events, nil
}

// pendingOf lists the ids of the pending events of some merge keys, separated
// by commas: one text of them all is read sooner than a row for each.
func (d *Dispatch) pendingOf(keys map[string]struct{}) (list string, err error) {
	if len(keys) == 0 {
		return "", nil
	}
	err = d.read.Raw("select coalesce(string_agg(cast(event_id as text), ','), '') from pending_events"+
		" where merge_key <> '' and "+d.s.db.In("merge_key", "text"), db.JSON(slices.Collect(maps.Keys(keys)))).Scan(&list).Error
	return list, err
}

func (d *Dispatch) eventsByID(ids []int64) ([]Event, error) {
	// Without payloads: partners may be many, and few of them are sent.
	return readDue(d.read.Raw("select "+strings.Replace(dueColumns, "4096", "0", 1)+" from events where id in "+d.s.db.JSONList("bigint"), db.JSON(ids)))
}

// Webhooks reads all webhooks that are not deleted, and the version of their
// filters.
func (d *Dispatch) Webhooks() ([]Webhook, int64, error) {
	hooks, version, err := d.s.allWebhooks(d.read)
	return hooks, version, dispatchError(err)
}
