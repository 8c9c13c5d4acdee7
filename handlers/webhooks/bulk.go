package webhooks

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/web"
	"github.com/sitehooks/sitehooks/handlers/wording"
	"github.com/sitehooks/sitehooks/models"
)

// webhooksBulkPage asks before several webhooks are changed at once.
type webhooksBulkPage struct {
	web.Page
	bulkAction
	Webhooks  []models.WebhookRow // that will change
	Others    int                 // chosen, but nothing to do about them
	All       bool                // that match the list's filters
	List      string              // the list's query
	Back      string              // the list
	Waiting   int64               // of those that will change
	Staying   int64               // of these, held after a resume because their type is off
	featureOn bool
}

// Sendable is how many of the waiting deliveries a resume sends.
func (p *webhooksBulkPage) Sendable() int64 { return p.Waiting - p.Staying }

// off tells whether a type of webhook is switched off.
func (p *webhooksBulkPage) off(kind string) bool { return !p.featureOn && web.NeedsFeature(kind) }

// bulkForm has the action and its webhooks: those of a page of the list, or all
// that match its filters.
type bulkForm struct {
	Do   string       `form:"do" binding:"oneof=pause resume delete"`
	All  bool         `form:"all"`
	List string       `form:"list"`
	IDs  []web.Number `form:"id" binding:"required_without=All,max=200"`
	// Through is how many were asked about; more or fewer are asked about again.
	Through web.Number `form:"through"`
}

// bulkAction is one thing to do with several webhooks.
type bulkAction struct {
	Do, Verb  string
	One, Many string // messages after the action
}

func bulkActions() []bulkAction {
	return []bulkAction{
		{"pause", "Pause", "webhook was paused.", "webhooks were paused."},
		{"resume", "Resume", "webhook was resumed.", "webhooks were resumed."},
		{"delete", "Delete", "webhook was deleted.", "webhooks were deleted."},
	}
}

// Bulk are the things that can be done with several webhooks.
func (*webhooksPage) Bulk() []bulkAction { return bulkActions() }

// Bulk shows the effect of an action on the webhooks chosen in the list.
func (s *Pages) Bulk(c *gin.Context) error {
	var form bulkForm
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	p, err := s.chosenWebhooks(c, form)
	if err != nil {
		return err
	}
	return s.Render(c, http.StatusOK, "webhooks_bulk", p)
}

// BulkPost pauses, resumes or deletes the chosen webhooks one after the other.
// Those deleted meanwhile are passed over; after an error the earlier changes
// stay.
func (s *Pages) BulkPost(c *gin.Context) error {
	var form struct {
		bulkForm
		Held string `form:"held" binding:"required_if=Do resume,omitempty,oneof=send drop"`
	}
	if err := web.BindOrRefuse(c, &form); err != nil {
		return err
	}
	p, err := s.chosenWebhooks(c, form.bulkForm)
	if err != nil {
		return err
	}
	if form.All && int64(form.Through) != int64(len(p.Webhooks)) { // others match by now
		return s.Render(c, http.StatusOK, "webhooks_bulk", p)
	}
	var done, waiting, staying int64
	for _, row := range p.Webhooks {
		n, err := s.bulkOne(c.Request.Context(), web.ActorOf(c), p.Do, row.ID, form.Held == "drop")
		if errors.Is(err, models.ErrNotFound) {
			continue // deleted meanwhile
		}
		if err != nil && done > 0 {
			return s.bulkInPart(c, web.Plural(done, p.One, p.Many), err)
		}
		if err != nil {
			return err
		}
		if done++; p.Do == "resume" && form.Held == "send" && p.off(row.Type) {
			staying += n
		} else {
			waiting += n
		}
	}
	s.OnChange()
	text := web.Plural(done, p.One, p.Many)
	switch {
	case waiting > 0 && p.Do == "resume" && form.Held == "send":
		text += " " + web.Plural(waiting, "held notification is being sent.", "held notifications are being sent.")
	case waiting > 0:
		text += " " + web.Plural(waiting, "waiting notification was dropped.", "waiting notifications were dropped.")
	}
	if staying > 0 {
		text += " " + stayHeld(staying)
	}
	return s.Redirect(c, p.Back, web.Flash{Kind: "success", Text: text})
}

// bulkInPart says that an action failed after it changed some of the webhooks.
func (s *Pages) bulkInPart(c *gin.Context, done string, err error) error {
	s.OnChange()
	s.Log.ErrorContext(c.Request.Context(), "action on webhooks failed in part", "done", done, "error", err)
	return &web.StatusError{
		Status: http.StatusServiceUnavailable,
		Text:   done + " The others could not be changed; the log of Sitehooks says why. Try again in a moment.",
	}
}

// stayHeld says that a resume sends nothing of a type that is switched off.
func stayHeld(n int64) string {
	until := " held until " + models.EnableGenericWebhooks + " is on."
	return web.Plural(n, "notification stays"+until, "notifications stay"+until)
}

func (s *Pages) bulkOne(ctx context.Context, by models.Actor, do string, id int64, drop bool) (n int64, err error) {
	switch do {
	case "pause":
		return 0, s.Store.Webhooks.Pause(ctx, by, id)
	case "resume":
		return s.Store.Webhooks.Resume(ctx, by, id, drop)
	default:
		return s.Store.Webhooks.Delete(ctx, by, id)
	}
}

// chosenWebhooks are those that the form means and that the change is for.
func (s *Pages) chosenWebhooks(c *gin.Context, form bulkForm) (*webhooksBulkPage, error) {
	ctx := c.Request.Context()
	p := &webhooksBulkPage{All: form.All, List: form.List, Back: listBehind(c)}
	for _, a := range bulkActions() {
		if a.Do == form.Do {
			p.bulkAction = a
		}
	}
	p.Page = web.Page{Title: p.Verb + " webhooks", Nav: "webhooks"}
	settings, err := s.Store.Settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	p.featureOn = settings.GenericEnabled
	if form.All {
		return p, s.allWebhooks(c, p)
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(form.IDs))) {
		w, err := s.Store.Webhooks.Get(ctx, s.Within(c), int64(id))
		if errors.Is(err, models.ErrNotFound) {
			p.Others++
			continue
		}
		if err != nil {
			return nil, err
		}
		row, err := s.Store.Webhooks.Row(ctx, w)
		if err != nil {
			return nil, err
		}
		p.add(row)
	}
	return p, nil
}

// add takes a webhook in, unless there is nothing to do about it.
func (p *webhooksBulkPage) add(row models.WebhookRow) {
	if p.Do == "pause" && row.State != models.WebhookActive || p.Do == "resume" && row.State == models.WebhookActive {
		p.Others++
		return
	}
	p.Webhooks, p.Waiting = append(p.Webhooks, row), p.Waiting+row.Held
	if p.off(row.Type) {
		p.Staying += row.Held
	}
}

// Named are the webhooks that the page names.
func (p *webhooksBulkPage) Named() []models.WebhookRow {
	return p.Webhooks[:min(len(p.Webhooks), bulkNamed)]
}

// Unnamed is how many it does not name.
func (p *webhooksBulkPage) Unnamed() int { return len(p.Webhooks) - len(p.Named()) }

// bulkNamed is how many webhooks the question names.
const bulkNamed = 200

// allFilters are the list's filters. One that means nothing is refused: without
// it more webhooks would match than the list showed.
func allFilters(list string) (webhooksQuery, error) {
	v, err := url.ParseQuery(list)
	if err != nil {
		return webhooksQuery{}, web.Unusable("This address does not name a list of webhooks.")
	}
	for _, name := range []string{"sort", "dir", "per", "after", "before"} { // they leave no webhook out
		v.Del(name)
	}
	q, faults := parseWebhooksQuery(v)
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if !slices.Contains(webhooksFilterNames, name) {
			faults = append(faults, "“"+wording.Cut(name, 60)+"” is not a filter of the list of webhooks.")
		}
	}
	if len(faults) > 0 {
		return q, web.Unusable(strings.ReplaceAll(strings.Join(faults, " "), ", so it was ignored", "") + " Nothing was changed.")
	}
	return q, nil
}

// allWebhooks takes in all webhooks that match the list's filters.
func (s *Pages) allWebhooks(c *gin.Context, p *webhooksBulkPage) error {
	ctx := c.Request.Context()
	q, err := allFilters(p.List)
	if err != nil {
		return err
	}
	q.Sort, q.Dir, q.Per = "created", "desc", 200
	at, err := s.Store.Snapshot(ctx)
	if err != nil {
		return err
	}
	for q = q.at("", ""); ; {
		list, err := s.Store.Webhooks.List(ctx, q.models(s.Within(c), at))
		if err != nil {
			return err
		}
		for _, row := range list.Rows {
			p.add(row)
		}
		if list.Next == "" {
			return nil
		}
		q = q.at(list.Next, "")
	}
}
