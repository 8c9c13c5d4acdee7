package management

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/sitehooks/sitehooks/handlers/deliveries"
	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// Delivery is one notification to one webhook.
type Delivery struct {
	ID          string     `json:"id"`
	WebhookID   int64      `json:"webhook_id"`
	WebhookKey  *string    `json:"webhook_key"`
	WebhookName string     `json:"webhook_name"`
	Location    string     `json:"location"`
	State       string     `json:"state" enum:"pending,retrying,delivered,failed,dropped"`
	Held        bool       `json:"held" doc:"It waits, and its webhook cannot send"`
	Reason      string     `json:"reason" doc:"Why it is held, failed or was dropped"`
	EventTypes  []string   `json:"event_types"`
	EventCount  int        `json:"event_count"`
	Tries       int        `json:"tries" doc:"Attempts so far"`
	LastCode    int        `json:"last_code" doc:"HTTP status of the newest attempt; 0: none came"`
	LastError   string     `json:"last_error" doc:"Class of error of the newest attempt; empty: a response came"`
	CreatedAt   time.Time  `json:"created_at"`
	DueAt       *time.Time `json:"due_at" doc:"When the next attempt may start; null: there is none"`
	FinishedAt  *time.Time `json:"finished_at"`
	SentBy      string     `json:"sent_by_hand_by" doc:"Name of the member that sent it; empty: an event triggered it"`
}

// DeliveryDetail is a delivery with its attempts.
type DeliveryDetail struct {
	Delivery
	Body     *string    `json:"body" doc:"As it is sent; null for the scope read, and when it was erased"`
	Attempts []Attempt  `json:"attempts" doc:"The first first"`
	Events   []EventRef `json:"events" doc:"Empty if trigger history was off"`
}

// Attempt is one request of a delivery and its response.
type Attempt struct {
	Number          int         `json:"number" doc:"From 1"`
	StartedAt       time.Time   `json:"started_at"`
	DurationMS      int64       `json:"duration_ms"`
	Manual          bool        `json:"manual" doc:"Somebody asked for it"`
	Delivered       bool        `json:"delivered"`
	Code            int         `json:"code" doc:"HTTP status; 0: no response came"`
	ErrorClass      string      `json:"error_class"`
	Error           string      `json:"error"`
	URL             string      `json:"url" doc:"Without its query"`
	RequestHeaders  [][2]string `json:"request_headers" doc:"Names and values; sensitive ones are hidden"`
	ResponseHeaders [][2]string `json:"response_headers"`
	ResponseBody    *string     `json:"response_body" doc:"Null for the scope read"`
	Truncated       bool        `json:"truncated" doc:"The response was longer"`
}

// EventRef names an event.
type EventRef struct {
	Number   int64  `json:"number" doc:"Our own number"`
	ID       string `json:"id" doc:"The sender's"`
	Type     string `json:"type"`
	Location string `json:"location"`
}

// deliveryFields select deliveries, in a query or a body; empty: any.
type deliveryFields struct {
	Webhook  Ref    `form:"webhook" json:"webhook" binding:"omitempty,max=64" doc:"Number or key"`
	State    string `form:"state" json:"state" binding:"omitempty,oneof=pending retrying delivered failed dropped held waiting"`
	Code     string `form:"code" json:"code" binding:"omitempty,oneof=2xx 3xx 4xx 5xx" doc:"Class of the newest attempt's status"`
	Error    string `form:"error" json:"error" binding:"omitempty,error_class" doc:"Class of the newest attempt's error"`
	Type     string `form:"type" json:"type" binding:"omitempty,event_type" doc:"Type of an event inside"`
	Location string `form:"location" json:"location" binding:"omitempty,slug"`
	From     string `form:"from" json:"from" binding:"omitempty,rfc3339" format:"date-time" doc:"Created at or after"`
	To       string `form:"to" json:"to" binding:"omitempty,rfc3339" format:"date-time" doc:"Created before"`
}

// DeliveryFilter selects deliveries; empty: any.
type DeliveryFilter struct {
	deliveryFields
	paging
}

// ResendInput selects the deliveries to resend, of which it needs one filter.
type ResendInput struct {
	deliveryFields
	Cursor string `json:"cursor" null:"true" binding:"max=1000" doc:"next of the answer before"`
}

// Resent is how many deliveries are sent once more.
type Resent struct {
	Resent  int64   `json:"resent"`
	Waiting int64   `json:"waiting" doc:"Left out: they wait for an attempt anyway"`
	Blocked int64   `json:"blocked" doc:"Left out: their webhook cannot send, was moved or deleted"`
	Next    *string `json:"next" doc:"cursor for older deliveries, which were not looked at; null: there are none"`
}

// Ref names a webhook by its number or key.
type Ref string

// UnmarshalJSON takes a string or a number.
func (r *Ref) UnmarshalJSON(raw []byte) error {
	var n json.Number
	if json.Unmarshal(raw, &n) == nil && raw[0] != '"' {
		*r = Ref(n.String())
		return nil
	}
	return json.Unmarshal(raw, (*string)(r))
}

// eventTypes is the type of a filter, if it has one.
func eventTypes(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

var errNothing = errors.New("the token sees none of these")

// query is the fields as a query of models. Error: errNothing.
func (a *API) deliveryQuery(c *call, f deliveryFields) (models.DeliveryQuery, error) {
	q := models.DeliveryQuery{Within: c.token.Within(), State: f.State, ErrorClass: f.Error, EventTypes: eventTypes(f.Type), From: readTime(f.From), To: readTime(f.To)}
	if f.Code != "" {
		q.CodeClass = int(f.Code[0] - '0')
	}
	var visible bool
	if q.Location, visible = c.location(f.Location); !visible {
		return q, errNothing
	}
	if f.Webhook == "" {
		return q, nil
	}
	if id, isID := rules.Positive(string(f.Webhook)); isID {
		q.WebhookID = id // also of a deleted one
		return q, nil
	}
	w, err := a.store.Webhooks.ByKey(c.ctx, string(f.Webhook))
	if errors.Is(err, models.ErrNotFound) {
		return q, errNothing
	}
	q.WebhookID = w.ID
	return q, err
}

// readTime is a time that the rules have looked at; zero: none was given.
func readTime(text string) time.Time {
	at, _ := time.Parse(time.RFC3339, text)
	return at
}

func (a *API) listDeliveries(c *call) (answer, error) {
	var in DeliveryFilter
	if err := c.query(&in); err != nil {
		return answer{}, err
	}
	list := Page[Delivery]{Data: []Delivery{}}
	q, err := a.deliveryQuery(c, in.deliveryFields)
	if errors.Is(err, errNothing) {
		return answer{status: ok, value: list}, nil
	}
	if err != nil {
		return answer{}, err
	}
	if q.Before, err = in.before(); err != nil {
		return answer{}, err
	}
	q.Limit = in.limit()
	page, err := a.store.Deliveries.Search(c.ctx, q)
	if err != nil {
		return answer{}, err
	}
	for _, row := range page.Rows {
		list.Data = append(list.Data, deliveryOf(row))
	}
	list.Next = after(page.Next)
	return answer{status: ok, value: list}, nil
}

func deliveryOf(row models.DeliveryRow) Delivery {
	d := Delivery{
		ID: row.PublicID, WebhookID: row.WebhookID, WebhookKey: orNull(row.Webhook.Key), WebhookName: row.Webhook.Name, Location: row.Location,
		State: row.State, Held: row.Held, Reason: row.Reason, EventTypes: []string{}, EventCount: row.Items, Tries: row.Tries,
		LastCode: row.LastCode, LastError: row.LastError, CreatedAt: row.CreatedAt.UTC(), DueAt: inUTC(row.DueAt), FinishedAt: inUTC(row.FinishedAt),
		SentBy: row.SentBy,
	}
	if row.Held {
		d.Reason = row.HeldWhy
	}
	for name := range strings.SplitSeq(row.EventTypes, ",") {
		if name != "" {
			d.EventTypes = append(d.EventTypes, name)
		}
	}
	return d
}

func inUTC(at *time.Time) *time.Time {
	if at == nil {
		return nil
	}
	return new(at.UTC())
}

// delivery is the one that the address names, if the token may see it.
func (a *API) delivery(c *call) (models.DeliveryRow, error) {
	row, err := a.store.Deliveries.Get(c.ctx, c.token.Within(), c.param("delivery"))
	return row, found("delivery", err)
}

func (a *API) getDelivery(c *call) (answer, error) {
	row, err := a.delivery(c)
	if err != nil {
		return answer{}, err
	}
	attempts, err := a.store.Deliveries.Attempts(c.ctx, row.ID)
	if err != nil {
		return answer{}, err
	}
	events, err := a.store.Deliveries.EventsOf(c.ctx, row.ID)
	if err != nil {
		return answer{}, err
	}
	d := DeliveryDetail{Delivery: deliveryOf(row), Attempts: []Attempt{}, Events: []EventRef{}}
	if c.full() && !row.Erased() {
		d.Body = asText(wire.JoinBody(row.SharedBytes(), row.Body))
	}
	for _, one := range attempts {
		d.Attempts = append(d.Attempts, c.attemptOf(one))
	}
	for _, e := range events {
		d.Events = append(d.Events, EventRef{e.ID, e.EventID, e.Type, e.Location})
	}
	return answer{status: ok, value: d}, nil
}

func (c *call) attemptOf(a models.Attempt) Attempt {
	v := Attempt{
		Number: a.Number, StartedAt: a.StartedAt.UTC(), DurationMS: a.DurationUS / 1000, Manual: a.Manual, Delivered: a.Arrived,
		Code: a.Code, ErrorClass: a.ErrorClass, Error: a.Error, URL: a.URL, Truncated: a.Truncated,
		RequestHeaders: headerPairs(a.RequestHeaders), ResponseHeaders: headerPairs(a.ResponseHeaders),
	}
	if c.full() {
		v.ResponseBody = asText(a.ResponseBody)
	}
	return v
}

// headerPairs reads headers as they were recorded: [[name, value], …].
func headerPairs(recorded []byte) [][2]string {
	pairs := [][2]string{}
	_ = json.Unmarshal(recorded, &pairs) // written by us; without them the rest still says much
	return pairs
}

func asText(body []byte) *string { return new(strings.ToValidUTF8(string(body), "\uFFFD")) }

// resendDelivery asks for one attempt more.
func (a *API) resendDelivery(c *call) (answer, error) {
	row, err := a.delivery(c)
	if err != nil {
		return answer{}, err
	}
	err = models.ErrNotActive
	if row.Webhook.DeletedAt == nil {
		err = a.store.Deliveries.Resend(c.storing(), c.by(), row.PublicID)
	}
	switch {
	case errors.Is(err, models.ErrErased):
		return answer{}, refuse(conflict, "The content of this delivery was erased, so there is nothing to send.")
	case errors.Is(err, models.ErrMoved):
		return answer{}, refuse(conflict, "The webhook has since moved to another location, and deliveries never cross locations.")
	case errors.Is(err, models.ErrNotActive):
		return answer{}, a.cannotSend(c, row.Webhook)
	case err != nil:
		return answer{}, found("delivery", err)
	}
	a.Site.OnChange()
	if row, err = a.store.Deliveries.Get(c.storing(), c.token.Within(), row.PublicID); err != nil {
		return answer{}, found("delivery", err)
	}
	return answer{status: accepted, value: deliveryOf(row)}, nil
}

// cannotSend refuses to resend to a webhook, and says why and what helps.
func (a *API) cannotSend(c *call, w models.Webhook) error {
	settings, err := a.store.Settings.Get(c.ctx)
	if err != nil {
		return err
	}
	now, err := a.store.Now(c.ctx)
	if err != nil {
		return err
	}
	text := "This cannot be resent because " + deliveries.CannotSend(w, settings.GenericEnabled, now) + "."
	if w.DeletedAt == nil && w.State != models.WebhookActive {
		text += " Resume the webhook first."
	}
	return refuse(conflict, text)
}

// resendDeliveries asks for one attempt more of all that match.
func (a *API) resendDeliveries(c *call) (answer, error) {
	var in ResendInput
	var dry DryRun
	if err := c.query(&dry); err != nil {
		return answer{}, err
	}
	if err := c.bind(&in, nil); err != nil {
		return answer{}, err
	}
	if in.deliveryFields == (deliveryFields{}) {
		return answer{}, faulty("", `Give at least one filter, for example {"state":"failed"}.`)
	}
	status := accepted
	if dry.DryRun == "true" {
		status = ok
	}
	q, err := a.deliveryQuery(c, in.deliveryFields)
	if errors.Is(err, errNothing) {
		return answer{status: status, value: Resent{}}, nil
	}
	if err != nil {
		return answer{}, err
	}
	if q.Before, err = (paging{Cursor: in.Cursor}).before(); err != nil {
		return answer{}, err
	}
	can, err := a.store.Deliveries.Resendable(c.ctx, q)
	if err != nil {
		return answer{}, err
	}
	out := Resent{Resent: can.Send, Waiting: can.Waiting, Blocked: can.Blocked, Next: after(can.From)}
	if dry.DryRun != "true" && can.Send > 0 {
		done, err := a.store.Deliveries.ResendAll(c.storing(), c.by(), q, can, in.words())
		if err != nil {
			return answer{}, err
		}
		out.Resent = done.Total
		a.Site.OnChange()
	}
	return answer{status: status, value: out}, nil
}

// words name the filter for the audit log.
func (f deliveryFields) words() string {
	var parts []string
	for _, one := range [][2]string{
		{"webhook", string(f.Webhook)},
		{"state", f.State},
		{"status", f.Code},
		{"error", f.Error},
		{"event type", f.Type},
		{"location", f.Location},
		{"from", f.From},
		{"to", f.To},
	} {
		if one[1] != "" {
			parts = append(parts, one[0]+" "+one[1])
		}
	}
	return "Selection: " + strings.Join(parts, ", ")
}
