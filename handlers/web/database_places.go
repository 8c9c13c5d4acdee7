package web

import (
	"context"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/limit"
)

// newQueries shares the database's connections among pages by member. Two of
// five are reserved for the APIs, exports and jobs. A member gets a sixth of
// the rest, and at least two.
func newQueries(connections int) *limit.Limiter {
	places := max(1, connections*3/5)
	return limit.New(limit.Config{Places: places, PerFlow: max(2, places/6), Queue: pagesAtOnce, Wait: BusyWait})
}

// queryPlace is the place of a request that uses the database, kept in its
// context. It belongs to the goroutine of the request.
type queryPlace struct {
	queries *limit.Limiter
	member  string
	place   *limit.Place // nil: none now
}

type queryPlaceKey struct{}

// Querying runs the rest of a request in a place among those that use the
// database. The place is held neither while the form arrives, nor while a
// receiver is waited for, nor while the page is sent: see untimed and
// pageWriter.
func (s *Site) Querying(c *gin.Context) {
	if c.Request.Method == http.MethodPost {
		if err := ParseForm(c); err != nil {
			s.Fail(c, err)
			return
		}
	}
	q := &queryPlace{queries: s.Queries, member: MemberFlow(c)}
	if err := q.acquire(c.Request.Context()); err != nil {
		s.Fail(c, Busy(err))
		return
	}
	defer q.release()
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), queryPlaceKey{}, q))
	c.Next()
}

func (q *queryPlace) acquire(ctx context.Context) (err error) {
	q.place, err = q.queries.Acquire(ctx, q.member)
	return err
}

func (q *queryPlace) release() {
	if q.place != nil {
		q.place.Release()
		q.place = nil
	}
}

// queryPlaceOf is the place of a request; nil: it has none.
func queryPlaceOf(ctx context.Context) *queryPlace {
	q, _ := ctx.Value(queryPlaceKey{}).(*queryPlace)
	return q
}
