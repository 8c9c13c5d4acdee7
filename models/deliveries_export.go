package models

import "context"

// exportChunk is how many deliveries are held in memory at once.
const exportChunk = 1000

// Each hands over all deliveries that match, newest first and without body, in
// chunks, until there are no more or each returns an error. Its Limit is not
// looked at. No question looks at more than ScanMax rows for it.
func (x *Deliveries) Each(ctx context.Context, q DeliveryQuery, each func([]DeliveryRow) error) error {
	q.Limit = exportChunk
	for {
		page, err := x.Search(ctx, q)
		if err != nil {
			return err
		}
		if err := each(page.Rows); err != nil || page.Next == 0 {
			return err
		}
		q.Before = page.Next
	}
}
