package superoffice

import (
	"testing"

	"github.com/sitehooks/sitehooks/models"
)

func TestAssociates(t *testing.T) {
	w := models.Webhook{OwnerID: 7, OwnerName: "Mary", UpdatedBy: "Mary"}
	e := entityOf(w, models.Opened{})
	if want := (associate{7, "Mary", "Mary"}); *e.RegisteredAssociate != want || *e.UpdatedAssociate != want {
		t.Errorf("registered by %+v, updated by %+v", e.RegisteredAssociate, e.UpdatedAssociate)
	}
	w.UpdatedBy = "Tony"
	if by := *entityOf(w, models.Opened{}).UpdatedAssociate; by != (associate{0, "Tony", "Tony"}) {
		t.Errorf("updated by %+v", by)
	}
}
