package models

import "context"

// exportChunk is how many deliveries are held in memory at once.
const exportChunk = 1000

// Each hands over all deliveries that match, newest first and without body, in
// chunks, until there are no more or each returns an error. Its Limit is not
// looked at.
func (x *Deliveries) Each(ctx context.Context, q DeliveryQuery, each func([]DeliveryRow) error) error {
	q.Limit = exportChunk
	for {
		rows, more, err := x.List(ctx, q)
		if err != nil {
			return err
		}
		if err := each(rows); err != nil || !more {
			return err
		}
		q.Before = rows[len(rows)-1].ID
	}
}
