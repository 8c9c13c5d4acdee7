package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/sitehooks/sitehooks/models"
)

// signal records the event that the address names; the body has its values.
func (s *SuperOffice) signal(ctx context.Context, c *call) (answer, error) {
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
func (s *SuperOffice) record(ctx context.Context, c *call, name, key string, data []byte) (answer, error) {
	var wrong keyFaults
	switch kind, fault := typeKind(name); {
	case fault != "":
		wrong.add("EventName", "It %s.", strings.TrimSuffix(fault, "."))
	case kind != kindCRM && kind != kindCustom:
		wrong.add("EventName", "%s carries more than can be said here; report it by POST /api/v1/events.", name)
	}
	n, err := strconv.ParseUint(key, 10, 32)
	if err != nil || n > maxSubject {
		wrong.add("PrimaryKey", "It must be a whole number from 0 to %d.", maxSubject)
	}
	if isNull(data) {
		data = nil
	} else if data[0] != '{' {
		wrong.add("Data", "The values must be a JSON object.")
	}
	if len(wrong) > 0 {
		return answer{}, &failure{status: http.StatusBadRequest, reason: reasonInvalid, faults: wrong}
	}
	e := signalled{Type: name, Subject: strconv.FormatUint(n, 10), Location: c.place(), Data: data}
	events, no := readEvents(plainJSON(e), false, s.Now())
	if no != nil {
		return answer{}, signalFailure(no)
	}
	accepted, _, err := s.Store.Events.Record(saving(ctx), events)
	if full, is := errors.AsType[*models.LocationLimitError](err); is {
		return answer{}, failureOf(unknownLocations(full.Slugs, events))
	}
	if err != nil {
		return answer{}, err
	}
	if s.OnAccepted != nil {
		s.OnAccepted()
	}
	if s.Accepted != nil {
		s.Accepted(map[string]int{metricType(name): accepted})
	}
	return answer{}, nil
}

// signalFailure tells what the ingest API refuses: values that are too large
// or too deep.
func signalFailure(no *refusal) error {
	f := &failure{status: no.status, reason: no.reason, message: no.detail}
	if no.status != http.StatusRequestEntityTooLarge {
		for _, e := range no.errs {
			f.faults.add("Data", "%s %s.", e.Field, e.Message)
		}
	}
	return f
}
