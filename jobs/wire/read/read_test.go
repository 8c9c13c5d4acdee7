package read

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/jobs/wire"
)

func TestRegisterReaderRefuses(t *testing.T) {
	read := func(Received) (Result, error) { return Result{}, nil }
	for want, r := range map[string]Reader{
		"is incomplete":              {Kind: "raven", Label: "Raven", Read: read},
		"has secrets but cannot che": {Kind: "raven", Label: "Raven", Help: "Letters.", Read: read, Secrets: []wire.SecretField{{Key: "secret_1"}}},
	} {
		func() {
			defer func() {
				if fault, _ := recover().(string); !strings.Contains(fault, want) {
					t.Errorf("panicked with %q, want %q", fault, want)
				}
			}()
			Register(r)
		}()
	}
}

func TestLookupAnswerFinal(t *testing.T) {
	for status, final := range map[int]bool{0: false, 200: true, 301: true, 403: true, 404: true, 408: false, 429: false, 500: false, 503: false} {
		if (LookupAnswer{Status: status}).Final() != final {
			t.Errorf("%d %s: final is not %v", status, http.StatusText(status), final)
		}
	}
}
