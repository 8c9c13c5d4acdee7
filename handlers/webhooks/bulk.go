package webhooks

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/sitehooks/sitehooks/handlers/web"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/models"
)

// webhooksBulkPage asks before several webhooks are changed at once.
type webhooksBulkPage struct {
	web.Page
	bulkAction
	Webhooks []models.WebhookRow // that will change
	Others   int                 // chosen, but nothing to do about them
	Waiting  int64               // of those that will change
}

// bulkMax is how many webhooks can be chosen: a page of them.
const bulkMax = 200

// bulkAction is one thing to do with several webhooks.
type bulkAction struct {
	Do, Verb  string
	One, Many string // what is said when it was done
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

// Bulk shows what would happen to the webhooks chosen in the list.
func (s *Pages) Bulk(c *gin.Context) error {
	p, err := s.chosenWebhooks(c.Request.Context(), c.Request.URL.Query())
	if err != nil {
		return err
	}
	return s.Render(c, http.StatusOK, "webhooks_bulk", p)
}

func (s *Pages) BulkPost(c *gin.Context) error {
	if err := web.ParseForm(c); err != nil {
		return err
	}
	form := c.Request.PostForm
	p, err := s.chosenWebhooks(c.Request.Context(), form)
	if err != nil {
		return err
	}
	held := form.Get("held")
	if p.Do == "resume" && held != "send" && held != "drop" {
		return web.Unusable("Say whether the held notifications are to be sent or dropped: held is send or drop.")
	}
	var done, waiting int64
	for _, row := range p.Webhooks {
		n, err := s.bulkOne(c.Request.Context(), web.ActorOf(c), p.Do, row.ID, held == "drop")
		if errors.Is(err, models.ErrNotFound) {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		done, waiting = done+1, waiting+n
	}
	s.OnChange()
	text := web.Plural(done, p.One, p.Many)
	switch {
	case waiting > 0 && p.Do == "resume" && held == "send":
		text += " " + web.Plural(waiting, "held notification is on its way.", "held notifications are on their way.")
	case waiting > 0:
		text += " " + web.Plural(waiting, "waiting notification was dropped.", "waiting notifications were dropped.")
	}
	return s.Redirect(c, web.WebhooksPath, web.Flash{Kind: "success", Text: text})
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

// chosenWebhooks are those that the form names and that the change is for.
func (s *Pages) chosenWebhooks(ctx context.Context, form url.Values) (*webhooksBulkPage, error) {
	p := &webhooksBulkPage{}
	for _, a := range bulkActions() {
		if a.Do == form.Get("do") {
			p.bulkAction = a
		}
	}
	if p.Do == "" {
		return nil, web.Unusable("Say what to do with the chosen webhooks: pause, resume or delete.")
	}
	ids := slices.Compact(slices.Sorted(slices.Values(form["id"])))
	if len(ids) == 0 {
		return nil, web.Unusable("No webhook is chosen. Tick some in the list first.")
	}
	if len(ids) > bulkMax {
		return nil, web.Unusable("These are more webhooks than can be changed at once.")
	}
	p.Page = web.Page{Title: p.Verb + " webhooks", Nav: "webhooks"}
	for _, text := range ids {
		id, _ := web.Positive(text)
		w, err := s.Store.Webhooks.Get(ctx, id)
		if errors.Is(err, models.ErrNotFound) {
			p.Others++
			continue
		}
		if err != nil {
			return nil, err
		}
		if p.Do == "pause" && w.State != models.WebhookActive || p.Do == "resume" && w.State == models.WebhookActive {
			p.Others++
			continue
		}
		row, err := s.Store.Webhooks.Row(ctx, w)
		if err != nil {
			return nil, err
		}
		p.Webhooks, p.Waiting = append(p.Webhooks, row), p.Waiting+row.Held
	}
	return p, nil
}
