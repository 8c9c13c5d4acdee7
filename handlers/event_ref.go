package handlers

import "github.com/sitehooks/sitehooks/models"

// eventRef is an event with the way to its page.
type eventRef struct {
	models.Event
	Path string
	What string // its type in words
}

func newEventRef(e models.Event) eventRef {
	return eventRef{e, triggerPath(e.ID), capitalized(eventWords(e.Type))}
}

func eventRefs(events []models.Event) []eventRef {
	refs := make([]eventRef, len(events))
	for i, e := range events {
		refs[i] = newEventRef(e)
	}
	return refs
}
