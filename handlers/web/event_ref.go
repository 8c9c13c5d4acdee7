package web

import (
	"github.com/sitehooks/sitehooks/jobs/wire"
	"github.com/sitehooks/sitehooks/models"
)

// EventRef is an event with the way to its page.
type EventRef struct {
	models.Event
	Path string
	What string // its type in words
}

// NewEventRef links an event to its page and puts its type into words.
func NewEventRef(e models.Event) EventRef {
	return EventRef{e, TriggerPath(e.ID), Capitalized(wire.EventWords(e.Type))}
}

// EventRefs is NewEventRef for each event, in the same order.
func EventRefs(events []models.Event) []EventRef {
	refs := make([]EventRef, len(events))
	for i, e := range events {
		refs[i] = NewEventRef(e)
	}
	return refs
}
