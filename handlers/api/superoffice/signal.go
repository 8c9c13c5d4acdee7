package superoffice

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/api/ingest"
	"github.com/sitehooks/sitehooks/models"
)

// signal records the event that the address names; the body has its values.
func (s *API) signal(ctx context.Context, c *call) (answer, error) {
	return s.record(ctx, c, c.event, c.key, c.body)
}

// signalled is an event as the ingest API takes it.
type signalled struct {
	Type     string          `json:"type"`
	Subject  string          `json:"subject"`
	Location string          `json:"location"`
	Data     json.RawMessage `json:"data,omitempty"`
}

// record stores an event, safely before it answers. It goes through the ingest
// API's checks, so that all that stands in the store is alike.
func (s *API) record(ctx context.Context, c *call, name, key string, data []byte) (answer, error) {
	var wrong keyFaults
	switch kind, fault := ingest.TypeKind(name); {
	case fault != "":
		wrong.add("EventName", "It %s.", strings.TrimSuffix(fault, "."))
	case kind != ingest.KindCRM && kind != ingest.KindCustom:
		wrong.add("EventName", "%s needs more data than this call can carry. Report it with POST /api/v1/events.", name)
	}
	n, err := strconv.ParseUint(key, 10, 32)
	if err != nil || n > ingest.MaxSubject {
		wrong.add("PrimaryKey", "It must be a whole number from 0 to %d.", ingest.MaxSubject)
	}
	if isNull(data) {
		data = nil
	} else if data[0] != '{' {
		wrong.add("Data", "The values must be a JSON object.")
	}
	if len(wrong) > 0 {
		return answer{}, &failure{status: http.StatusBadRequest, reason: api.ReasonInvalid, faults: wrong}
	}
	e := signalled{Type: name, Subject: strconv.FormatUint(n, 10), Location: c.place(), Data: data}
	events, rej := ingest.ReadEvents(api.PlainJSON(e), false, s.Now())
	if rej != nil {
		return answer{}, signalFailure(rej)
	}
	accepted, _, err := s.Store.Events.Record(saving(ctx), events)
	if full, is := errors.AsType[*models.LocationLimitError](err); is {
		return answer{}, failureOf(ingest.UnknownLocations(full.Slugs, events))
	}
	if err != nil {
		return answer{}, err
	}
	if s.OnAccepted != nil {
		s.OnAccepted()
	}
	if s.Accepted != nil {
		s.Accepted(map[string]int{ingest.MetricType(name): accepted})
	}
	return answer{}, nil
}

// signalFailure translates a refusal of the ingest API: values that are too
// large or too deep.
func signalFailure(rej *api.Refusal) error {
	f := &failure{status: rej.Status, reason: rej.Reason, message: rej.Detail}
	if rej.Status != http.StatusRequestEntityTooLarge {
		for _, e := range rej.Errs {
			f.faults.add("Data", "%s %s.", e.Field, e.Message)
		}
	}
	return f
}
