package jobs

import "github.com/sitehooks/sitehooks/models"

// group is the events of one merge key, or a single event that never merges.
type group struct {
	newest models.Event
	older  []models.Event
}

// merge puts events together that have the same merge key: the newest content
// wins, by when it occurred, then by when it was received. Groups stand in the
// order in which their first event was received.
func merge(events []models.Event) []group {
	groups := make([]group, 0, len(events))
	at := map[string]int{}
	for _, e := range events {
		i, known := at[e.MergeKey]
		if e.MergeKey == "" || !known {
			at[e.MergeKey] = len(groups)
			groups = append(groups, group{newest: e})
			continue
		}
		g := &groups[i]
		// Events come in order of receipt, so an equal time is a newer one.
		if e.OccurredAt.Before(g.newest.OccurredAt) {
			g.older = append(g.older, e)
			continue
		}
		g.older = append(g.older, g.newest)
		g.newest = e
	}
	return groups
}
