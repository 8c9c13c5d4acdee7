package models

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Tallies returns what was delivered and what failed in the hours of webhooks
// since a time, oldest first, by webhook. The list asks for a day of each of
// its webhooks, and a row for each hour would cost more than all else on the
// page: the database writes the hours of a webhook as one text.
func (x *Webhooks) Tallies(ctx context.Context, ids []int64, since time.Time) (map[int64][]WebhookHour, error) {
	if len(ids) == 0 {
		return map[int64][]WebhookHour{}, nil
	}
	number := "(hour / 3600000000)"
	if x.s.pool != nil {
		number = "(cast(date_part('epoch', hour) as bigint) / 3600)"
	}
	var rows []struct {
		WebhookID int64
		Hours     string
	}
	err := x.s.db.WithContext(ctx).Raw("select webhook_id, string_agg("+number+" || ' ' || delivered || ' ' || failed, ',' order by hour) as hours"+
		" from webhook_hours where webhook_id in ? and hour >= ? group by webhook_id",
		ids, since.UTC().Truncate(time.Hour)).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	byID := make(map[int64][]WebhookHour, len(rows))
	for _, row := range rows {
		if byID[row.WebhookID], err = tallies(row.WebhookID, row.Hours); err != nil {
			return nil, err
		}
	}
	return byID, nil
}

// tallies reads what Tallies had the database write.
func tallies(id int64, text string) ([]WebhookHour, error) {
	hours := make([]WebhookHour, 0, strings.Count(text, ",")+1)
	for part := range strings.SplitSeq(text, ",") {
		var numbers [3]int64
		for i := range numbers {
			var word string
			word, part, _ = strings.Cut(part, " ")
			n, err := strconv.ParseInt(word, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("hours of webhook %d: %w", id, err)
			}
			numbers[i] = n
		}
		hours = append(hours, WebhookHour{
			WebhookID: id, Hour: time.Unix(numbers[0]*3600, 0).UTC(), Delivered: numbers[1], Failed: numbers[2],
		})
	}
	return hours, nil
}
