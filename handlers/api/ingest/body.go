package ingest

import (
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/sitehooks/sitehooks/handlers/api"
)

// MaxEvent is the most that an event may hold, in bytes, without the whitespace
// around its parts.
const MaxEvent = 256 << 10

// contentKind tells whether a request holds lines of events, or refuses it.
func contentKind(r *http.Request) (lines bool, rej *api.Refusal) {
	if len(r.Header.Values("Content-Encoding")) > 0 {
		return false, mediaType("The body must not be encoded. Send it without Content-Encoding.")
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && (kind == api.TypeJSON || kind == api.TypeNDJSON) {
		if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
			return false, mediaType("The body must be UTF-8.")
		}
		return kind == api.TypeNDJSON, nil
	}
	return false, mediaType(fmt.Sprintf("Content-Type must be %s or %s.", api.TypeJSON, api.TypeNDJSON))
}

func mediaType(detail string) *api.Refusal {
	return &api.Refusal{Status: http.StatusUnsupportedMediaType, Reason: api.ReasonMediaType, Detail: detail}
}
