package sources

import (
	"html/template"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/docs"
	"github.com/sitehooks/sitehooks/handlers/receivers"
	"github.com/sitehooks/sitehooks/handlers/web"
)

// GuidesPath is the address of the guides that connect other systems.
const GuidesPath = "/developer/sources"

type guidePage struct {
	web.Page
	Text template.HTML
}

// Guide shows how to connect a kind of source, or a follower. Guides name one
// another by their files.
func (s *Pages) Guide(c *gin.Context) error {
	kind := strings.TrimSuffix(c.Param("kind"), ".md")
	text, err := docs.Sources.ReadFile("sources/" + kind + ".md")
	if err != nil {
		return web.NotFound("There is no guide of this name.")
	}
	guide, err := receivers.Render(text)
	if err != nil {
		return err
	}
	return s.Render(c, http.StatusOK, "source_guide", &guidePage{web.Page{Title: guide.Title, Nav: nav}, guide.Text})
}
