package deliveries

import (
	"net/url"
	"strconv"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/models"
)

type deliveryPage struct {
	web.Page
	Row      models.DeliveryRow
	Badge    web.Badge
	Note     string
	Format   string // the webhook's type in words
	Location string
	Now      time.Time
	Attempts []attemptLine
	Schedule deliverySchedule
	Shown    *attemptView
	Tab      string   // request or response
	Curl     string   // the shown attempt as a command; empty: it is not offered
	Hidden   []string // headers that it lacks, because their values are sensitive
	Raw      bool
	Body     []CodePart
	Size     int // of the body, in bytes
	Events   []web.EventRef
	Refused  string // why a resend was refused; empty: none was
	// CannotResend says why the button is missing; empty: it is there. Switch
	// is the setting that is the reason, if one is.
	CannotResend, Switch string
	Refreshes            bool // until the attempt that was asked for is recorded
	Moved                bool // the webhook listens to another location by now
	Erased               bool // its content was removed on request
}

// Gone tells that the webhook has no page any more.
func (p *deliveryPage) Gone() bool { return p.Row.Webhook.DeletedAt != nil }

// Sending tells that an attempt is due now or under way.
func (p *deliveryPage) Sending() bool {
	return !p.Row.Held && p.Row.DueAt != nil && !p.Row.DueAt.After(p.Now)
}

// URL is the page's own address with an attempt, a tab and raw or not. Without a
// tab the page opens on the response if the attempt failed.
func (p *deliveryPage) URL(attempt int, tab string, raw bool) string {
	v := url.Values{"attempt": {strconv.Itoa(attempt)}}
	if tab != "" {
		v.Set("tab", tab)
	}
	if raw {
		v.Set("raw", "1")
	}
	return Path(p.Row.PublicID) + "?" + v.Encode()
}

// Here is the page's own address with another tab, or the body raw or not.
func (p *deliveryPage) Here(tab string, raw bool) string { return p.URL(p.Shown.Number, tab, raw) }

// Path is the address of a delivery's page.
func Path(publicID string) string { return "/admin/deliveries/" + url.PathEscape(publicID) }

// Held is why it waits without a time, as a sentence begins.
func (p *deliveryPage) Held() string { return web.Capitalized(p.Row.HeldWhy) }

// LastAnswer is how the newest attempt ended, in words.
func (p *deliveryPage) LastAnswer() string {
	if code := p.Row.LastCode; code != 0 {
		return StatusText(code)
	}
	return "none: " + FaultOf(p.Row.LastError).Word
}

// NextNumber is the number of the next attempt.
func (p *deliveryPage) NextNumber() int { return p.Row.Tries + 1 }

// NextClock is when the next attempt is.
func (p *deliveryPage) NextClock() string { return Clock(*p.Schedule.Next, p.Now) }

// NextIn is how long that is from now.
func (p *deliveryPage) NextIn() string {
	if wait := p.Schedule.Next.Sub(p.Now); wait > 0 {
		return web.Ago(-wait)
	}
	return "due now"
}

// shownBody is a body with the data of its heading.
type shownBody struct {
	ID, Aside, Other string
	Raw, Hidden      bool
	Parts            []CodePart
}

// RequestBody is the body of the request, the same on every attempt.
func (p *deliveryPage) RequestBody() shownBody {
	b := shownBody{ID: "req-body", Aside: "the same for every attempt", Raw: p.Raw, Hidden: !p.Admin(), Parts: p.Body}
	b.Other = Path(p.Row.PublicID)
	if !p.Raw {
		b.Other += "?raw=1"
	}
	if p.Shown != nil {
		b.Other = p.Here("request", !p.Raw)
	}
	return b.hide()
}

// ResponseBody is the body of the response to the attempt that is shown.
func (p *deliveryPage) ResponseBody() shownBody {
	b := shownBody{ID: "res-body", Other: p.Here("response", !p.Raw), Raw: p.Raw, Hidden: !p.Admin(), Parts: p.Shown.Body}
	if p.Shown.Longer {
		b.Aside = "truncated"
	}
	return b.hide()
}

// hide leaves nothing of a body that the reader may not see.
func (b shownBody) hide() shownBody {
	if b.Hidden {
		b.Parts = nil
	}
	return b
}
