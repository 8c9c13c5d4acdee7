package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/sitehooks/sitehooks/handlers/api"
)

func TestProblem(t *testing.T) {
	for _, tc := range []struct {
		title string
		errs  []api.FieldError
		want  string
	}{
		{"", nil, `{"type":"about:blank","title":"Not Found","status":404,"detail":"Nothing <here>.","errors":[{"index":null,"field":"","message":"Nothing <here>."}]}`},
		{"Gone away", []api.FieldError{{Index: new(3), Field: "question.tags[3]", Message: "m"}}, `{"type":"about:blank","title":"Gone away","status":404,"detail":"Nothing <here>.","errors":[{"index":3,"field":"question.tags[3]","message":"m"}]}`},
	} {
		w := httptest.NewRecorder()
		c, _ := gin.CreateTestContext(w)
		api.Problem(c, http.StatusNotFound, tc.title, "Nothing <here>.", tc.errs...)
		if w.Code != http.StatusNotFound || w.Body.String() != tc.want || !c.IsAborted() {
			t.Errorf("%d %s", w.Code, w.Body)
		}
		if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("Content-Type %q", got)
		}
	}
}
