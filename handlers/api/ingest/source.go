package ingest

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/sitehooks/sitehooks/handlers/api"
	"github.com/sitehooks/sitehooks/models"
)

// headerSource names the source whose follower sends the events.
const headerSource = "Sitehooks-Source"

// sourceOf returns the name of the source that a request's events come from;
// empty: from the token itself.
func (e *API) sourceOf(r *http.Request, token models.Token) (string, *api.Refusal) {
	names := r.Header.Values(headerSource)
	if len(names) == 0 {
		return "", nil
	}
	name := names[0]
	unknown := &api.Refusal{
		Status: http.StatusForbidden, Reason: api.ReasonInvalid,
		Detail: fmt.Sprintf("%s is %q, which is not a source that a follower has registered for this token. Nothing of this request was stored.", headerSource, api.Clip(name)),
	}
	if len(names) > 1 || e.Sources == nil {
		return "", unknown
	}
	src, err := e.Sources.Get(r.Context(), name)
	switch {
	case errors.Is(err, models.ErrNotFound):
		return "", unknown
	case err != nil:
		return "", e.Access.Away(r.Context(), "looking up the source", err)
	case !src.Follows(), token.Location != "" && src.Location != token.Location:
		return "", unknown
	}
	return name, nil
}
