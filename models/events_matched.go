package models

import "context"

// Matched counts the webhooks that each of these events matched, as the
// trigger history has it, without those it was sent to by hand; one that matched
// none is left out. With a webhook it
// counts that one alone; 0: all.
func (x *Events) Matched(ctx context.Context, ids []int64, webhook int64) (_ map[int64]int64, err error) {
	defer wrap(&err, "count matched webhooks")
	matched := map[int64]int64{}
	if len(ids) == 0 {
		return matched, nil
	}
	var counts []struct{ EventID, N int64 }
	// gorm has no union.
	which := "event_id in ? and (? = 0 or webhook_id = ?)"
	err = x.s.db.WithContext(ctx).Raw("select event_id, count(*) as n from (select event_id from deliveries d where "+which+
		" and (select logged from dispatches p where p.id = d.dispatch_id and p.sent_by = '') union all select event_id from triggers where "+which+") m group by event_id",
		ids, webhook, webhook, ids, webhook, webhook).Find(&counts).Error
	for _, c := range counts {
		matched[c.EventID] = c.N
	}
	return matched, err
}
