package triggers

import (
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

// findTriggerEvent leads to the event with a sender's id, in the location that
// was given, or in that of the webhook that is asked about. When several
// locations have the id, it leads to the list of these events.
func (s *Pages) findTriggerEvent(c *gin.Context, id string) error {
	requested, err := s.webhookQuestion(c)
	if err != nil {
		return err
	}
	location := c.Query("location")
	found, err := s.Store.Events.Named(c.Request.Context(), s.Within(c), id, eventsShown)
	if err != nil {
		return err
	}
	if len(found) > 1 && location == "" && requested != nil {
		location = requested.Webhook.Location
	}
	if e, ok := oneEvent(found, location); ok {
		path := web.TriggerPath(e.ID)
		if requested != nil {
			path = questionAbout(requested.Webhook.ID, e.ID)
		}
		return s.Redirect(c, path)
	}
	switch {
	case len(found) > 1 && c.Query("location") == "":
		return s.Redirect(c, web.TriggersPath+"?"+url.Values{"q": {id}}.Encode())
	case requested != nil:
		return s.triggerUnknown(c, id)
	}
	return web.NotFound("There is no event with this ID. Either the site did not report it, or it is older than the retention period.")
}

// oneEvent is the only event, or the one of a location; location may be empty.
func oneEvent(events []models.Event, location string) (models.Event, bool) {
	for _, e := range events {
		if e.Location == location || location == "" && len(events) == 1 {
			return e, true
		}
	}
	return models.Event{}, false
}
