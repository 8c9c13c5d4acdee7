package management

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/handlers/definition"
	"github.com/sitehooks/sitehooks/models"
)

// problem is an answer other than success.
type problem struct {
	status int
	reason string // why the request was not let in, for the log and the metrics; empty for other problems
	detail string // empty: the first fault's
	faults []api.FieldError
}

func (p *problem) Error() string { return fmt.Sprintf("%d: %s %v", p.status, p.detail, p.faults) }

// refused is the refusal of a part that the APIs share.
type refused struct{ *api.Refusal }

func (r refused) Error() string { return r.Detail }

func refuse(status int, detail string) error { return &problem{status: status, detail: detail} }

// invalid refuses a request by one of its fields.
func invalid(field, text string) error {
	return &problem{status: http.StatusBadRequest, reason: api.ReasonInvalid, faults: []api.FieldError{{Field: field, Message: api.Clip(text)}}}
}

// faulty refuses what a field says.
func faulty(field, text string) error {
	return &problem{status: unprocessable, reason: api.ReasonInvalid, faults: []api.FieldError{{Field: field, Message: api.Clip(text)}}}
}

// notFound says that there is no such thing, or none that the token may see.
func notFound(what string) error {
	return refuse(missing, "There is no such "+what+".")
}

// found is an error of models with a 404 that names the thing.
func found(what string, err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return notFound(what)
	}
	return err
}

// errChanged refuses a change of something that is not as the client has seen it.
var errChanged = refuse(changed, "It was changed in the meantime. Get it again, then make your changes.")

// refusal is the answer to an error.
func (a *API) refusal(c *call, err error) *api.Refusal {
	if known, is := errors.AsType[refused](err); is {
		return known.Refusal
	}
	if p, is := errors.AsType[*problem](err); is {
		r := &api.Refusal{Status: p.status, Reason: p.reason, Detail: p.detail, Errs: p.faults}
		if r.Detail == "" && len(p.faults) > 0 {
			r.Detail = "The request is invalid; see errors."
		}
		return r
	}
	if fault, is := definition.FaultOf(err); is {
		return &api.Refusal{Status: statusOf(fault), Detail: fault.Text, Errs: []api.FieldError{{Field: fieldOf(fault), Message: api.Clip(fault.Text)}}}
	}
	switch {
	case errors.Is(err, models.ErrNotFound):
		return &api.Refusal{Status: missing, Detail: "There is nothing at this address."}
	case errors.Is(err, models.ErrWrongKey):
		return &api.Refusal{Status: conflict, Detail: "This webhook cannot be opened: " + models.LockedWhy + "."}
	}
	return a.Access.Away(c.request.Context(), "management API", err)
}

// statusOf is the status for a save that was refused.
func statusOf(fault definition.Fault) int {
	switch fault.Field {
	case definition.FieldVersion, definition.FieldKey:
		return conflict
	default:
		return unprocessable
	}
}

// fieldOf is the API's name of a field. Versions are no field of it.
func fieldOf(fault definition.Fault) string {
	if key, is := strings.CutPrefix(fault.Field, definition.OptionField("")); is {
		return "options." + key
	}
	switch fault.Field {
	case definition.FieldVersion:
		return ""
	case definition.FieldTagMode:
		return definition.FieldTags
	default:
		return fault.Field
	}
}

// forbidden refuses what the token may not do.
func forbidden(field, text string) error {
	return &problem{status: http.StatusForbidden, reason: api.ReasonLocation, detail: text, faults: []api.FieldError{{Field: field, Message: text}}}
}

// ignoreNotFound is an error, unless it says that there is nothing.
func ignoreNotFound(err error) error {
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	return err
}
