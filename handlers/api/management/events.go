package management

import (
	"encoding/json"
	"time"

	"github.com/sitehooks/sitehooks/handlers/rules"
	"github.com/sitehooks/sitehooks/models"
)

// Event is one thing that happened on the site.
type Event struct {
	Number       int64      `json:"number" doc:"Our own number"`
	ID           string     `json:"id" doc:"The sender's"`
	Type         string     `json:"type"`
	Location     string     `json:"location"`
	Community    *string    `json:"community"`
	Tags         []string   `json:"tags"`
	Subject      string     `json:"subject"`
	Title        string     `json:"title"`
	Source       *string    `json:"source" doc:"Name of the source; null: a token of the ingest API"`
	OccurredAt   time.Time  `json:"occurred_at"`
	ReceivedAt   time.Time  `json:"received_at"`
	DispatchedAt *time.Time `json:"dispatched_at" doc:"Null: it waits for dispatch"`
	MergedInto   *int64     `json:"merged_into" doc:"Number of the newer event that was sent instead"`
}

// EventDetail is an event with the reason of every webhook of its location.
type EventDetail struct {
	Event
	Payload  json.RawMessage `json:"payload" null:"true" doc:"What the site sent; null for the scope read, and when it was erased"`
	Merged   []int64         `json:"merged" doc:"Numbers of the older events that were merged into it"`
	Logged   bool            `json:"logged" doc:"false: trigger history was off, and what matched is not shown"`
	Webhooks []Explanation   `json:"webhooks"`
}

// Explanation is why a webhook got an event or not, and what became of it.
type Explanation struct {
	WebhookID   int64   `json:"webhook_id"`
	WebhookKey  *string `json:"webhook_key"`
	WebhookName string  `json:"webhook_name" doc:"As it was when the event was matched"`
	Matched     bool    `json:"matched"`
	Reason      string  `json:"reason"`
	Delivery    *string `json:"delivery" doc:"Id of its delivery; null: none is on record"`
	State       *string `json:"state" doc:"Of the delivery; held while it waits and the webhook cannot send"`
}

// EventFilter selects events; empty: any.
type EventFilter struct {
	ID       string `form:"id" binding:"max=128,line" doc:"The sender's id"`
	Search   string `form:"q" binding:"max=200,line" doc:"An id, words of the title, or a question's number or link"`
	Location string `form:"location" binding:"omitempty,slug"`
	Type     string `form:"type" binding:"omitempty,event_type"`
	Tag      string `form:"tag" binding:"max=64,line"`
	From     string `form:"from" binding:"omitempty,rfc3339" format:"date-time" doc:"Received at or after"`
	To       string `form:"to" binding:"omitempty,rfc3339" format:"date-time" doc:"Received before"`
	paging
}

func eventOf(e models.Event) Event {
	v := Event{
		Number: e.ID, ID: e.EventID, Type: e.Type, Location: e.Location, Community: orNull(e.Community), Tags: e.Tags, Subject: e.Subject,
		Title: e.Title, Source: orNull(e.Source), OccurredAt: e.OccurredAt.UTC(), ReceivedAt: e.ReceivedAt.UTC(),
		DispatchedAt: inUTC(e.DispatchedAt), MergedInto: e.MergedInto,
	}
	if v.Tags == nil {
		v.Tags = []string{}
	}
	return v
}

func (a *API) listEvents(c *call) (answer, error) {
	var in EventFilter
	if err := c.query(&in); err != nil {
		return answer{}, err
	}
	list := Page[Event]{Data: []Event{}}
	location, visible := c.location(in.Location)
	if !visible {
		return answer{status: ok, value: list}, nil
	}
	before, err := in.before()
	if err != nil {
		return answer{}, err
	}
	rows, next, err := a.findEvents(c, in, location, before)
	if err != nil {
		return answer{}, err
	}
	for _, e := range rows {
		list.Data = append(list.Data, eventOf(e))
	}
	list.Next = after(next)
	return answer{status: ok, value: list}, nil
}

// findEvents returns a page of events. There are few with one id, at most one in
// a location.
func (a *API) findEvents(c *call, in EventFilter, location string, before int64) ([]models.Event, int64, error) {
	if in.ID != "" {
		if location != "" {
			e, err := a.store.Events.Get(c.ctx, location, in.ID)
			if err != nil {
				return nil, 0, ignoreNotFound(err)
			}
			return []models.Event{e}, 0, nil
		}
		rows, err := a.store.Events.Named(c.ctx, c.token.Within(), in.ID, in.limit())
		return rows, 0, err
	}
	page, err := a.store.Events.Search(c.ctx, models.EventQuery{
		Within: c.token.Within(), Search: in.Search, Location: location, Types: eventTypes(in.Type), Tag: in.Tag, From: readTime(in.From), To: readTime(in.To), Before: before, Limit: in.limit(),
	})
	return page.Rows, page.Next, err
}

func (a *API) getEvent(c *call) (answer, error) {
	id, isID := rules.Positive(c.param("event"))
	if !isID {
		return answer{}, notFound("event")
	}
	e, err := a.store.Events.ByID(c.ctx, c.token.Within(), id)
	if err != nil {
		return answer{}, found("event", err)
	}
	d := EventDetail{Event: eventOf(e), Merged: []int64{}, Logged: e.Logged || e.DispatchedAt == nil, Webhooks: []Explanation{}}
	if c.full() && !e.Erased() {
		d.Payload = e.Payload
	}
	merged, err := a.store.Events.MergedFrom(c.ctx, e.ID)
	if err != nil {
		return answer{}, err
	}
	for _, one := range merged {
		d.Merged = append(d.Merged, one.ID)
	}
	if d.Logged && e.MergedInto == nil {
		results, err := a.Triggers.Explain(c.ctx, c.token.Within(), e)
		if err != nil {
			return answer{}, err
		}
		for _, r := range results {
			x := Explanation{WebhookID: r.WebhookID, WebhookKey: orNull(r.Key), WebhookName: r.Name, Matched: r.Match, Reason: r.Reason, State: orNull(r.State), Delivery: orNull(r.Delivery)}
			d.Webhooks = append(d.Webhooks, x)
		}
	}
	return answer{status: ok, value: d}, nil
}
