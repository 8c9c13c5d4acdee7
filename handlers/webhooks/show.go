package webhooks

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/ascode"
	"github.com/sitehooks/sitehooks/handlers/charts"
	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/fields"
	"github.com/sitehooks/sitehooks/handlers/reveal"
	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// versionsShown is how many versions of a webhook its page lists.
const versionsShown = 50

type webhookPage struct {
	web.Page
	Row        models.WebhookRow
	TypeLabel  string
	Team       string
	Community  string // empty: any
	Health     web.Badge
	Note       string
	Failing    *failing // nil: it is not
	Activities []string
	Secrets    []fields.Secret
	URLReveal  string      // path of the question before a URL that is a secret is shown; empty: the URL is not a secret
	HeaderList []string    // names of custom headers
	Code       ascode.Code // empty: the reader is a viewer, or it cannot be opened
	Deleted    bool
	Off        bool
	Last       string
	Releasing  models.Releasing // what is left of it goes out
	Charts     []charts.Chart
	Recent     []deliveries.Line // newest first
	Failed     string            // how many failed; empty: none
	Result     *testShown        // a test that was just sent; nil: none was
	Samples    []web.ChoiceGroup // of a test; empty: there is no choice
	Guide      string            // address of the guide for receivers
	Versions   []webhookVersion
}

// Paused tells whether an administrator stopped the webhook.
func (p *webhookPage) Paused() bool { return p.Row.State == models.WebhookStopped }

// Broken tells whether the webhook broke.
func (p *webhookPage) Broken() bool { return p.Row.State == models.WebhookBroken }

// ReleasingNow tells whether what a resume released is being sent.
func (p *webhookPage) ReleasingNow() bool {
	return p.Releasing.Left > 0 && !p.Deleted && !p.Off && p.Row.State == models.WebhookActive
}

// Done is how many of these were sent.
func (p *webhookPage) Done() int64 { return p.Releasing.Total - p.Releasing.Left }

// ReleasedIn is how long the rest takes at least.
func (p *webhookPage) ReleasedIn() string {
	return web.Span(max(time.Second, time.Duration(p.Releasing.Left)*time.Second/wording.PacedPerSecond))
}

// CanResend tells whether anything could be sent again now.
func (p *webhookPage) CanResend() bool {
	return p.Admin() && !p.Deleted && !p.Off && p.Row.State == models.WebhookActive && p.Row.Lane.LastAt != nil
}

// webhookVersion is one line of a webhook's history.
type webhookVersion struct {
	At    time.Time
	By    string // empty: Sitehooks itself
	State web.Badge
	Why   string
}

// Show is a webhook's page. Deleted webhooks have one too.
func (s *Pages) Show(c *gin.Context) error {
	id, _ := web.Positive(c.Param("id"))
	w, err := s.Store.Webhooks.GetAny(c.Request.Context(), s.Within(c), id)
	if err != nil {
		return err
	}
	return s.showWebhook(c, w, nil)
}

// showWebhook renders a webhook's page; result is a test that was just sent, if any.
func (s *Pages) showWebhook(c *gin.Context, w models.Webhook, t *testShown) error {
	ctx, id := c.Request.Context(), w.ID
	at, err := s.Store.Snapshot(ctx)
	if err != nil {
		return err
	}
	row, err := s.Store.Webhooks.Row(ctx, w)
	if err != nil {
		return err
	}
	versions, err := s.Store.Webhooks.History(ctx, s.Within(c), id, versionsShown)
	if err != nil {
		return err
	}
	p := &webhookPage{
		Page: web.Page{Title: w.Name, Nav: "webhooks", Path: WebhookPath(id), At: &at}, Row: row, TypeLabel: typeLabel(w.Type), Team: row.LocationName,
		Deleted: w.DeletedAt != nil, Off: !at.Settings.GenericEnabled && web.NeedsFeature(w.Type), Last: lastOutcome(row.Lane),
		Versions: versionLines(versions), Result: t,
	}
	p.Health, p.Note = health(row, p.Off, at.Now)
	p.Failing = failingOf(row, p.Off, at.Now)
	if p.Deleted {
		p.Health, p.Note = web.Badge{Class: "st-none", Text: "Deleted"}, ""
	}
	if w.Community != "" {
		names, err := s.CommunityNames(ctx, []string{w.Location}, []string{w.Community})
		if err != nil {
			return err
		}
		p.Community = names.Of(w.Location, w.Community)
	}
	if f, ok := wire.Lookup(w.Type); ok {
		e := &editing{format: f, old: &w, form: webhookForm{Events: w.Events}}
		p.Secrets = e.secrets()
		p.Activities = activityLabels(f, w.Events)
		p.Samples, p.Guide = sampleChoices(f, w.Events, ""), guidePath(f)
		if f.SecretURL {
			p.URLReveal = reveal.Path(WebhookPath(id), revealURL)
		}
	}
	if err = s.fillOpened(c, p, w); err != nil {
		return err
	}
	if p.Releasing, err = s.Store.Webhooks.Releasing(ctx, row); err != nil {
		return err
	}
	if err = s.webhookRecent(ctx, s.Within(c), p, at); err != nil {
		return err
	}
	return s.RenderFragment(c, http.StatusOK, "webhook", p, "releasing")
}

// recentShown is how many of a webhook's deliveries its page lists.
const recentShown = 5

// webhookRecent fills in the recent deliveries.
func (s *Pages) webhookRecent(ctx context.Context, within models.LocationSet, p *webhookPage, at models.Snapshot) error {
	id, now := p.Row.ID, at.Now
	hours, err := s.Store.Webhooks.Hours(ctx, []int64{id}, charts.MonthSince(now))
	if err != nil {
		return err
	}
	held, err := s.webhooksHeld(ctx, []models.WebhookRow{p.Row}, at, charts.MonthSince(now))
	if err != nil {
		return err
	}
	p.Charts = []charts.Chart{charts.Day(hours[id], held[id], now), charts.Month(hours[id], held[id], now)}
	rows, _, err := s.Store.Deliveries.List(ctx, models.DeliveryQuery{Within: within, WebhookID: id, Limit: recentShown})
	for _, row := range rows {
		p.Recent = append(p.Recent, deliveries.NewLine(row, now))
	}
	if err != nil || p.Row.Lane.LastAt == nil {
		return err
	}
	failed, more, err := s.Store.Deliveries.Failed(ctx, within, id)
	switch {
	case more:
		p.Failed = wording.Count(failed) + " or more"
	case failed > 0:
		p.Failed = wording.Count(failed)
	}
	return err
}

// fillOpened fills in what sealed values are needed for. When they cannot be
// opened, the page says so elsewhere.
func (s *Pages) fillOpened(c *gin.Context, p *webhookPage, w models.Webhook) error {
	if p.Deleted {
		return nil // they were erased
	}
	opened, err := s.Store.Webhooks.Open(w)
	if errors.Is(err, models.ErrWrongKey) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, h := range opened.Headers {
		p.HeaderList = append(p.HeaderList, h.Name)
	}
	if user, _ := web.UserOf(c); user.Role == models.RoleAdministrator {
		key, err := ascode.Key(w, func(key string) (models.Webhook, error) { return s.Store.Webhooks.ByKey(c.Request.Context(), key) })
		if err != nil {
			return err
		}
		p.Code, err = ascode.Of(s.BaseURL, w, key, opened)
		return err
	}
	return nil
}

func activityLabels(f *wire.Format, values []string) []string {
	var labels []string
	for _, value := range values {
		label := value
		for _, o := range f.Options {
			if o.Value == value {
				label = o.Label
			}
		}
		labels = append(labels, label)
	}
	return labels
}

// versionLines tells a webhook's history, newest first as the versions are.
func versionLines(versions []models.WebhookVersion) []webhookVersion {
	var lines []webhookVersion
	for i, v := range versions {
		line := webhookVersion{At: v.At, By: v.By, State: stateBadge(v)}
		var before *models.WebhookVersion
		if i+1 < len(versions) {
			before = &versions[i+1]
		}
		line.Why = versionWords(v, before, len(versions) < versionsShown)
		lines = append(lines, line)
	}
	return lines
}

func stateBadge(v models.WebhookVersion) web.Badge {
	switch {
	case v.Deleted:
		return web.Badge{Class: "st-none", Text: "Deleted"}
	case v.State == models.WebhookStopped:
		return web.Badge{Class: "st-off", Text: "Paused"}
	case v.State == models.WebhookBroken:
		return web.Badge{Class: "st-broken", Text: "Broken"}
	default:
		return web.Badge{Class: "st-ok", Text: "Active"}
	}
}

// versionWords describes the changes of a version; before is nil for the oldest
// shown, which is the first one if the list is complete.
func versionWords(v models.WebhookVersion, before *models.WebhookVersion, complete bool) string {
	switch {
	case v.Deleted:
		return "Deleted"
	case before == nil && complete:
		return "Created"
	case before == nil:
		return saved(v)
	case v.State == models.WebhookBroken && before.State != v.State:
		return v.Reason
	case v.State == models.WebhookStopped && before.State != v.State:
		return "Paused"
	case v.State != before.State && v.Changes == "":
		return web.OrNone(v.Reason, "Resumed")
	default:
		return saved(v)
	}
}

// saved says what a save changed.
func saved(v models.WebhookVersion) string {
	switch v.Changes {
	case "":
		return "Saved"
	case models.NothingChanged:
		return "Saved without a change"
	default:
		return web.Capitalized(v.Changes)
	}
}
