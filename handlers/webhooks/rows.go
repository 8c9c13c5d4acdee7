package webhooks

import (
	"html/template"
	"strconv"
	"time"

	"github.com/sitehooks/sitehooks/handlers/web"
)

// webhookLine is one row of the list.
type webhookLine struct {
	ID           string
	Name         string
	TypeLabel    string
	Team, Target string
	OwnerID      int64
	OwnerName    string
	CreatedAt    time.Time
	Health       web.Badge
	Note         string // below the health
	Grey, Broken bool
	Why          string   // it broke
	Failing      *failing // nil: it is not
	StateAt      *time.Time
	Held         int64
	Last         string // how the newest attempt ended; empty: never
	LastAt       *time.Time
	Spark        sparkline
}

// Body is the rows as HTML; alert marks why one broke.
func (p *webhooksPage) Body(alert web.Icon) []template.HTML {
	const about = 2500 // bytes of a row
	var m web.Markup
	m.Grow(about * len(p.Rows))
	body := make([]template.HTML, len(p.Rows))
	for i := range p.Rows {
		line, begin := &p.Rows[i], m.Len()
		line.row(&m, p.Admin(), p.At.Now)
		if line.Broken || line.Failing != nil {
			line.why(&m, p.Admin(), alert, p.At.Now)
		}
		body[i] = m.Html()[begin:]
	}
	return body
}

func (l *webhookLine) row(m *web.Markup, admin bool, now time.Time) {
	m.Add(`
            <tr data-id="%"`, l.ID)
	if l.Grey {
		m.Add(` class="is-grey"`)
	}
	m.Add(`>`)
	if admin {
		m.Add(`
              <td class="c-check"><input class="s-checkbox" type="checkbox" name="id" value="%" aria-label="Select %"></td>`, l.ID, l.Name)
	}
	m.Add(`
              <td data-l="Type">%</td>
              <td data-l="Team"><bdi>%</bdi></td>
              <td class="o1"><a class="s-link fw-bold" href="/admin/webhooks/%"><bdi>%</bdi></a><span class="sub"><bdi>%</bdi></span></td>
              <td data-l="Owner">`, l.TypeLabel, l.Team, l.ID, l.Name, l.Target)
	m.WriteString(string(web.Owner(l.OwnerID, l.OwnerName)))
	if admin && l.OwnerID == 0 {
		m.Add(` <button class="s-btn s-btn__xs s-btn__outlined keep" type="submit" formmethod="post" formaction="/admin/webhooks/%/claim" aria-label="Claim %">Claim</button>`, l.ID, l.Name)
	}
	m.Add(`</td>
              <td data-l="Created">`)
	m.WriteString(string(web.When(l.CreatedAt)))
	m.Add(`</td>
              <td class="o2"><span class="s-badge st %">%</span>`, l.Health.Class, l.Health.Text)
	if l.Note != "" {
		m.Add(`<span class="sub"><bdi>%</bdi></span>`, l.Note)
	}
	m.Add(`</td>
              <td class="full">`)
	l.Spark.draw(m)
	if l.LastAt != nil {
		m.Add(`<span class="sub nobr"><span class="num">%</span> · `, l.Last)
		m.WriteString(string(web.TimeMark(*l.LastAt, web.Ago(now.Sub(*l.LastAt)))))
	} else {
		m.Add(`<span class="sub nobr">never`)
	}
	m.Add(`</span></td>`)
	if admin {
		m.Add(`
              <td class="c-act"><a class="s-link keep" href="/admin/webhooks/%/edit" aria-label="Edit %" data-dialog>Edit</a> `+
			`<a class="s-link fc-red-500 keep" href="/admin/webhooks/%/delete" aria-label="Delete %">Delete</a></td>`, l.ID, l.Name, l.ID, l.Name)
	}
	m.Add(`
            </tr>`)
}

// why is the row below one that broke or is failing.
func (l *webhookLine) why(m *web.Markup, admin bool, alert web.Icon, now time.Time) {
	m.Add(`
            <tr class="why is-grey">`)
	if admin {
		m.Add(`<td class="c-check"></td>`)
	}
	m.Add(`<td class="full" colspan="8"><div class="why-text">`)
	reason := l.Why
	if l.Failing != nil {
		reason = l.Failing.Reason
	}
	size := strconv.Itoa(alert.Size)
	m.Add(`<svg class="svg-icon" width="%" height="%" aria-hidden="true"><use href="%"></use></svg><span><b><bdi>%</bdi></b>`, size, size, alert.Href, reason)
	if l.Failing != nil {
		m.Add(` % in a row failed. Sitehooks keeps trying.`, l.Failing.InRow)
	} else if l.StateAt != nil {
		m.Add(` Nothing was sent since % UTC.`, web.Moment(*l.StateAt, now))
	}
	if l.Held > 0 && l.Broken {
		m.Add(` <b>%</b> % held.`, web.Count(l.Held), map[bool]string{true: "notification is", false: "notifications are"}[l.Held == 1])
	}
	m.Add(` <a class="s-link keep" href="/admin/webhooks/%" aria-label="See what to do about %">See what to do</a></span></div></td></tr>`, l.ID, l.Name)
}

// HTML is the picture as it stands in a page.
func (s sparkline) HTML() template.HTML {
	var m web.Markup
	s.draw(&m)
	return m.Html()
}

func (s sparkline) draw(m *web.Markup) {
	m.Add(`<svg class="spark" viewBox="0 0 240 100" preserveAspectRatio="none" role="img" aria-label="%">`, s.Label)
	for _, bar := range s.Held {
		m.Add(`<rect class="c-held" x="%" y="0" width="%" height="100"/>`, bar.X, bar.W)
	}
	for _, path := range [][2]string{{"c-base", s.None}, {"c-bad", s.All}, {"c-ok", s.Good}} {
		if path[1] != "" {
			m.Add(`<path class="%" d="%"/>`, path[0], path[1])
		}
	}
	m.Add(`</svg>`)
}
