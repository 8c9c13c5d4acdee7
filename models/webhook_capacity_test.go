package models_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sitehooks/sitehooks/models"
	"github.com/sitehooks/sitehooks/models/modelstest"
)

// TestALocationHoldsSoManyWebhooks: the last one that fits is taken, one more
// is not, neither new nor moved there, and other locations are not concerned.
func TestALocationHoldsSoManyWebhooks(t *testing.T) {
	each(t, func(t *testing.T, s *models.Store, _ *modelstest.Clock) {
		in := input()
		in.Location = "full"
		_, err := s.Webhooks.Create(t.Context(), mary, in)
		ok(t, err)
		types, err := s.DB().Migrator().ColumnTypes("webhooks")
		ok(t, err)
		var columns []string
		for _, c := range types {
			if c.Name() != "id" {
				columns = append(columns, "w."+c.Name())
			}
		}
		list := strings.Join(columns, ", ")
		ok(t, s.DB().Exec("insert into webhooks ("+strings.ReplaceAll(list, "w.", "")+") "+
			"with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < ?) select "+list+" from webhooks w cross join numbers",
			models.WebhooksPerLocation-2).Error)
		last, err := s.Webhooks.Create(t.Context(), mary, in)
		ok(t, err)
		if _, err = s.Webhooks.Create(t.Context(), mary, in); !errors.Is(err, models.ErrFull) {
			t.Errorf("one too many: %v", err)
		}
		in.Location = "other"
		other, err := s.Webhooks.Create(t.Context(), mary, in)
		ok(t, err)
		in.Location = "full"
		if _, err = s.Webhooks.Update(t.Context(), mary, other.ID, other.UpdatedAt, in); !errors.Is(err, models.ErrFull) {
			t.Errorf("moved to a full location: %v", err)
		}
		_, err = s.Webhooks.Update(t.Context(), mary, last.ID, last.UpdatedAt, in)
		ok(t, err)
	})
}
