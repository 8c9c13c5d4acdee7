package api

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
)

const (
	maxEvent = 256 << 10 // bytes, without the whitespace around its parts
)

// contentKind tells whether a request holds lines of events, or refuses it.
func contentKind(r *http.Request) (lines bool, no *refusal) {
	if len(r.Header.Values("Content-Encoding")) > 0 {
		return false, mediaType("The body must not be encoded: send it without Content-Encoding.")
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && (kind == typeJSON || kind == typeNDJSON) {
		if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
			return false, mediaType("The body must be UTF-8.")
		}
		return kind == typeNDJSON, nil
	}
	return false, mediaType(fmt.Sprintf("Content-Type must be %s or %s.", typeJSON, typeNDJSON))
}

func mediaType(detail string) *refusal {
	return &refusal{status: http.StatusUnsupportedMediaType, reason: reasonMediaType, detail: detail}
}
