package superoffice

import (
	"context"
	"strconv"

	"github.com/sitehooks/sitehooks/handlers/api"
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
	w, err := s.named(ctx, c)
	if err != nil {
		return answer{}, err
	}
	old, err := s.rules.Open(w)
	if err != nil {
		return answer{}, err
	}
	return s.update(ctx, c, old, d)
}

// byQuery does an operation on the webhook that the query names.
func (s *API) byQuery(do operation) operation {
	return func(ctx context.Context, c *call) (answer, error) {
		if c.id = queried(c.request.URL.Query(), "webhookId"); c.id == "" {
			return answer{}, badKey("webhookId", "The address must name the webhook, as in ?webhookId=1.")
		}
		return do(ctx, c)
	}
}

// arguments are those of an RPC by name; none from a null.
func (c *call) arguments(names ...string) (map[string][]byte, error) {
	if isNull(c.body) {
		return map[string][]byte{}, nil
	}
	if c.body[0] != '{' {
		return nil, badKey("Body", "The body must be a JSON object.")
	}
	var wrong keyFaults
	found := named(c.body, names, &wrong)
	return found, wrong.failure()
}

func (s *API) getAll(ctx context.Context, c *call) (answer, error) {
	args, err := c.arguments("nameFilter", "eventFilter", "statusFilter")
	if err != nil {
		return answer{}, err
	}
	f := filter{}
	var wrong keyFaults
	for key, to := range map[string]*string{"nameFilter": &f.name, "eventFilter": &f.event} {
		*to = textArgument(args, key, &wrong)
	}
	if err := wrong.failure(); err != nil {
		return answer{}, err
	}
	var ok bool
	if f.state, ok = readState(args["statusFilter"]); !ok {
		return answer{}, badStatus("statusFilter")
	}
	return s.matching(ctx, c, f)
}

func textArgument(args map[string][]byte, key string, wrong *keyFaults) string {
	v := args[key]
	if isNull(v) {
		return ""
	}
	if v[0] != '"' {
		wrong.add(key, "It must be a string.")
		return ""
	}
	return api.Unquote(v)
}

func (s *API) testWebhook(ctx context.Context, c *call) (answer, error) {
	args, err := c.arguments("webhook")
	if err != nil {
		return answer{}, err
	}
	if isNull(args["webhook"]) {
		return answer{}, badKey("webhook", "The definition to test is missing.")
	}
	d, err := readDefinition(args["webhook"])
	if err != nil {
		return answer{}, err
	}
	return s.sendTest(ctx, c, d)
}

func (s *API) signalEvent(ctx context.Context, c *call) (answer, error) {
	args, err := c.arguments("eventName", "primaryKey", "data")
	if err != nil {
		return answer{}, err
	}
	var wrong keyFaults
	name := textArgument(args, "eventName", &wrong)
	if err := wrong.failure(); err != nil {
		return answer{}, err
	}
	key := "0"
	if v := args["primaryKey"]; !isNull(v) {
		key = string(v)
	}
	return s.record(ctx, c, name, key, args["data"])
}

func (s *API) getLastError(ctx context.Context, c *call) (answer, error) {
	args, err := c.arguments("webhookId")
	if err != nil {
		return answer{}, err
	}
	if c.id = string(args["webhookId"]); isNull(args["webhookId"]) {
		return answer{}, badKey("webhookId", "Name the webhook by its number.")
	}
	return s.lastError(ctx, c)
}
