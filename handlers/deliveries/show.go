package deliveries

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// Show shows one delivery with every attempt, and one of them in full.
func (s *Pages) Show(c *gin.Context) error {
	p, err := s.deliveryPageOf(c)
	if err != nil {
		return err
	}
	if c.Query("sending") == "1" && p.Sending() {
		p.Refreshes = true
		c.Header("Refresh", strconv.Itoa(resentReload))
	}
	return s.Render(c, http.StatusOK, "delivery", p)
}

func (s *Pages) deliveryPageOf(c *gin.Context) (*deliveryPage, error) {
	ctx := c.Request.Context()
	row, err := s.Store.Deliveries.Get(ctx, s.Within(c), c.Param("id"))
	if err != nil {
		return nil, err
	}
	now, err := s.Store.Now(ctx)
	if err != nil {
		return nil, err
	}
	attempts, err := s.Store.Deliveries.Attempts(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	p := &deliveryPage{
		Page: web.Page{Title: "Delivery of " + web.Moment(row.CreatedAt, now), Nav: "deliveries"},
		Row:  row, Now: now, Badge: Badge(row.Delivery, row.Held),
		Note: Note(row.Delivery, row.HeldWhy, now), Tab: "request", Raw: c.Query("raw") == "1",
	}
	events, err := s.Store.Deliveries.EventsOf(ctx, row.ID)
	if err != nil {
		return nil, err
	}
	p.Events = web.EventRefs(events)
	places, err := s.LocationNames(c, row.Location)
	if err != nil {
		return nil, err
	}
	p.Location = places.Of(row.Location)
	p.fillAttempts(attempts, c.Query("attempt"))
	if tab := c.Query("tab"); tab == "response" || tab == "" && p.Shown != nil && !p.Shown.OK() {
		p.Tab = "response"
	}
	if user, _ := web.UserOf(c); user.Role != models.RoleAdministrator { // the command has the body
		p.Curl, p.Hidden = "", nil
	}
	return p, s.deliveryCanResend(ctx, p)
}

// fillAttempts fills in the parts that follow from the attempts and the type's policy.
func (p *deliveryPage) fillAttempts(attempts []models.Attempt, chosen string) {
	policy := wire.Policy{}
	p.Format = p.Row.Webhook.Type
	if format, ok := wire.Lookup(p.Row.Webhook.Type); ok {
		policy, p.Format = format.Policy, format.Label
	}
	p.Schedule = newDeliverySchedule(p.Row.Delivery, policy, p.Now)
	p.Attempts = attemptLines(p.Row.CreatedAt, attempts, policy)
	body := wire.JoinBody(p.Row.SharedBytes(), p.Row.Body)
	p.Body, p.Size = shownCode(body, p.Raw), len(body)
	if len(attempts) == 0 {
		return
	}
	at := len(attempts) - 1
	for i, a := range attempts {
		if strconv.Itoa(a.Number) == chosen {
			at = i
		}
	}
	p.Attempts[at].Shown = true
	p.Shown = newAttemptView(attempts[at], p.Attempts[at], p.Raw)
	if !p.Row.Erased() {
		p.Curl, p.Hidden = curlCommand(attempts[at], body)
	}
}

func shownCode(body []byte, raw bool) []CodePart {
	if raw {
		return plainCode(body)
	}
	return PrettyCode(body)
}
