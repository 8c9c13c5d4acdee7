package superoffice

import (
	"context"
	"strconv"

	"github.com/sitehooks/sitehooks/handlers/definition"
)

// The RPC twin: other addresses and other ways to say the same. It adds
// nothing of its own.

// save makes the webhook in the body when it has no id, otherwise it replaces
// that one.
func (s *API) save(ctx context.Context, c *call) (answer, error) {
	d, err := readDefinition(c.body)
	if err != nil {
		return answer{}, err
	}
	if d.wrong.has(keyWebhookID) { // which of the two is not known
		return answer{}, d.wrong.failure()
	}
	if d.WebhookID == 0 {
		return s.insert(ctx, c, d)
	}
	c.id = strconv.FormatInt(d.WebhookID, 10)
	return s.update(ctx, c, func(*definition.Saved) (*givenWebhook, error) { return d, nil })
}

// namedByQuery is the query of an operation on one webhook.
type namedByQuery struct {
	WebhookID value `json:"webhookId" form:"webhookid" binding:"json_given"`
}

// byQuery does an operation on the webhook that the query names.
func (s *API) byQuery(do operation) operation {
	return func(ctx context.Context, c *call) (answer, error) {
		var in namedByQuery
		if err := c.query(&in); err != nil {
			return answer{}, err
		}
		c.id = in.WebhookID.text()
		return do(ctx, c)
	}
}

func (s *API) getAll(ctx context.Context, c *call) (answer, error) {
	var in listFilter
	if err := c.arguments(&in); err != nil {
		return answer{}, err
	}
	return s.matching(ctx, c, in)
}

func (s *API) testWebhook(ctx context.Context, c *call) (answer, error) {
	var in struct {
		Webhook value `json:"webhook" binding:"json_once,json_given"`
	}
	if err := c.arguments(&in); err != nil {
		return answer{}, err
	}
	d, err := readDefinition([]byte(in.Webhook))
	if err != nil {
		return answer{}, err
	}
	return s.sendTest(ctx, c, d)
}

func (s *API) signalEvent(ctx context.Context, c *call) (answer, error) {
	var in struct {
		EventName  value `json:"eventName" binding:"json_once,json_text"`
		PrimaryKey value `json:"primaryKey" binding:"json_once"`
		Data       value `json:"data" binding:"json_once"`
	}
	if err := c.arguments(&in); err != nil {
		return answer{}, err
	}
	if !in.PrimaryKey.given() {
		in.PrimaryKey = "0"
	}
	return s.record(ctx, c, in.EventName.text(), string(in.PrimaryKey), []byte(in.Data))
}

func (s *API) getLastError(ctx context.Context, c *call) (answer, error) {
	var in struct {
		WebhookID value `json:"webhookId" binding:"json_once,json_given"`
	}
	if err := c.arguments(&in); err != nil {
		return answer{}, err
	}
	c.id = string(in.WebhookID)
	return s.lastError(ctx, c)
}
