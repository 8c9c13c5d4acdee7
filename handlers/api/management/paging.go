package management

import (
	"context"
	"strconv"
	"time"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/jobs/wire"
)

const (
	limitUsual = 50
	limitMost  = 200
)

// paging is the part of a list's query that selects a page.
type paging struct {
	Limit  Count  `form:"limit" binding:"omitempty,gte=1,lte=200" doc:"How many to list, 50 when absent"`
	Cursor string `form:"cursor" binding:"max=1000,line" doc:"next of the page before"`
}

// Count is a whole number in a query; -1: it is none.
type Count int

// UnmarshalParam never fails: the rules refuse -1.
func (n *Count) UnmarshalParam(text string) error {
	number, err := strconv.Atoi(text)
	if *n = Count(number); err != nil || number < 1 {
		*n = -1
	}
	return nil
}

func (p paging) limit() int {
	if p.Limit == 0 {
		return limitUsual
	}
	return int(p.Limit)
}

// before is the number that a list goes on below; 0: from its beginning.
func (p paging) before() (int64, error) {
	if p.Cursor == "" {
		return 0, nil
	}
	n, is := rules.Positive(p.Cursor)
	if !is {
		return 0, badCursor
	}
	return n, nil
}

// after is the cursor that goes on below a number; nil: there is nothing more.
func after(n int64) *string {
	if n == 0 {
		return nil
	}
	return new(strconv.FormatInt(n, 10))
}

var badCursor = invalid("cursor", "This is not the next of a page of this list. Begin without a cursor.")

func init() {
	rules.Add(map[string]func(value string) bool{
		"webhook_type": func(value string) bool { _, known := wire.Lookup(value); return known },
		"rfc3339":      func(value string) bool { _, err := time.Parse(time.RFC3339, value); return err == nil },
	})
}

// storing is the request's context without its end: once a change is stored, the
// client hears of it.
func (c *call) storing() context.Context { return context.WithoutCancel(c.ctx) }
