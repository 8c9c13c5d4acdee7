package superoffice

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

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
	id, err := strconv.ParseInt(c.id, 10, 64)
	if err != nil {
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
	w, err := s.Store.Webhooks.Get(ctx, id)
	if err == nil && (w.Type != s.format.Name || (c.token.Location != "" && c.token.Location != w.Location)) {
		err = models.ErrNotFound
	}
	return w, err
}

// filter selects webhooks; empty: any.
type filter struct{ name, event, state string }

// list answers with the webhooks that the query selects.
func (s *API) list(ctx context.Context, c *call) (answer, error) {
	query := c.request.URL.Query()
	f := filter{name: queried(query, "nameFilter"), event: queried(query, "eventFilter")}
	var ok bool
	if f.state, ok = stateNamed(queried(query, "statusFilter")); !ok {
		return answer{}, badStatus("statusFilter")
	}
	return s.matching(ctx, c, f)
}

func badStatus(key string) error {
	return badKey(key, "It must be Unknown, Active, Stopped or TooManyErrors, or its number from 0 to 3.")
}

// queried is the value of a parameter whose case does not matter.
func queried(query url.Values, name string) string {
	for key, values := range query {
		if strings.EqualFold(key, name) {
			return values[0]
		}
	}
	return ""
}

// matching answers with the webhooks that a filter selects, in the order in
// which they were made.
func (s *API) matching(ctx context.Context, c *call, f filter) (answer, error) {
	q := models.WebhookQuery{Type: s.format.Name, Location: c.token.Location, Sort: "created", Limit: listPage}
	for state, name := range vendorStates {
		if name == f.state {
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
			if !f.takes(row.Webhook) {
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

func (f filter) takes(w models.Webhook) bool {
	if f.name != "" && !strings.EqualFold(f.name, w.Name) {
		return false
	}
	return f.event == "" || slices.ContainsFunc(w.Events, func(name string) bool { return strings.EqualFold(name, f.event) })
}
