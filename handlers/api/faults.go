package api

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxFaults is how many faults of a request are reported.
const MaxFaults = 100

// Faults are the faults of a request.
type Faults []FieldError

// Full tells whether there are MaxFaults already; Add then ignores further
// ones.
func (f *Faults) Full() bool { return len(*f) >= MaxFaults }

// Add notes a fault of an event.
func (f *Faults) Add(index int, field, format string, args ...any) {
	if !f.Full() {
		*f = append(*f, FieldError{Index: &index, Field: Clip(field), Message: Clip(fmt.Sprintf(format, args...))})
	}
}

// Whole notes a fault of the whole request.
func (f *Faults) Whole(field, format string, args ...any) {
	*f = append(*f, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

// Syntax notes that something is not JSON as it must be. Without an index the
// error is one of the whole body, and its place may name the event.
func (f *Faults) Syntax(index *int, err error) {
	var at *jsontext.SyntacticError
	if !errors.As(err, &at) {
		message := "is not JSON: it ends too early"
		if errors.Is(err, ErrMoreJSON) {
			message = err.Error()
		} else if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			message = "is not JSON"
		}
		*f = append(*f, FieldError{Index: index, Message: message})
		return
	}
	pointer := string(at.JSONPointer)
	if index == nil {
		index, pointer = eventOf(pointer)
	}
	message := fmt.Sprintf("is not valid JSON: %v, after byte %d", at.Err, at.ByteOffset)
	switch {
	case errors.Is(at.Err, jsontext.ErrDuplicateName):
		message = "appears twice in its object"
	case errors.Is(at.Err, io.ErrUnexpectedEOF):
		message = fmt.Sprintf("is not valid JSON: it ends too early, after byte %d", at.ByteOffset)
	}
	*f = append(*f, FieldError{Index: index, Field: Clip(Dotted(pointer)), Message: Clip(message)})
}

// eventOf finds the event in a place of the body: /events/3/id is id of event
// 3; any other place is of the only one.
func eventOf(pointer string) (*int, string) {
	rest, ok := strings.CutPrefix(pointer, "/events/")
	if !ok {
		if pointer == "" || pointer == "/events" {
			return nil, pointer
		}
		return new(0), pointer
	}
	number, rest, more := strings.Cut(rest, "/")
	n, err := strconv.Atoi(number)
	if err != nil {
		return new(0), pointer
	}
	if more {
		rest = "/" + rest
	}
	return &n, rest
}

// Dotted writes a JSON pointer as the API does: /question/tags/3 is
// question.tags[3].
func Dotted(pointer string) string {
	var b strings.Builder
	for token := range jsontext.Pointer(pointer).Tokens() {
		_, err := strconv.ParseUint(token, 10, 32)
		switch {
		case b.Len() == 0:
		case err == nil:
			b.WriteString("[" + token + "]")
			continue
		default:
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return b.String()
}

// Clip shortens a client's text for use in an answer.
func Clip(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
