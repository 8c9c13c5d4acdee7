package sources

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

type requestPage struct {
	web.Page
	Line    requestLine
	Source  models.Source
	Headers [][2]string
	Body    []deliveries.CodePart // empty: it is not kept, or not for the reader
	Bytes   int
	Events  []eventLine
	CanRead bool // it can be read again
}

// eventLine leads from a request to an event in the trigger history.
type eventLine struct{ ID, Path string }

func (s *Pages) requestFromPath(c *gin.Context) (models.SourceRow, models.SourceRequest, error) {
	row, err := s.row(c)
	if err != nil {
		return row, models.SourceRequest{}, err
	}
	id, _ := web.Positive(c.Param("id"))
	r, err := s.Store.Sources.Request(c.Request.Context(), row.Name, id)
	return row, r, err
}

// Request is the page of one request of a source.
func (s *Pages) Request(c *gin.Context) error {
	row, r, err := s.requestFromPath(c)
	if err != nil {
		return err
	}
	user, _ := web.UserOf(c)
	p := &requestPage{
		Page: web.Page{Title: "Request " + web.FormatID(r.ID), Nav: nav}, Line: lineOf(r), Source: row.Source,
		Bytes: len(r.Body), CanRead: r.Verified && len(r.Body) > 0 && s.Inbound != nil,
	}
	if err := json.Unmarshal(r.Headers, &p.Headers); err != nil && len(r.Headers) > 0 {
		return err
	}
	if user.Role == models.RoleAdministrator {
		p.Body = deliveries.PrettyCode(r.Body)
	}
	for _, id := range r.EventIDs {
		q := url.Values{"id": {id}, "location": {row.Location}}
		p.Events = append(p.Events, eventLine{id, "/admin/trigger-history?" + q.Encode()})
	}
	return s.Render(c, http.StatusOK, "source_request", p)
}

// ReadAgain reads a request again, as the source is now, and stores its events.
func (s *Pages) ReadAgain(c *gin.Context) error {
	row, r, err := s.requestFromPath(c)
	if err != nil {
		return err
	}
	if !r.Verified || len(r.Body) == 0 || s.Inbound == nil {
		return web.Unusable("This request cannot be read again, because it was not verified and its body is not kept.")
	}
	if err := s.Inbound.Again(c.Request.Context(), row.Source, &r); err != nil {
		return err
	}
	line := lineOf(r)
	flash := web.Flash{Kind: "success", Text: "Read again. " + line.Badge.Text + ": " + line.Result}
	if r.State != models.RequestAccepted {
		flash.Kind = "warning"
	}
	return s.Redirect(c, line.Path, flash)
}
