package api

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/sitehooks/sitehooks/models"
)

// maxEvents is how many events one request may hold.
const maxEvents = 1000

// readEvents turns a body into events that are ready to be stored, or tells
// all that is wrong with it.
func readEvents(body []byte, lines bool, now time.Time) ([]models.NewEvent, *refusal) {
	var f faults
	var raw [][]byte
	if lines {
		raw = splitLines(body, &f)
	} else {
		raw = splitJSON(body, &f)
	}
	switch {
	case len(f) == 0 && len(raw) == 0:
		f.whole("", "holds no events; it must hold 1 to %d", maxEvents)
	case len(raw) > maxEvents:
		f = nil
		f.whole("", "holds more than %d events", maxEvents)
	}
	if len(f) > 0 && !lines || len(raw) == 0 || len(raw) > maxEvents {
		return nil, badRequest(f)
	}
	k := checker{now: now, faults: &f, payloads: make([]byte, 0, len(body))}
	events := make([]models.NewEvent, 0, len(raw))
	for i, r := range raw {
		if r == nil { // its fault is told already
			continue
		}
		if f.full() {
			break
		}
		k.index = i
		events = append(events, k.event(r))
	}
	if len(k.tooLarge) > 0 {
		return nil, &refusal{
			status: http.StatusRequestEntityTooLarge, reason: reasonTooLarge, errs: k.tooLarge,
			detail: fmt.Sprintf("An event may have %d bytes. Nothing of this request was stored.", maxEvent),
		}
	}
	if len(f) > 0 {
		return nil, badRequest(f)
	}
	return events, nil
}

func badRequest(f faults) *refusal {
	detail := "The request has a fault; errors says where. Nothing of it was stored."
	if len(f) > 1 {
		detail = fmt.Sprintf("The request has %d faults; errors says where. Nothing of it was stored.", len(f))
	}
	if f.full() {
		detail = fmt.Sprintf("The request has many faults; errors says where the first %d are. Nothing of it was stored.", len(f))
	}
	return &refusal{status: http.StatusBadRequest, reason: reasonInvalid, detail: detail, errs: f}
}

// splitJSON finds the events in a JSON body: itself one, or a list of them.
func splitJSON(body []byte, f *faults) [][]byte {
	value, err := validJSON(body)
	if err != nil {
		f.syntax(nil, err)
		return nil
	}
	if value[0] != '{' {
		f.whole("", `must be a JSON object: one event, or {"events":[…]}`)
		return nil
	}
	var list []byte
	single := false
	for key, v := range members(value) {
		switch string(key) {
		case "events":
			list = v
		case "type":
			single = true
		}
	}
	switch {
	case list == nil:
		return [][]byte{value}
	case single:
		f.whole("events", "stands beside type; send one event, or a list of them")
		return nil
	case list[0] != '[':
		f.whole("events", "must be a list of events")
		return nil
	}
	var raw [][]byte
	for v := range elements(list) {
		raw = append(raw, v)
		if len(raw) > maxEvents {
			break
		}
	}
	return raw
}

// splitLines finds the events in lines of JSON. Blank lines are none; a line
// that is no JSON is nil, and a fault.
func splitLines(body []byte, f *faults) [][]byte {
	var raw [][]byte
	for line := range bytes.Lines(body) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(raw) == maxEvents || f.full() {
			return append(raw, nil)
		}
		value, err := validJSON(line)
		if err != nil {
			f.syntax(new(len(raw)), err)
			value = nil
		}
		raw = append(raw, value)
	}
	return raw
}

// onlyLocation refuses events of locations that a token is not for; empty: it
// is for all.
func onlyLocation(location string, events []models.NewEvent) *refusal {
	if location == "" {
		return nil
	}
	var errs faults
	for i := range events {
		if events[i].Location != location {
			errs.add(i, "location", "is %s, but the token is for %s only", events[i].Location, location)
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return &refusal{
		status: http.StatusForbidden, reason: reasonLocation, errs: errs,
		detail: fmt.Sprintf("The token is for the location %s only. Nothing of this request was stored.", location),
	}
}

// unknownLocations refuses events of locations that cannot be registered.
func unknownLocations(slugs map[string]bool, events []models.NewEvent) *refusal {
	var errs faults
	for i := range events {
		if slugs[events[i].Location] {
			errs.add(i, "location", "is not registered: %s", events[i].Location)
		}
	}
	return &refusal{
		status: http.StatusForbidden, reason: reasonLocation, errs: errs,
		detail: fmt.Sprintf("The location is unknown, and %d locations are registered, the most that events may register. "+
			"An administrator can add it, or remove empty ones. Nothing of this request was stored.", models.MaxLocations),
	}
}
