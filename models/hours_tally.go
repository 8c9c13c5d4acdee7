package models

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Tally counts the delivered and failed attempts of an hour, or from an hour on.
type Tally struct {
	Hour              time.Time // its start, in UTC
	Delivered, Failed int64
}

// Tallies returns the hours of webhooks since a time, in no order, by webhook.
// The list asks for a day of each of its webhooks, and a row for each hour
// would cost more than all else on the page: the database writes the hours of
// a webhook as one text.
func (x *Webhooks) Tallies(ctx context.Context, ids []int64, since time.Time) (_ map[int64][]Tally, err error) {
	defer wrap(&err, "read tallies of webhooks")
	if len(ids) == 0 {
		return map[int64][]Tally{}, nil
	}
	hours := x.s.db.TextColumn("string_agg(" + x.s.db.EpochHours("hour") + " || ' ' || delivered || ' ' || failed, ',')")
	var rows []struct {
		WebhookID int64
		Hours     string
	}
	err = x.s.db.WithContext(ctx).Raw("select webhook_id, "+hours+" as hours from webhook_hours where webhook_id in ? and hour >= ? group by webhook_id",
		ids, since.UTC().Truncate(time.Hour)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	byID := make(map[int64][]Tally, len(rows))
	for _, row := range rows {
		if byID[row.WebhookID], err = tallies(row.WebhookID, row.Hours); err != nil {
			return nil, err
		}
	}
	return byID, nil
}

// Sums returns the attempts of webhooks since a time, added up, by webhook. One
// without attempts has none.
func (x *Webhooks) Sums(ctx context.Context, ids []int64, since time.Time) (_ map[int64]Tally, err error) {
	defer wrap(&err, "add up attempts of webhooks")
	if len(ids) == 0 {
		return map[int64]Tally{}, nil
	}
	var rows []struct{ WebhookID, Delivered, Failed int64 }
	err = x.s.db.WithContext(ctx).Raw(`
		select webhook_id, cast(sum(delivered) as bigint) as delivered, cast(sum(failed) as bigint) as failed
		from webhook_hours where webhook_id in ? and hour >= ? group by webhook_id`, ids, since.UTC().Truncate(time.Hour)).Scan(&rows).Error
	sums := make(map[int64]Tally, len(rows))
	for _, r := range rows {
		sums[r.WebhookID] = Tally{Hour: since.UTC().Truncate(time.Hour), Delivered: r.Delivered, Failed: r.Failed}
	}
	return sums, err
}

// tallies reads the text in which the database returns tallies.
func tallies(id int64, text string) ([]Tally, error) {
	hours := make([]Tally, 0, strings.Count(text, ",")+1)
	var numbers [3]int64
	at := 0
	for _, c := range text + "," {
		switch {
		case c >= '0' && c <= '9':
			numbers[at] = numbers[at]*10 + int64(c-'0')
		case c == ' ' && at < 2:
			at++
		case c == ',' && at == 2:
			hours = append(hours, Tally{time.Unix(numbers[0]*3600, 0).UTC(), numbers[1], numbers[2]})
			numbers, at = [3]int64{}, 0
		default:
			return nil, fmt.Errorf("hours of webhook %d: %q is no tally", id, text)
		}
	}
	return hours, nil
}
