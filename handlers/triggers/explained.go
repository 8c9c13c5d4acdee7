package triggers

import (
	"context"

	"github.com/sitehooks/sitehooks/models"
)

// Explained is why a webhook got an event or not, and what became of it.
type Explained struct {
	WebhookID int64
	Key       string // empty: it has none
	Name      string // as it was when the event was matched
	Match     bool
	Reason    string // in words
	Delivery  string // public id; empty: none is on record
	State     string // of the delivery, or held; empty: none is on record
}

// Explain explains every webhook of an event's location, those that matched
// first.
func (s *Pages) Explain(ctx context.Context, within models.LocationSet, e models.Event) ([]Explained, error) {
	settings, err := s.Store.Settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	p := &triggerEventPage{Event: e}
	if p.Now, err = s.Store.Now(ctx); err != nil {
		return nil, err
	}
	if err := s.triggerResults(ctx, within, p, settings.GenericEnabled); err != nil {
		return nil, err
	}
	var list []Explained
	for _, r := range append(p.Matched, p.Unmatched...) {
		one := Explained{WebhookID: r.ID, Key: r.Key, Name: r.Name, Match: r.Why.Match, Reason: r.Why.Text(), State: r.Outcome}
		if r.Delivery != nil {
			one.Delivery = r.Delivery.PublicID
		}
		list = append(list, one)
	}
	return list, nil
}
