package models

import "context"

// Matched counts the webhooks that each of these events matched, as the
// trigger history has it; one that matched none is left out. With a webhook it
// counts that one alone; 0: all.
func (x *Events) Matched(ctx context.Context, ids []int64, webhook int64) (map[int64]int64, error) {
	matched := map[int64]int64{}
	if len(ids) == 0 {
		return matched, nil
	}
	query := x.s.db.WithContext(ctx).Model(&Trigger{}).Select("event_id, count(*) as n").Where("event_id in ?", ids).Group("event_id")
	if webhook != 0 {
		query = query.Where("webhook_id = ?", webhook)
	}
	var counts []struct{ EventID, N int64 }
	err := query.Find(&counts).Error
	for _, c := range counts {
		matched[c.EventID] = c.N
	}
	return matched, err
}
