package deliveries

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

const (
	// ResendPath is the address of the question whether to resend the
	// deliveries that match the filter.
	ResendPath   = "/admin/deliveries/resend"
	resentPath   = "/admin/deliveries/resent"
	resentReload = 2 // seconds between two looks at the progress
)

// ResendMany asks before it resends all deliveries that match the filter, and
// says how many they are. The filter can select a webhook's failed deliveries,
// or those since a time.
func (s *Pages) ResendMany(c *gin.Context) error {
	now, err := s.Store.Now(c.Request.Context())
	if err != nil {
		return err
	}
	p, _, err := s.resendQuestion(c, now)
	if err != nil {
		return err
	}
	return s.Confirm(c, p)
}

// resendQuestion reads the filter as of a time and counts the matching
// deliveries.
func (s *Pages) resendQuestion(c *gin.Context, now time.Time) (*web.ConfirmPage, models.DeliveryQuery, error) {
	ctx := c.Request.Context()
	values := c.Request.URL.Query()
	q, filter, faults := parseDeliveryQuery(values, now)
	if len(faults) > 0 {
		// A value that was left out would match more than was asked for.
		return nil, q, web.Unusable(strings.ReplaceAll(strings.Join(faults, " "), ", so it was ignored", "") + " Nothing was sent.")
	}
	q.Within = s.Within(c)
	can, err := s.Store.Deliveries.Resendable(ctx, q)
	if err != nil {
		return nil, q, err
	}
	selection, err := s.selection(c, filter, values)
	if err != nil {
		return nil, q, err
	}
	back := web.OlderURL("/admin/deliveries", values, 0)
	p := &web.ConfirmPage{
		Page:  web.Page{Title: "Resend " + web.Plural(can.Send, "delivery", "deliveries") + "?", Nav: "deliveries"},
		Crumb: "Deliveries", CrumbPath: "/admin/deliveries", Back: back,
		Action: web.OlderURL(ResendPath, values, 0), Fields: []web.ConfirmField{{Name: "through", Value: web.FormatID(can.Through)}, {Name: "floor", Value: web.FormatID(can.From)}, {Name: "now", Value: web.FormatID(now.UnixMicro())}},
	}
	if can.From > 0 {
		p.Older = web.OlderURL(ResendPath, values, can.From)
	}
	p.Narrow = &web.ConfirmSince{Path: ResendPath, From: filter.From}
	for _, name := range []string{"webhook", "location", "id", "state", "code", "error", "type", "to"} {
		if value := values.Get(name); value != "" {
			p.Narrow.Fields = append(p.Narrow.Fields, web.ConfirmField{Name: name, Value: value})
		}
	}
	p.Lines = append(p.Lines, "Selection: "+selection+".")
	p.Lines = append(p.Lines, resendLines(can)...)
	if can.Send == 0 {
		p.Title = "Nothing to resend"
	} else {
		p.Button = "Resend " + wording.Count(can.Send)
	}
	return p, q, nil
}

// resendLines describe the deliveries that would be sent and those that would
// not.
func resendLines(can models.Resendable) []string {
	var lines []string
	if can.Send == 0 {
		lines = append(lines, "There is nothing to resend.")
	} else {
		lines = append(lines, "Each is sent once more with the same ID and body, without automatic retries, at up to 20 per second per webhook.")
	}
	if can.From > 0 {
		lines = append(lines, "Searched "+wording.Count(models.ScanMax)+" deliveries. Older ones may match too. Resend these first, then search older.")
	}
	if can.Waiting > 0 {
		lines = append(lines, web.Plural(can.Waiting, "is already waiting to be sent and is skipped.", "are already waiting to be sent and are skipped."))
	}
	if can.Blocked > 0 {
		lines = append(lines, web.Plural(can.Blocked, "cannot be sent because its webhook is paused, broken, switched off, moved or deleted.",
			"cannot be sent because their webhooks are paused, broken, switched off, moved or deleted."))
	}
	return lines
}

// resendForm identifies the deliveries of the question: Through and Floor
// exclude rows that were not searched, and Now is the time from which a span
// such as the last hour is counted.
type resendForm struct {
	Through web.Number  `form:"through" binding:"gt=0"`
	Floor   *web.Number `form:"floor" binding:"required,gte=0"`
	Now     web.Number  `form:"now" binding:"gt=0"`
}

// ResendManyPost resends the deliveries of the question.
func (s *Pages) ResendManyPost(c *gin.Context) error {
	var form resendForm
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	p, q, err := s.resendQuestion(c, time.UnixMicro(int64(form.Now)).UTC())
	if err != nil {
		return err
	}
	requested := models.Resendable{Through: int64(form.Through), From: int64(*form.Floor)}
	resent, err := s.Store.Deliveries.ResendAll(c.Request.Context(), web.ActorOf(c), q, requested, strings.TrimSuffix(p.Lines[0], "."))
	if err != nil {
		return err
	}
	if resent.Total == 0 {
		p.Fault = "Nothing was sent, because none of these deliveries can be sent now."
		return s.Confirm(c, p)
	}
	s.OnChange()
	v := url.Values{"at": {strconv.FormatInt(resent.At.UnixMicro(), 10)}, "total": {web.FormatID(resent.Total)}, "back": {p.Back}}
	return s.Redirect(c, resentPath+"?"+v.Encode())
}

type resentPage struct {
	web.Page
	Total, Left, Held int64
	Most              int64 // of those left that can be sent, to one webhook
	At                time.Time
	Back              string
}

// Done is how many had their attempt.
func (p *resentPage) Done() int64 { return max(0, p.Total-p.Left) }

// Percent is how much that is.
func (p *resentPage) Percent() int64 { return p.Done() * 100 / max(1, p.Total) }

// About is how long the rest takes at least, in words: webhooks do not wait for
// each other.
func (p *resentPage) About() string { return wording.PacedWords(p.Most) }

// Refresh is after how many seconds the page loads itself again; 0: never,
// because nothing goes on.
func (p *resentPage) Refresh() int {
	if p.Left <= p.Held {
		return 0
	}
	return resentReload
}

// Sentence says how far it is.
func (p *resentPage) Sentence() string {
	return fmt.Sprintf("%s of %s done", wording.Count(p.Done()), web.Plural(p.Total, "delivery", "deliveries"))
}

// Resent shows how far a resending is. Everything it needs to know
// is in its address.
func (s *Pages) Resent(c *gin.Context) error {
	at, ok := web.Positive(c.Query("at"))
	total, known := web.Positive(c.Query("total"))
	if !ok || !known {
		return web.NotFound("This address does not name a set of resent deliveries.")
	}
	p := &resentPage{
		Page:  web.Page{Title: "Resending", Nav: "deliveries"},
		Total: total, At: time.UnixMicro(at).UTC(), Back: web.LocalPath(c.Query("back")),
	}
	if !strings.HasPrefix(p.Back, "/admin/deliveries") {
		p.Back = "/admin/deliveries"
	}
	left, err := s.Store.Deliveries.Unsent(c.Request.Context(), s.Within(c), p.At)
	if err != nil {
		return err
	}
	p.Left, p.Held, p.Most = left.N, left.Held, left.Most
	if seconds := p.Refresh(); seconds > 0 {
		c.Header("Refresh", strconv.Itoa(seconds))
	}
	return s.Render(c, http.StatusOK, "deliveries_resent", p)
}
