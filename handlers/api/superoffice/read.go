package superoffice

import (
	"context"
	"slices"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/models"
)

// listPage is how many webhooks are read at a time.
const listPage = 500

// blank answers with a definition to start from.
func (s *API) blank(context.Context, *call) (answer, error) {
	return answer{value: blankEntity()}, nil
}

// get answers with one webhook.
func (s *API) get(ctx context.Context, c *call) (answer, error) {
	w, err := s.named(ctx, c)
	if err != nil {
		return answer{}, err
	}
	return s.output(w)
}

// named is the webhook that the address names, if it is still as the request
// wants it.
func (s *API) named(ctx context.Context, c *call) (models.Webhook, error) {
	id, isID := rules.Positive(c.id)
	if !isID {
		return models.Webhook{}, models.ErrNotFound
	}
	w, err := s.visible(ctx, c, id)
	if err != nil {
		return w, err
	}
	return w, unmodified(c.request, w)
}

// visible is a webhook that the token may see; all others are not there.
func (s *API) visible(ctx context.Context, c *call, id int64) (models.Webhook, error) {
	w, err := s.Store.Webhooks.Get(ctx, c.token.Within(), id)
	if err == nil && w.Type != s.format.Name {
		err = models.ErrNotFound
	}
	return w, err
}

// listFilter selects webhooks; empty: any. It comes in a query or a body.
type listFilter struct {
	Name  value `json:"nameFilter" form:"namefilter" binding:"json_once,json_text"`
	Event value `json:"eventFilter" form:"eventfilter" binding:"json_once,json_text"`
	State value `json:"statusFilter" form:"statusfilter" binding:"json_once,state"`
}

// list answers with the webhooks that the query selects.
func (s *API) list(ctx context.Context, c *call) (answer, error) {
	var in listFilter
	if err := c.query(&in); err != nil {
		return answer{}, err
	}
	return s.matching(ctx, c, in)
}

// matching answers with the webhooks that a filter selects, in the order in
// which they were made.
func (s *API) matching(ctx context.Context, c *call, f listFilter) (answer, error) {
	q := models.WebhookQuery{Within: c.token.Within(), Type: s.format.Name, Sort: "created", Limit: listPage}
	wanted, _ := readState(f.State)
	for state, name := range vendorStates {
		if name == wanted {
			q.State = state
		}
	}
	list := []entity{}
	for {
		page, err := s.Store.Webhooks.List(ctx, q)
		if err != nil {
			return answer{}, err
		}
		for _, row := range page.Rows {
			if !f.matches(row.Webhook) {
				continue
			}
			o, err := s.Store.Webhooks.Open(row.Webhook)
			if err != nil {
				return answer{}, err
			}
			list = append(list, entityOf(row.Webhook, o))
		}
		if q.After = page.Next; q.After == "" {
			return answer{value: list}, nil
		}
	}
}

func (f listFilter) matches(w models.Webhook) bool {
	if name := f.Name.text(); name != "" && !strings.EqualFold(name, w.Name) {
		return false
	}
	event := f.Event.text()
	return event == "" || slices.ContainsFunc(w.Events, func(name string) bool { return strings.EqualFold(name, event) })
}
