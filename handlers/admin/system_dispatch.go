package admin

import (
	"context"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// How many locations and how many events set aside the System page names.
const (
	backlogsShown = 10
	asideShown    = 20
)

// dispatchLine is how dispatch stands, for the System page.
type dispatchLine struct {
	Backlogs  []backlogLine // of the locations that have waited longest
	Locations int64         // that have a backlog
	Aside     []asideLine
	More      bool // more was set aside than is named
	Admin     bool
}

type backlogLine struct {
	models.Backlog
	Name string
}

// asideLine is deliveries that dispatch could not store in three tries.
type asideLine struct {
	models.Rest
	Location string
	Path     string // of the first event
}

// dispatchOf reads how dispatch stands.
func (s *Pages) dispatchOf(ctx context.Context, c *gin.Context) (d dispatchLine, err error) {
	user, _ := web.UserOf(c)
	d.Admin = user.Role == models.RoleAdministrator
	backlogs, locations, err := s.Store.Events.Backlogs(ctx, backlogsShown)
	if err != nil {
		return d, err
	}
	d.Locations = locations
	aside, err := s.Store.Events.SetAside(ctx, asideShown+1)
	if err != nil {
		return d, err
	}
	if d.More = len(aside) > asideShown; d.More {
		aside = aside[:asideShown]
	}
	var slugs []string
	for _, b := range backlogs {
		slugs = append(slugs, b.Location)
	}
	for _, r := range aside {
		slugs = append(slugs, r.Location)
	}
	names, err := s.NamesWithin(ctx, s.Within(c), slugs...)
	if err != nil {
		return d, err
	}
	for _, b := range backlogs {
		d.Backlogs = append(d.Backlogs, backlogLine{b, names.Of(b.Location)})
	}
	for _, r := range aside {
		d.Aside = append(d.Aside, asideLine{r, names.Of(r.Location), web.TriggerPath(r.EventIDs[0])})
	}
	return d, nil
}

// DispatchAgainPost has dispatch try again what it set aside.
func (s *Pages) DispatchAgainPost(c *gin.Context) error {
	n, err := s.Store.Events.TryAgain(c.Request.Context(), web.ActorOf(c))
	if err != nil {
		return err
	}
	flash := web.Flash{Kind: "success", Text: "Dispatch tries again what it set aside."}
	if n == 0 {
		flash = web.Flash{Kind: "info", Text: "Nothing is set aside."}
	}
	return s.Redirect(c, "/admin/system", flash)
}
