// Package webhooks is the list of webhooks, each webhook, its form with preview
// and test, and the actions on one or several of them.
package webhooks

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/charts"
	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// Pages are the list of webhooks, each webhook, its form, and its actions.
type Pages struct {
	*web.Site
	Sender  definition.Sender
	Secrets *reveal.Pages // show saved ones
}

type webhooksPage struct {
	web.Page
	Buttons, Others []createLink
	Off             *featureOff // nil: nothing is switched off
	Query           webhooksQuery
	Types           []web.Choice
	Team            web.Picker
	Faults          []string // about values of the URL that mean nothing
	States          []web.Choice
	Owners          []web.Choice
	Activities      []web.ChoiceGroup
	Chips           []web.FilterChip
	Columns         []column
	Rows            []webhookLine
	All, Matched    int64
	Newer, Older    string // addresses of the pages beside this one
	Sizes           []sizeLink
	Arrived         int64 // events of the last 7 days; counted while there is no webhook
}

// Filtered tells whether the list shows less than everything.
func (p *webhooksPage) Filtered() bool { return p.Query.Filtered() }

// Shown is how many webhooks this page has.
func (p *webhooksPage) Shown() int64 { return int64(len(p.Rows)) }

// Sized tells whether there is anything to choose a page size for.
func (p *webhooksPage) Sized() bool { return p.Matched > int64(webhooksPer[0]) }

// List shows the webhooks that match the filters, a page at a time.
func (s *Pages) List(c *gin.Context) error {
	ctx := c.Request.Context()
	q, _ := parseWebhooksQuery(c.Request.URL.Query())
	at, err := s.Store.Snapshot(ctx)
	if err != nil {
		return err
	}
	var unknown string
	if q.Team, unknown, err = s.FilterLocation(c, q.Team); err != nil {
		return err
	}
	list, err := s.Store.Webhooks.List(ctx, q.models(s.Within(c), at))
	if err != nil {
		return err
	}
	p := &webhooksPage{
		Page: web.Page{Title: "Manage webhooks", Nav: "webhooks", At: &at}, Query: q, All: list.All, Matched: list.Matched,
		Types: typeChoices(q.Type), States: stateChoices(q.State), Activities: activityChoices(q.Activity),
		Columns: q.columns(), Sizes: q.sizes(),
	}
	if unknown != "" && list.Matched == 0 {
		p.Faults = []string{unknown}
	}
	if list.Prev != "" {
		p.Newer = q.at("", list.Prev).href()
	}
	if list.Next != "" {
		p.Older = q.at(list.Next, "").href()
	}
	if err := s.webhooksFilters(c, p, list.Owners); err != nil {
		return err
	}
	if err := s.webhooksRows(c, p, list.Rows); err != nil {
		return err
	}
	return s.RenderFragment(c, http.StatusOK, "webhooks", p, "webhooks-list")
}

// webhooksFilters fills in the filters' choices and texts.
func (s *Pages) webhooksFilters(c *gin.Context, p *webhooksPage, owners []models.Owner) error {
	var err error
	if p.Team, err = s.LocationPicker(c, "team", p.Query.Team); err != nil {
		return err
	}
	p.Team.Any, p.Team.Small = s.AnyLocation(c), true
	me, _ := web.UserOf(c)
	p.Owners = ownerChoices(owners, me.ID, p.Query.Owner)
	if !p.Filtered() {
		return nil
	}
	known := map[string][]web.Choice{"type": p.Types, "team": p.Team.Choices(), "state": p.States, "owner": p.Owners}
	for _, g := range p.Activities {
		known["activity"] = append(known["activity"], g.Choices...)
	}
	p.Chips = p.Query.chips(known)
	return nil
}

// webhooksRows fills in the rows, or the text in their place.
func (s *Pages) webhooksRows(c *gin.Context, p *webhooksPage, rows []models.WebhookRow) error {
	ctx, within := c.Request.Context(), s.Within(c)
	var err error
	on, now := p.At.Settings.GenericEnabled, p.At.Now
	p.Buttons, p.Others = createLinks(on)
	if !on {
		if p.Off, err = s.featureOff(ctx, within); err != nil {
			return err
		}
	}
	if p.All == 0 {
		p.Arrived, err = s.Store.Events.CountSince(ctx, within, now.Add(-previewFor))
		return err
	}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	hours, err := s.Store.Webhooks.Tallies(ctx, ids, charts.DaySince(now))
	if err != nil {
		return err
	}
	held, err := s.webhooksHeld(ctx, rows, *p.At, charts.DaySince(now))
	if err != nil {
		return err
	}
	week, sums := charts.WeekSince(now), map[int64]models.Tally{}
	if p.Query.ByFailures() {
		if sums, err = s.Store.Webhooks.Sums(ctx, ids, week); err != nil {
			return err
		}
	}
	p.Rows = make([]webhookLine, 0, len(rows))
	for _, row := range rows {
		line := newWebhookLine(row, on, now)
		line.Spark = charts.NewSparkline(hours[row.ID], held[row.ID], row.Held, now)
		line.fillWeek(sums[row.ID], week)
		line.Edit, line.Delete = p.Query.from(WebhookPath(row.ID)+"/edit"), p.Query.from(WebhookPath(row.ID)+"/delete")
		p.Rows = append(p.Rows, line)
	}
	return nil
}

func newWebhookLine(row models.WebhookRow, featureOn bool, now time.Time) webhookLine {
	line := webhookLine{
		ID: strconv.FormatInt(row.ID, 10), Name: row.Name, TypeLabel: typeLabel(row.Type),
		Team: row.LocationName, Target: targetHost(row.URLShown),
		OwnerID: row.OwnerID, OwnerName: row.OwnerName, CreatedAt: row.CreatedAt,
		Broken: row.State == models.WebhookBroken, Why: row.StateReason, StateAt: row.StateAt, Held: row.Held,
		Last: lastOutcome(row.Lane), LastAt: row.Lane.LastAt,
	}
	if line.Team == "" {
		line.Team = models.NameOf(row.Location)
	}
	off := !featureOn && web.NeedsFeature(row.Type)
	line.Health, line.Note = health(row, off, now)
	line.Failing = failingOf(row, off, now)
	line.Grey = off || line.Broken || line.Failing != nil
	return line
}

// typeLabel is a type's name for people, also when it is no longer known.
func typeLabel(name string) string {
	if f, ok := wire.Lookup(name); ok {
		return f.Label
	}
	return name
}

// targetHost is the host in the shown part of a target URL.
func targetHost(shown string) string {
	if u, err := url.Parse(shown); err == nil && u.Host != "" {
		return u.Host
	}
	return shown
}

// lastOutcome says how a webhook's newest attempt ended: its status, or the
// error.
func lastOutcome(lane models.Lane) string {
	switch {
	case lane.LastAt == nil:
		return ""
	case lane.LastCode != 0:
		return strconv.Itoa(lane.LastCode)
	default:
		word := deliveries.FaultOf(lane.LastError).Word
		return strings.ToUpper(word[:1]) + word[1:]
	}
}

// Templates are the templates of these pages, each with the struct that it is
// rendered with.
func Templates() map[string]any {
	return map[string]any{
		"webhook":        &webhookPage{},
		"webhook_delete": &webhookDeletePage{},
		"webhook_form":   &webhookFormPage{},
		"webhook_rotate": &rotatePage{},
		"webhooks":       &webhooksPage{},
		"webhooks_bulk":  &webhooksBulkPage{},
	}
}
